"""Consent that runs out while a query runs is written before the query settles, in the real service."""

from __future__ import annotations

import secrets
from datetime import timedelta
from uuid import UUID

import psycopg

from marketplace.db import embedded
from marketplace.db.base import new_id, utcnow
from marketplace.db.roles import SERVICE
from tests.faults.test_underneath import Asking, _running
from tests.market import PURPOSE, Market

PAIRS_SQL = "select count(*) as n from adult a join adult b on a.education <> b.education where a.sex = 'Female'"
GIVEN = """
    insert into consent_event (id, dataset_id, subject, purpose, event, at, expires_at, recorded_at)
    values (%s, %s, %s, %s, 'given', %s, clock_timestamp(), %s)
"""


def _runs_out_now(market: Market) -> bytes:
    """Somebody whose consent ends at this instant; who it is."""
    subject, said = secrets.token_bytes(16), utcnow() - timedelta(days=1)
    row = (new_id(), UUID(market.datasets["adult"]), subject, PURPOSE, said, said)
    with psycopg.connect(embedded.url(market.home, SERVICE)) as connection:
        connection.execute(GIVEN, row)
    return subject


def _words(market: Market, subject: bytes) -> list[str]:
    with psycopg.connect(embedded.url(market.home, SERVICE)) as connection:
        found = connection.execute("select event from consent_event where subject = %s order by at", (subject,))
        return [event for (event,) in found.fetchall()]


def test_it_is_written_before_the_query_that_runs_settles_and_before_the_next_is_decided(market: Market) -> None:
    asking = Asking(market, PAIRS_SQL)
    _running(market)
    meanwhile = _runs_out_now(market)
    assert asking.result()["state"] == "ready", "nobody of adult is named, so no cohort went"
    assert _words(market, meanwhile) == ["given", "expired"]
    before = _runs_out_now(market)
    assert market.client("startup").post("/api/v1/queries", market.ask()).ok
    assert _words(market, before) == ["given", "expired"]
