"""dp mode: when a query lets go of its place tells no more than when its answer is ready."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pytest

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.queries.endings import Outcome
from marketplace.queries.execute import Run, run
from marketplace.queries.keeping import Answers
from marketplace.queries.lines import Line
from marketplace.queries.prepare import Prepared
from marketplace.queries.privacy import Answer, Spend
from marketplace.queries.services import Services
from marketplace.queries.turns import Place, Turns, room_of
from sandbox.disclosure.noise import Budget
from sandbox.job import SandboxFailed
from sandbox.run import Spending

STREAM = pa.schema([("n", pa.int64())]).serialize().to_pybytes()


def _prepared(*, stored: bool) -> Prepared:
    """A query whose answer is stored, or one whose jail it does not reach: its version is damaged."""
    spend = Spend(
        rho_micro=1_000, epsilon=0.1, delta=1e-6, question=b"q",
        spending=Spending(budget=Budget(rho=0.001, delta=1e-9), persons_at_most=9),
        stored=Answer(stream=STREAM, rows=1) if stored else None,
    )  # fmt: skip
    obligations = SimpleNamespace(epsilon=1.0, consented_to="research.academic")
    line = SimpleNamespace(
        version=SimpleNamespace(id="v"), decision=SimpleNamespace(obligations=obligations),
        facts=SimpleNamespace(dataset_id=new_id(), slug="survey", excluded=frozenset(), revision=0),
        question=SimpleNamespace(request=SimpleNamespace(purpose="research.academic")),
    )  # fmt: skip
    prepared = SimpleNamespace(
        spend=spend, lines=(cast(Line, line),), plan=SimpleNamespace(output=()), own=(),
        decision=SimpleNamespace(obligations=obligations),
    )  # fmt: skip
    return cast(Prepared, prepared)


class Damaged:
    """A store that has lost the files."""

    def at_hand(self, *_: object, **__: object) -> None:
        raise OSError


@pytest.mark.parametrize("stored", [True, False])
async def test_the_next_of_the_queue_goes_in_at_the_grid_and_not_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Two queries of one's own, one behind the other: the second's turn would tell how long the first took."""
    turns = Turns(room_of(Config(home=tmp_path, sandbox_jails=1)), wait_max_s=60)
    tenant, agreement = new_id(), new_id()
    first, second = (
        turns.join(new_id(), tenant=tenant, agreement=agreement, cost_bytes=1, memory_bytes=1) for _ in range(2)
    )
    waited: list[bool] = []

    async def at_the_grid(_: float) -> None:
        waited.append(second.waits)

    monkeypatch.setattr(asyncio, "sleep", at_the_grid)
    answers = Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=1)
    services = cast(Services, SimpleNamespace(config=Config(home=tmp_path), store=Damaged()))
    running = run(services, _prepared(stored=stored), _to(first, answers))
    (ended,) = await asyncio.gather(running, return_exceptions=True)
    assert isinstance(ended, Outcome if stored else SandboxFailed)
    assert waited == [True]
    assert not second.waits, "then it is the next one's turn"


def _to(place: Place, answers: Answers) -> Run:
    return Run(place=place, draft=answers.draft(place.query_id))
