"""Reading a question is free for whoever asks, so it must cost nobody else."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast
from uuid import uuid4

import pytest

from marketplace.accounts.allowance import QUESTION_CHARACTERS, Allowance, Rate
from marketplace.queries import prepare
from marketplace.queries.facts import Facts
from marketplace.queries.understanding import Understanding
from sandbox.job import TableSchema
from sandbox.plan.plan import Plan, plan_query

ASKER: Any = SimpleNamespace(organisation_id=uuid4())


def reading(max_bytes: int) -> Any:
    """Of the services those that read a question."""
    config = SimpleNamespace(sql_max_bytes=max_bytes)
    rate = Rate(per_minute=1, at_once=10**6)
    understanding = Understanding(Allowance(rate, rate, most=9), at_once=1)
    return SimpleNamespace(config=config, understanding=understanding)


async def test_a_long_question_is_read_while_others_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = []

    def read(sql: str, tables: Sequence[TableSchema]) -> Plan:
        readers.append(threading.current_thread())
        return plan_query(sql, tables)

    monkeypatch.setattr(prepare, "plan_query", read)
    facts = cast(Facts, SimpleNamespace(slug="adult", own=()))
    for sql in ("SELECT 1", "SELECT 1" + " " * QUESTION_CHARACTERS):
        await prepare.understand(reading(len(sql)), ASKER, sql, [facts], [None])
    assert [reader is threading.main_thread() for reader in readers] == [True, False]
