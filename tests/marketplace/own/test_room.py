"""How much of its own a startup may keep."""

from __future__ import annotations

from typing import cast

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.own import OwnData
from marketplace.accounts.callers import Analyst
from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.own.actions import add_table, check_name, remove_table
from marketplace.own.errors import NoRoom, TableNameTaken, TableNameWrong
from sandbox.job import Column
from tests.marketplace.parties import Make

DATA = OwnData(columns=(Column(name="a", type="BIGINT"),), rows=1, body=b"x" * 10)


@pytest.mark.parametrize(
    ("bounds", "fit"), [({"own_tables_max_count": 2}, 2), ({"own_tables_max_bytes": 29}, 2), ({}, 4)]
)
async def test_tables_and_bytes_are_counted_for_each_organisation(
    session: AsyncSession, make: Make, config: Config, bounds: dict[str, int], fit: int
) -> None:
    bounded = Config(home=config.home, **bounds)  # type: ignore[arg-type]
    ours, theirs = [cast(Analyst, await make.caller(session, as_type=Analyst)) for _ in range(2)]
    added = []
    for place in range(4):
        try:
            table_id = new_id()
            await add_table(
                session, table_id=table_id, name=f"t{place}", data=DATA, wrapped_key=b"", by=ours, config=bounded
            )
            added.append(table_id)
        except NoRoom:
            continue
    assert len(added) == fit
    await add_table(session, table_id=new_id(), name="t0", data=DATA, wrapped_key=b"", by=theirs, config=bounded)
    with pytest.raises(TableNameTaken):
        await add_table(session, table_id=new_id(), name="t0", data=DATA, wrapped_key=b"", by=ours, config=bounded)
    await remove_table(session, table_id=added[0], by=ours)
    await add_table(session, table_id=new_id(), name="t0", data=DATA, wrapped_key=b"", by=ours, config=bounded)


@pytest.mark.parametrize("name", ["", "A", "1a", "a b", 'a"', "a;drop", "ă", "a" * 64, "a\n"])
def test_a_name_is_one_that_sql_says_without_quotes(name: str) -> None:
    with pytest.raises(TableNameWrong):
        check_name(name)
