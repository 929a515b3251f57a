"""Receiving a publication: to a file of its own, bounded, gone afterwards, and refused in words."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from litestar import Request, post

from marketplace.config import Config
from marketplace.listings.uploads import TEXT_BYTES, receive
from tests.conftest import ClientFor
from tests.marketplace.api import Client

MAX_BYTES = 3_000_000


@post("/receive")
async def take(request: Request[Any, Any, Any], config: Config) -> dict[str, Any]:
    """What arrived, as the broker would find it."""
    async with receive(request, folder=config.path("uploads"), max_bytes=MAX_BYTES) as upload:
        data = upload.source.read_bytes()
        return {
            "manifest": upload.text,
            "bytes": len(data),
            "hex": data[:8].hex(),
            "at": str(upload.source),
        }


@pytest.fixture
async def client(client_for: ClientFor) -> AsyncIterator[Client]:
    async with client_for(take) as opened:
        yield opened


def _left(config: Config) -> list[Path]:
    return list(config.path("uploads").iterdir()) if config.path("uploads").exists() else []


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, MAX_BYTES])
async def test_both_parts_arrive_whole_and_the_file_is_removed(client: Client, config: Config, size: int) -> None:
    data = secrets.token_bytes(size)
    answer = await client.post("/receive", files={"manifest": ("m.yaml", "k: số"), "file": ("d.csv", data)})
    got = answer.json()
    assert (got["manifest"], got["bytes"], got["hex"]) == ("k: số", size, data[:8].hex())
    assert Path(got["at"]).is_relative_to(config.home)
    assert _left(config) == []


async def test_the_manifest_may_be_a_plain_field(client: Client) -> None:
    answer = await client.post("/receive", data={"manifest": "k: 1"}, files={"file": b"a,b"})
    assert answer.json()["manifest"] == "k: 1"


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("manifest", b"k: 1")], "upload.part_missing"),
        ([("file", b"a")], "upload.part_missing"),
        ([("manifest", b"k: 1"), ("file", b"a"), ("file", b"b")], "upload.twice"),
        ([("manifest", b"\xff\xfe"), ("file", b"a")], "upload.not_utf8"),
        ([("manifest", b"x" * (TEXT_BYTES + 1)), ("file", b"a")], "upload.manifest_too_long"),
    ],
)
async def test_wrong_parts_are_refused(
    client: Client, config: Config, files: list[tuple[str, bytes]], code: str
) -> None:
    answer = await client.post("/receive", files=[(name, (name, data)) for name, data in files])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)
    assert _left(config) == []


async def test_what_is_not_multipart_is_refused(client: Client) -> None:
    answers = [
        await client.post("/receive", json={"manifest": "k: 1"}),
        await client.post("/receive", content=b"junk", headers={"Content-Type": "multipart/form-data"}),
        await client.post(
            "/receive", content=b"junk", headers={"Content-Type": "multipart/form-data; boundary=b"}
        ),
        await client.post(
            "/receive",
            content=b'--b\r\nContent-Disposition: form-data; name="file"\r\n\r\ncut off',
            headers={"Content-Type": "multipart/form-data; boundary=b"},
        ),
    ]
    assert [(a.status_code, a.json()["errors"][0]["code"]) for a in answers] == [(400, "upload.multipart")] * 4


@pytest.mark.parametrize("excess", [1, 2_000_000])
async def test_too_large_is_refused(client: Client, config: Config, excess: int) -> None:
    """One byte too many is found while it streams, much too much by the header before anything is read."""
    answer = await client.post("/receive", files={"manifest": b"k: 1", "file": b"\0" * (MAX_BYTES + excess)})
    assert (answer.status_code, answer.json()["code"]) == (413, "upload.too_large")
    assert _left(config) == []
