"""A clock behind what the log has recorded: nothing is decided by it."""

from __future__ import annotations

from tests.market import Market

AN_HOUR_AHEAD = "-3600000"


def test_a_clock_that_is_behind_the_log_refuses_queries_and_says_so(alive: Market) -> None:
    """The clock itself cannot be set here: it is asked to be an hour ahead of the log, which it is not."""
    alive.stop()
    alive.start_unready(SANDULIEU_CLOCK_BACK_MAX_MS=AN_HOUR_AHEAD)
    answer = alive.client("startup").post("/api/v1/queries", alive.ask())
    assert (answer.status, answer.json()["code"]) == (503, "query.clock_set_back")
    ready = alive.client(None).get("/readyz")
    assert (ready.status, ready.json()["clock"], ready.json()["policy_engine"]) == (503, False, True)
