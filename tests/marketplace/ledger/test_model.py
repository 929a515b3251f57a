"""Any sequence of verbs on the real ledger ends as it does on a model of ten lines."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.engine import Database, database_url
from marketplace.errors import Problem
from marketplace.ledger.actions import Movement, hold, post, transfers, void
from marketplace.ledger.errors import HoldResolved, InsufficientFunds
from marketplace.ledger.reads import balance
from marketplace.ledger.reconcile import reconcile
from tests.marketplace.ledger.books import Books, open_books


class Model:
    """One wallet with a floor of 0: what it holds, what is set aside."""

    def __init__(self, money: int) -> None:
        self.money, self.held = money, dict[UUID, int]()

    def spend(self, amount: int) -> None:
        if amount > self.money - sum(self.held.values()) and amount > 0:
            raise InsufficientFunds
        self.money -= amount

    def hold(self, key: UUID, amount: int) -> None:
        self.spend(amount)
        self.money, self.held[key] = self.money + amount, amount

    def resolve(self, key: UUID, *, post: bool) -> None:
        if key not in self.held:
            raise HoldResolved
        amount = self.held.pop(key)
        self.money -= amount if post else 0


class Ledger(RuleBasedStateMachine):
    """The same verbs on both; whatever one refuses the other refuses for the same reason."""

    runner: asyncio.Runner
    database: Database
    holds = Bundle("holds")

    @initialize()
    def open(self) -> None:
        self.connection = self.runner.run(self._connect())
        self.session = AsyncSession(self.connection, expire_on_commit=False)
        self.books: Books = self.runner.run(open_books(self.session, credit=1_000))
        self.model = Model(1_000)

    async def _connect(self) -> AsyncConnection:
        return await self.database.engine.connect()

    @rule(target=holds, amount=st.integers(0, 700))
    def hold(self, amount: int) -> UUID:
        key = new_id()
        books = self.books
        self._both(
            lambda: self.model.hold(key, amount),
            hold(
                self.session, id=key, debit=books.wallet, credit=books.platform, amount=amount, code="query_hold"
            ),
        )
        return key

    @rule(key=holds)
    def post(self, key: UUID) -> None:
        self._resolve(key, posts=True)

    @rule(key=consumes(holds))
    def void(self, key: UUID) -> None:
        self._resolve(key, posts=False)

    def _resolve(self, key: UUID, *, posts: bool) -> None:
        verb = post if posts else void
        self._both(
            lambda: self.model.resolve(key, post=posts),
            verb(self.session, id=new_id(), hold_id=key, code="resolved"),
        )

    @rule(amounts=st.lists(st.integers(0, 400), min_size=1, max_size=4))
    def spend_linked(self, amounts: list[int]) -> None:
        linked = [
            Movement(
                id=new_id(), kind="single", code="x", debit=self.books.wallet, credit=self.books.earnings, amount=n
            )
            for n in amounts
        ]
        self._both(lambda: self.model.spend(sum(amounts)), transfers(self.session, linked))

    def _both(self, model: Callable[[], None], real: Coroutine[None, None, object]) -> None:
        expected = found = None
        try:
            model()
        except (InsufficientFunds, HoldResolved) as e:
            expected = type(e)
        try:
            self.runner.run(real)
        except Problem as e:
            found = type(e)
        assert found is expected or (expected is HoldResolved and found is not None)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "books"):
            return
        wallet = self.runner.run(balance(self.session, self.books.wallet))
        assert (wallet.balance, wallet.debits_pending) == (self.model.money, sum(self.model.held.values()))
        assert wallet.available >= 0

    def teardown(self) -> None:
        if not hasattr(self, "books"):
            return
        differences = self.runner.run(reconcile(self.session))
        self.runner.run(self.session.close())
        self.runner.run(self.connection.close())
        assert [each for each in differences if each.subject == str(self.books.wallet)] == []


@pytest.mark.no_cover  # as generated examples: see tests/conftest.py
def test_the_ledger_is_its_model(config: Config, database: Database) -> None:
    """`database` is asked for so that the tables are there; the machine has a loop and connections of its own."""
    with asyncio.Runner() as runner:
        Ledger.runner = runner
        Ledger.database = Database(database_url(config), connections=2)
        case = settings(
            max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        )
        run_state_machine_as_test(Ledger, settings=case)
        runner.run(Ledger.database.close())
