"""Tables on their way in: nobody's crowd keeps others out, and nobody waits for ever."""

from __future__ import annotations

import http.client
import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Analyst
from marketplace.config import Config
from marketplace.db.engine import Database
from marketplace.db.keys import Keys
from marketplace.own import adding
from marketplace.own.errors import TablesBusy
from tests.market import Market
from tests.marketplace.parties import Make

SIZE = 50_000_000


def begun(market: Market) -> http.client.HTTPConnection:
    """An upload whose body does not come."""
    connection = http.client.HTTPConnection("127.0.0.1", market.port, timeout=60)
    connection.putrequest("POST", "/api/v1/tables")
    connection.putheader("Authorization", f"Bearer {market.parties.tokens['startup']}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=b")
    connection.putheader("Content-Length", str(SIZE))
    connection.endheaders()
    return connection


def _received(market: Market) -> int:
    return len(list((market.home / "uploads").glob("*"))) if (market.home / "uploads").exists() else 0


def test_a_third_upload_is_refused_before_its_body_and_another_organisations_is_taken(
    several: Market,
) -> None:
    slow = [begun(several) for _ in range(2)]
    try:
        while _received(several) < len(slow):
            time.sleep(0.02)
        with closing(begun(several)) as third:
            refused = third.getresponse()
            assert (refused.status, json.loads(refused.read())["code"]) == (429, "table.too_many_uploads")
            assert int(refused.headers["Retry-After"]) > 0
        # Read and found empty: it had its seat and its turn.
        rival = httpx.post(
            f"{several.url}/api/v1/tables", data={"name": "cua_doi_thu"}, files={"file": ("t.csv", b"")},
            headers={"Authorization": f"Bearer {several.parties.tokens['rival']}"}, timeout=60,
        )  # fmt: skip
        assert (rival.status_code, rival.json()["code"]) == (422, "ingest.empty")
    finally:
        for each in slow:
            each.close()
    while _received(several):
        time.sleep(0.02)


async def test_one_waits_for_its_turn_so_long_and_no_longer(
    session: AsyncSession, make: Make, config: Config, database: Database, tmp_path: Path
) -> None:
    startup = cast(Analyst, await make.caller(session, as_type=Analyst))
    (source := tmp_path / "source").write_bytes(b"a\n1\n")
    asked: dict[str, Any] = {"name": "t", "source": source, "by": startup, "key": None}
    async with adding._ONE_BY_ONE:
        with pytest.raises(TablesBusy) as busy:
            await adding.take_in(database, Keys(tmp_path), replace(config, own_table_wait_max_s=0), **asked)
    assert int(busy.value.headers["Retry-After"]) > 0
    assert not adding._ONE_BY_ONE.locked()
