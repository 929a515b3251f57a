"""What the exchange lacks for a while, or stops itself, is not the fault of what an owner sent."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Coroutine
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.pipeline import stages
from catalog.pipeline.line import Line
from catalog.pipeline.run import Pipeline
from catalog.pipeline.stages import run_ingest
from marketplace.audit.models import Event
from marketplace.db.base import new_id
from marketplace.db.engine import DatabaseBusy
from marketplace.db.idempotency import KeyReused
from marketplace.publications import running
from marketplace.publications.jobs import sweep, work_once
from marketplace.publications.models import PublicationRow, PublicationStage
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
            await advance(desk.press, UUID(publication), asyncio.Event())
    assert (await desk.read(publication))["state"] == "listing"
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        trust = Trust(revision="r", key_id="k", max_age_s=60, clock=Clock())
        engine = ServerEngine(f"http://127.0.0.1:{unused.getsockname()[1]}", timeout_ms=500, trust=trust)
        await advance(replace(desk.press, engine=engine), UUID(publication), asyncio.Event())
        await engine.close()
    view = await desk.read(publication)
    assert (view["state"], view["problem"], await _refusals(desk)) == ("listing", None, [])
    await desk.set(publication, state="cancelled")


async def test_the_services_own_stop_ends_between_stages_and_a_cancelled_version_leaves_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, behind = (await desk.send()).json()["id"], await desk.put("cancelled")
    await desk.set(behind, has_files=True)
    loop, stop, attempts = asyncio.get_running_loop(), asyncio.Event(), list[int]()

    def wait_for(coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, loop).result(60)

    async def stopped() -> None:
        """The stage runs until it is seen that the stop was noted; at most as long as a supervisor waits."""
        stop.set()
        for _ in range(200):
            attempts[:] = [(await _stage(desk, publication)).attempts]
            if attempts == [0]:
                return
            await asyncio.sleep(0.05)

    def ingest(line: Line, room: Path) -> Any:
        if line.manifest.dataset == desk.shop.slug:
            wait_for(stopped())
        return run_ingest(line, room)

    with monkeypatch.context() as patch:
        patch.setitem(stages.RUNS, "ingest", ingest)
        await work_once(desk.press, stop)
    states = [each["record"]["state"] for each in (await desk.read(publication))["each_stage"]]
    assert (attempts, states[:3]) == ([0], ["passed", "waiting", "waiting"])
    async with desk.press.database.reading() as session:
        assert (await session.get_one(PublicationRow, UUID(behind))).has_files, "its turn comes after the stop"

    await work_once(desk.press)
    for who, verb in (("steward", "submit"), ("approver", "approve")):
        assert (await desk.step(publication, who, verb)).status_code == 200

    def place(pipeline: Pipeline) -> None:
        placed(pipeline)
        assert desk.press.store.private(pipeline.version.id).exists()
        wait_for(desk.step(publication, "steward", "cancel"))

    placed = Pipeline.place
    with monkeypatch.context() as patch:
        patch.setattr(Pipeline, "place", place)
        await work_once(desk.press)
    view = await desk.read(publication)
    assert view["state"] == "cancelled"
    assert not desk.press.store.private(view["version_id"]).exists()
    assert not desk.press.store.public(view["version_id"]).exists()


async def _stage(desk: Desk, publication: str) -> PublicationStage:
    async with desk.press.database.reading() as session:
        return await session.get_one(PublicationStage, (UUID(publication), "ingest"))


async def test_the_sweep_takes_old_folders_that_no_row_knows_and_passes_over_other_names(desk: Desk) -> None:
    publication, left, young = (await desk.send()).json()["id"], new_id(), new_id()
    root = desk.press.store.root / "publications"
    for name in ("stray.tmp", str(left), str(young)):
        (root / name).mkdir()
    for name in ("stray.tmp", str(left), publication):
        os.utime(root / name, (0, 0))
    assert await sweep(desk.press) == 1
    assert [(root / name).exists() for name in (str(left), str(young), "stray.tmp", publication)] == [
        False, True, True, True,
    ]  # fmt: skip
    await desk.set(publication, state="cancelled")


async def test_one_key_is_not_for_both_doors(desk: Desk) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    sent = await desk.send("both", headers=key)
    assert sent.status_code == 202
    file = desk.shop.file(400)
    files = {"manifest": ("m.yaml", desk.shop.manifest()), "file": (file.name, file.read_bytes())}
    answer = await desk.client.post("/api/v1/datasets", token=desk.tokens["both"], files=files, headers=key)
    assert answer.json()["code"] == KeyReused.code, answer.text
    await desk.set(sent.json()["id"], state="cancelled")
