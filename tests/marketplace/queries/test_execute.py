"""Which files a query is given: those of its own purpose's revision, whoever asked before."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from catalog.storage import Store
from catalog.version import Revision
from marketplace.config import Config
from marketplace.db.keys import Keys
from marketplace.queries.execute import Run, revision_for, run
from marketplace.queries.filters import row_filter
from marketplace.queries.keeping import Answers
from marketplace.queries.lines import Line
from marketplace.queries.prepare import Prepared, schema_of
from marketplace.queries.services import Services
from marketplace.queries.turns import Place, Stopped, Turns, room_of
from sandbox.disclosure.row_filter import RowFilterUnknown
from sandbox.isolation.pool import Pool
from sandbox.job import RowFilter, SandboxFailed
from sandbox.plan.plan import plan_query
from tests.attack.conftest import require_layers
from tests.catalog.plain import in_process
from tests.catalog.small import ROW_MANIFEST, people, publish_rows


async def _given(store: Store, version: Any, excluded: frozenset[int], number: int) -> Revision:
    line = SimpleNamespace(
        version=version,
        facts=SimpleNamespace(excluded=excluded, revision=number),
        decision=SimpleNamespace(obligations=SimpleNamespace(consented_to=None)),
    )
    return await revision_for(cast(Services, SimpleNamespace(store=store)), cast(Line, line))


async def test_two_purposes_without_consent_whose_revisions_have_the_same_number_get_their_own_files(
    tmp_path: Path,
) -> None:
    """Somebody objects to one purpose, somebody else to another: each is revision 1 of its purpose."""
    store = Store(tmp_path / "store")
    made = await asyncio.to_thread(publish_rows, store, tmp_path, people(), manifest=ROW_MANIFEST)
    found = [await _given(store, made.version, frozenset({cohort}), 1) for cohort in (0, 1, 0)]
    assert found[0].parts != found[1].parts
    assert found[0] == found[2]


class Exchange:
    """One jail, and a dataset of people to ask."""

    def __init__(self, folder: Path) -> None:
        require_layers()
        self.store, self.folder = Store(folder / "store"), folder
        with in_process():
            self.version = publish_rows(self.store, folder, people(), manifest=ROW_MANIFEST).version
        self.pool = Pool(jails=1, threads=1, memory_bytes=256 * 1024 * 1024, queue=2)
        self.turns = Turns(room_of(Config(sandbox_jails=1)), wait_max_s=9)

    def place(self) -> Place:
        whose = uuid.uuid4()
        return self.turns.join(uuid.uuid4(), tenant=whose, agreement=whose, cost_bytes=0, memory_bytes=0)

    async def asked(self, place: Place, *filters: dict[str, Any]) -> int:
        """How many places there are, by one query."""
        config = SimpleNamespace(sandbox_memory_bytes=2**28, result_max_rows=99, result_max_bytes=2**20)
        services = SimpleNamespace(store=self.store, pool=self.pool, config=config)
        obligations = SimpleNamespace(consented_to=None, row_filter=filters, max_rows=99, max_bytes=2**20)
        line = SimpleNamespace(
            version=self.version,
            facts=SimpleNamespace(dataset_id=uuid.uuid4(), slug="small", excluded=frozenset(), revision=0),
            question=SimpleNamespace(request=SimpleNamespace(purpose="research.academic")),
            decision=SimpleNamespace(obligations=obligations), records_left=None, rows_cap=None,
        )  # fmt: skip
        plan = plan_query("SELECT DISTINCT place FROM small", [schema_of(self.version, "small")])
        prepared = SimpleNamespace(
            plan=plan, lines=(line,), decision=line.decision, own=(), spend=None, deadline_ms=9_000
        )
        draft = Answers(self.folder / "answers", Keys(self.folder / "keys"), runner=1).draft(place.query_id)
        to = Run(place=place, draft=draft)
        outcome = await run(cast(Services, services), cast(Prepared, prepared), to)
        assert outcome.result is not None
        return outcome.result.rows


async def test_the_row_filter_of_a_decision_holds_whatever_is_asked(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    await exchange.pool.start()

    async def asked(*filters: dict[str, Any]) -> int:
        return await exchange.asked(exchange.place(), *filters)

    try:
        assert await asked() == 3
        assert await asked({"column": "place", "in": ["Huế", "Hà Nội"]}) == 2
        assert await asked({"column": "place", "in": ["Huế", "Hà Nội"]}, {"column": "place", "in": ["Huế"]}) == 1
        with pytest.raises(SandboxFailed) as refused:
            await asked({"column": "place", "is": "Huế"})
        assert (refused.value.code, refused.value.entered) == ("sandbox.records_unknown", False)
    finally:
        await exchange.pool.close()


async def test_what_is_stopped_before_a_jail_was_free_never_enters_it(tmp_path: Path) -> None:
    exchange = Exchange(tmp_path)
    place = exchange.place()
    waiting = asyncio.create_task(exchange.asked(place))
    while exchange.pool.health().queries == 0:  # it has its turn and its files, and waits for a jail
        done, _ = await asyncio.wait({waiting}, timeout=0.01)
        assert not done
    place.stop()
    await exchange.pool.start()
    try:
        with pytest.raises(Stopped):
            await waiting
        assert exchange.pool.health().jails_idle == 1
        assert await exchange.asked(exchange.place()) == 3
    finally:
        await exchange.pool.close()


def test_only_quasi_identifiers_filter_and_only_in_a_form_that_is_known(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    with in_process():
        version = publish_rows(store, tmp_path, people(), manifest=ROW_MANIFEST).version
    known = {"column": "place", "in": ["Huế"]}
    assert row_filter(version, [known]) == (RowFilter(column="place", type="VARCHAR", values=("Huế",)),)
    for wrong in (
        {"column": "illness", "in": ["lao"]}, {"column": "age", "in": [3]}, {"in": ["Huế"]},
        {**known, "not": True},
        {"column": "place", "in": "Huế"}, {"column": "place", "in": [None]}, {"column": "place", "low": ["a"]},
    ):  # fmt: skip
        with pytest.raises(RowFilterUnknown):
            row_filter(version, [known, wrong])
