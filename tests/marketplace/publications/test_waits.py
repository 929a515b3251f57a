"""What the exchange lacks for a while, or stops itself, is not the fault of what an owner sent."""

from __future__ import annotations

import socket
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.models import Event
from marketplace.db.engine import DatabaseBusy
from marketplace.publications import running
from marketplace.publications.running import advance
from policies.clock import Clock
from policies.server import ServerEngine
from policies.trust import Trust
from tests.marketplace.publications.conftest import Desk


async def _refusals(desk: Desk) -> list[str]:
    async with desk.press.database.reading() as session:
        mine = Event.actor_organisation_id == desk.shop.owner.organisation.id
        return list(await session.scalars(select(Event.name).where(mine, Event.name == "dataset:refuse")))


async def test_a_busy_database_and_an_absent_engine_are_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication = (await desk.send()).json()["id"]
    await desk.set(publication, state="listing", approved="00" * 32)

    async def times_out(session: AsyncSession, *_: object) -> bool:
        await session.execute(text("set local statement_timeout = 10"))
        await session.execute(text("select pg_sleep(60)"))
        return True

    with monkeypatch.context() as patch:
        patch.setattr(running, "begin_stage", times_out)
        with pytest.raises(DatabaseBusy):
            await advance(desk.press, UUID(publication))
    assert (await desk.read(publication))["state"] == "listing"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        trust = Trust(revision="r", key_id="k", max_age_s=60, clock=Clock())
        engine = ServerEngine(f"http://127.0.0.1:{unused.getsockname()[1]}", timeout_ms=500, trust=trust)
        await advance(replace(desk.press, engine=engine), UUID(publication))
        await engine.close()
    view = await desk.read(publication)
    assert (view["state"], view["problem"], await _refusals(desk)) == ("listing", None, [])
