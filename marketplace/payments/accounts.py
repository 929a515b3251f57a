"""A startup's paid-in money in the ledger: where it comes from, and where it waits.

Besides the wallet a startup has three accounts without a floor: `refunding` (on its way back), `disputed` (frozen
while its bank and ours argue), `owed` (below zero: what was taken back from us and the wallet could not give yet).
Dollars come in to `funding` in USD and are changed on `exchange`, which stands in both currencies.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.db.base import new_id
from marketplace.ledger.accounts import account_id, open_account
from marketplace.ledger.actions import Movement, transfer, transfers
from marketplace.ledger.errors import InsufficientFunds
from marketplace.ledger.reads import balance
from marketplace.payments.models import PaymentAccount

OWN = ("refunding", "disputed", "owed")
SHARED = (("funding", "VND"), ("funding", "USD"), ("exchange", "VND"), ("exchange", "USD"), ("unmatched", "VND"))
_SPACE = UUID("5d1a0000-0000-8000-8000-9a1d00000000")
_ATTEMPTS = 5
Step = tuple[UUID, UUID | None, int, str]
"""A transfer to or from outside: outer account, inner account (None: the caller's), amount, its name."""


def step_id(about: str, step: str) -> UUID:
    """The transfer of a step of a payment, refund or dispute: the same each time, so it is made once."""
    return uuid5(_SPACE, f"{about}/{step}")


async def lock_account(session: AsyncSession, organisation_id: UUID) -> PaymentAccount:
    """The startup's row, locked, made with its accounts if need be. Taken before anything of its wallet."""
    made = insert(PaymentAccount).values(organisation_id=organisation_id).on_conflict_do_nothing()
    if await session.scalar(made.returning(PaymentAccount.organisation_id)) is not None:
        for kind in OWN:
            await open_account(session, organisation_id=organisation_id, kind=kind)
        for kind, currency in SHARED:
            await open_account(session, organisation_id=None, kind=kind, currency=currency)
    mine = select(PaymentAccount).where(PaymentAccount.organisation_id == organisation_id).with_for_update()
    return (await session.scalars(mine.execution_options(populate_existing=True))).one()


async def move(
    session: AsyncSession, *, about: str, step: str, debit: UUID, credit: UUID, amount_vnd: int
) -> bool:
    """One step in đồng; False if it was made before. Raises InsufficientFunds."""
    if amount_vnd == 0:
        return False
    return await transfer(
        session, id=step_id(about, step), debit=debit, credit=credit, amount=amount_vnd, code=step, reference=about
    )


async def bring_in(
    session: AsyncSession, *, about: str, step: str, to: UUID, currency: str, amount: int, amount_vnd: int
) -> bool:
    """Money from outside; dollars are changed on the way. False if it was made before."""
    steps = _crossing(about, step, currency, amount, amount_vnd)
    pairs = [(outer, inner or to) for outer, inner, _, _ in steps]
    return await _linked(session, about, steps, pairs)


async def send_out(
    session: AsyncSession, *, about: str, step: str, source: UUID, currency: str, amount: int, amount_vnd: int
) -> bool:
    """The opposite."""
    steps = _crossing(about, step, currency, amount, amount_vnd)
    pairs = [(inner or source, outer) for outer, inner, _, _ in steps]
    return await _linked(session, about, steps, pairs)


def _crossing(about: str, step: str, currency: str, amount: int, amount_vnd: int) -> list[Step]:
    if currency == "VND":
        return [(account_id(None, "funding"), None, amount_vnd, step)]
    funding, exchange = (account_id(None, kind, currency) for kind in ("funding", "exchange"))
    return [(funding, exchange, amount, f"{step}_usd"), (account_id(None, "exchange"), None, amount_vnd, step)]


async def _linked(
    session: AsyncSession,
    about: str,
    steps: list[Step],
    pairs: list[tuple[UUID, UUID]],
) -> bool:
    movements = [
        Movement(
            id=step_id(about, step), kind="single", code=step, debit=debit, credit=credit, amount=amount,
            reference=about,
        )
        for (_, _, amount, step), (debit, credit) in zip(steps, pairs, strict=True)
    ]  # fmt: skip
    return await transfers(session, movements)


async def collect(session: AsyncSession, organisation_id: UUID) -> None:
    """Pay what is owed out of the wallet as far as it goes, or give back to it what was taken too much.

    Under the startup's lock. A query that holds money at the same instant makes us look again; what is left then
    is the sweep's.
    """
    wallet, owed = account_id(organisation_id, "wallet"), account_id(organisation_id, "owed")
    for _ in range(_ATTEMPTS):
        debt = -(await balance(session, owed)).balance
        if debt == 0:
            return
        debit, credit, code, amount = owed, wallet, "owed_return", -debt
        if debt > 0:
            debit, credit, code = wallet, owed, "owed_collect"
            amount = min(debt, (await balance(session, wallet)).available)
        if amount <= 0:
            return
        try:
            async with session.begin_nested():
                await transfer(session, id=new_id(), debit=debit, credit=credit, amount=amount, code=code)
        except InsufficientFunds:
            continue
