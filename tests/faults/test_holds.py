"""What fails on the way into the exchange or out of it leaves no place taken, no hold standing, nobody charged."""

from __future__ import annotations

from tests.market import Market


def test_a_query_whose_answer_has_no_key_leaves_its_place_to_the_next(alive: Market) -> None:
    alive.stop()
    alive.start(SANDULIEU_SANDBOX_JAILS="1")
    key = alive.home / "keys" / "answer-seal"
    aside = key.rename(key.with_name("aside")) if key.exists() else None
    key.mkdir()
    ask = alive.client("startup").post
    try:
        before = alive.balance()
        assert ask("/api/v1/queries", alive.ask()).status == 500
    finally:
        key.rmdir()
        if aside is not None:
            aside.rename(key)
    assert alive.balance() == before
    assert ask("/api/v1/queries", alive.ask(wait_s=5)).json()["state"] == "ready"
