"""dp mode: when a query lets go of its place tells no more than when its answer is ready."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pyarrow as pa
import pytest

from marketplace.config import Config
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.queries import execute
from marketplace.queries.endings import Outcome
from marketplace.queries.execute import Run, run, to_the_grid
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
        spend=spend, lines=(cast(Line, line),), own=(),
        plan=SimpleNamespace(output=()),
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


@pytest.mark.parametrize("elapsed_ms", [0.1, 240.0, 249.9, 251.0, 480.0, 4_990.0])
def test_what_takes_longer_comes_later_only_as_often_as_chance_lets_it(elapsed_ms: float) -> None:
    """However a question is made, the time of one record does not decide when its answer comes."""
    longer_ms, tries = 20.0, 10_000
    steps = [_step(elapsed_ms, at / tries) for at in range(tries)]
    later = [_step(elapsed_ms + longer_ms, at / tries) for at in range(tries)]
    moved = (Counter(steps) - Counter(later)).total() / tries
    assert 0 < moved <= longer_ms / 250 + 2 / tries


def test_without_chance_the_time_of_one_record_would_tell() -> None:
    assert (_step(240.0, 0), _step(260.0, 0)) == (1, 2)


def _step(elapsed_ms: float, later: float) -> int:
    """At which multiple of the grid it comes; that it comes at one, and not before its time."""
    waits_ms = to_the_grid(elapsed_ms / 1000, 0.25, later) * 1000
    assert waits_ms > 0
    step = round((elapsed_ms + waits_ms) / 250)
    assert elapsed_ms + waits_ms == pytest.approx(step * 250)
    return step


async def test_chance_moves_an_answer_by_up_to_a_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(room_of(Config(home=tmp_path, sandbox_jails=1)), wait_max_s=60)
    waits: list[float] = []

    async def asleep(seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", asleep)
    monkeypatch.setattr(execute, "_CHANCE", SimpleNamespace(random=lambda: 1 - 1e-9))
    answers = Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=1)
    services = cast(Services, SimpleNamespace(config=Config(home=tmp_path), store=Damaged()))
    place = turns.join(new_id(), tenant=new_id(), agreement=new_id(), cost_bytes=1, memory_bytes=1)
    await run(services, _prepared(stored=True), _to(place, answers))
    assert len(waits) == 1
    assert waits[0] > 0.25


def _to(place: Place, answers: Answers) -> Run:
    return Run(place=place, draft=answers.draft(place.query_id))
