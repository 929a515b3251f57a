"""A clock that is set back is noticed: by this process, by what the log has seen, by the age of a bundle."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies import clock
from policies.clock import SLACK_MS, Clock, ClockWentBack
from policies.release import Released
from tests.policies.cases import codes, question
from tests.policies.conftest import engine_of, running, signed

START_MS = 1_763_769_600_000
HOUR_MS = 3_600_000


class Times:
    """What the machine's clocks say."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.wall_ms, self.monotonic_ms = START_MS, 1_000
        patch.setattr(clock, "_wall_ms", lambda: self.wall_ms)
        patch.setattr(clock, "_monotonic_ms", lambda: self.monotonic_ms)

    def go_on(self, passed_ms: int, *, set_by_ms: int = 0) -> None:
        self.monotonic_ms += passed_ms
        self.wall_ms += passed_ms + set_by_ms


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    return Times(monkeypatch)


def test_a_clock_set_back_is_refused_until_it_is_right_again(times: Times) -> None:
    told = Clock()
    times.go_on(10, set_by_ms=-HOUR_MS)
    with pytest.raises(ClockWentBack) as back:
        told.now_ms()
    assert back.value.behind_ms == HOUR_MS
    times.go_on(10, set_by_ms=HOUR_MS)
    assert told.now_ms() == START_MS + 20


def test_a_process_that_is_held_up_while_it_reads_both_clocks_is_not_one_whose_clock_was_set_back(
    times: Times, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others had the processor, or the interpreter's lock, between any two of its readings."""
    told = Clock()
    held_up_ms = [0]

    def read(clock_of: Callable[[], int]) -> Callable[[], int]:
        def held_up() -> int:
            times.go_on(held_up_ms[0])
            return clock_of()

        return held_up

    for name in ("_wall_ms", "_monotonic_ms"):
        monkeypatch.setattr(clock, name, read(getattr(clock, name)))
    for pause_ms in (10 * SLACK_MS, 0, 10 * SLACK_MS, 1, 10 * SLACK_MS):
        held_up_ms[0] = pause_ms
        assert told.now_ms() <= times.wall_ms
    held_up_ms[0] = 0
    times.go_on(0, set_by_ms=-HOUR_MS)
    with pytest.raises(ClockWentBack):
        told.now_ms()


def test_a_clock_set_forward_and_back_again_is_refused(times: Times) -> None:
    told = Clock()
    times.go_on(0, set_by_ms=HOUR_MS)
    assert told.now_ms() == START_MS + HOUR_MS
    times.go_on(HOUR_MS // 2, set_by_ms=-HOUR_MS)
    with pytest.raises(ClockWentBack):
        told.now_ms()


def test_a_clock_behind_what_the_log_has_seen_is_refused_at_the_start(times: Times) -> None:
    told = Clock(not_before_ms=START_MS + HOUR_MS)
    with pytest.raises(ClockWentBack):
        told.now_ms()
    times.go_on(HOUR_MS)
    with pytest.raises(ClockWentBack):  # it is still an hour behind
        told.now_ms()
    times.go_on(0, set_by_ms=HOUR_MS)
    assert told.now_ms() == START_MS + 2 * HOUR_MS


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 10_000), st.integers(-5_000, 5_000)), max_size=20))
def test_what_a_clock_says_never_goes_back_further_than_the_slack(steps: list[tuple[int, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        times = Times(patch)
        told, latest = Clock(), START_MS
        for passed_ms, set_by_ms in steps:
            times.go_on(passed_ms, set_by_ms=set_by_ms)
            try:
                now_ms = told.now_ms()
            except ClockWentBack:
                continue
            assert now_ms >= latest - SLACK_MS
            latest = max(latest, now_ms)


async def test_a_clock_set_back_does_not_make_an_old_bundle_young(
    opa: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: Released = signed(opa, tmp_path, age_s=120)
    with running(opa, "--config-file", made.configuration) as server:
        engine = engine_of(server.url, made, max_age_s=60)
        old = await engine.decide(question("rows", {}))
        real = clock._wall_ms
        monkeypatch.setattr(clock, "_wall_ms", lambda: real() - 100_000)
        back = await engine.decide(question("rows", {}))
        await engine.close()
    assert (codes(old), codes(back)) == (["policy.too_old"], ["policy.clock_went_back"])
