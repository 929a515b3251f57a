"""A home of its own with four months that are over: a charged query at the first and last instants of each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import psycopg
import pytest
from msgspec import Struct

from marketplace.accounts.callers import Operator, narrow
from marketplace.audit.actions import record
from marketplace.billing.actions import credit_wallet
from marketplace.calendar import month_of as name_of
from marketplace.config import Config
from marketplace.db.base import new_id, utcnow
from marketplace.db.engine import Database, migration_url, open_database
from marketplace.invoices.months import Month, month_of
from tests.homes import own_home
from tests.marketplace.agreements.conftest import Sides, open_sides
from tests.marketplace.audit.bodies import settled
from tests.marketplace.invoices.bills import charged
from tests.marketplace.parties import Make, Party
from tests.prepared import Prepared

PRICES_VND = (70_000, 30_000)
JUST = timedelta(microseconds=1)


class Past(Struct, frozen=True):
    """`months`: oldest first, each charged `PRICES_VND`."""

    config: Config
    database: Database
    sides: Sides
    second: Party
    """The operator's other person, beside that of `sides`."""
    operator: Operator
    """The same, as a caller."""
    months: tuple[Month, ...]

    def owner_does(self, statement: str, *values: object) -> None:
        """What only somebody with the database itself can do."""
        with psycopg.connect(migration_url(self.config), autocommit=True) as owner:
            owner.execute("set session_replication_role = replica")
            owner.execute(statement, values)

    async def use(self, at: datetime, price_vnd: int) -> None:
        """A query that was charged, used and logged, as if at that instant."""
        agreement_id = await self.sides.agreement(self.database)
        query = await charged(
            self.database, self.sides.startup, self.sides.owner, dataset_id=self.sides.dataset_id,
            price=price_vnd, agreement_id=agreement_id,
        )  # fmt: skip
        async with self.database.session() as session:
            await record(
                session, "query:settle", query_id=query, dataset_id=self.sides.dataset_id, price_vnd=price_vnd,
                body=settled(),
            )  # fmt: skip
        for table in ("transfer", "usage"):
            self.owner_does(f"update {table} set at = %s where query_id = %s", at, query)


@pytest.fixture(scope="session")
async def past(prepared: Prepared) -> AsyncIterator[Past]:
    with own_home() as home:
        prepared.copy_tables(home)
        config = Config(home=home)
        database = open_database(config, connections=20)
        yield await _filled(config, database)
        await database.close()


async def _filled(config: Config, database: Database) -> Past:
    sides = await open_sides(database)
    second = await Make().party(database, kind="operator")
    operator = narrow(second.caller, Operator, "operator", None)
    async with database.session() as session:
        await credit_wallet(
            session, by=operator, organisation_id=sides.startup.organisation.id, amount_vnd=1_000_000,
            reference="UNC 1", transfer_id=new_id(),
        )  # fmt: skip
    names = [name_of(utcnow())]
    while len(names) < 5:
        names.append(name_of(month_of(names[-1]).since - JUST))
    months = tuple(month_of(each) for each in reversed(names[1:]))
    past = Past(config, database, sides, second, operator, months)
    began = months[0].since
    past.owner_does("update organisation set created_at = %s", began)
    past.owner_does("update transfer set at = %s", began)
    for month in months:
        for at, price_vnd in zip((month.since, month.until - JUST), PRICES_VND, strict=True):
            await past.use(at, price_vnd)
    return past
