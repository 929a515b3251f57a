"""A long log without its years: events and leaves made up, for tests of search and its bench."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import msgspec
import psycopg

STARTUPS, OWNERS, DATASETS = 200, 40, 400
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_S = 365 * 86_400
CHUNK = 20_000
PURPOSES = ("research.academic", "research.health", "product.rnd", "public.service", "fraud.prevention")
CODES = ("agreement.expired", "agreement.purpose", "consent.none", "money.short", "columns.not_agreed")
NAMES = (
    ("query:settle", 700), ("query:deny", 150), ("query:fetch", 60), ("person:sign_in", 50), ("quote:deny", 25),
    ("consent:withdraw", 10), ("agreement:end", 4), ("wallet:credit", 1),
)  # fmt: skip
PRICES = (1_000, 1_200, 2_500, 7_000, 40_000, 1_000_000)
TITLES = ("Dân số", "Thu nhập hộ gia đình", "Khám chữa bệnh", "Giáo dục phổ thông", "Giao thông đô thị")
RARE_EVERY = 100_000
"""One event in so many tells of something that no other does."""


class Row(NamedTuple):
    """One event as the filter of a test sees it."""

    id: UUID
    at: datetime
    name: str
    person: UUID
    parties: tuple[UUID, ...]
    dataset: UUID | None
    agreement: UUID | None
    query: UUID | None
    purpose: str | None
    price_vnd: int | None
    body: dict[str, object]


def numbered(kind: str, number: int) -> UUID:
    """The id of the n-th thing of a kind."""
    return UUID(bytes=kind.encode()[:4].ljust(4, b"-") + b"\0\0\x70\0\x80\0\0\0" + number.to_bytes(4, "big"))


def rows(count: int, *, first: int = 0, seed: int = 0) -> Iterator[Row]:
    """The events from `first` on, spread over a year; their order in time is nearly that of the log."""
    chance = random.Random(seed + first)
    names = chance.choices([name for name, _ in NAMES], [weight for _, weight in NAMES], k=count)
    for n, name in enumerate(names, first):
        yield _row(chance, n, name, timedelta(seconds=YEAR_S * (n - first) / count))


def fill(url: str, events: Iterator[Row], *, first_leaf: int = 0) -> int:
    """Write events with the leaves from `first_leaf` on; how many."""
    written = 0
    with psycopg.connect(url) as connection:
        connection.execute("SET synchronous_commit = off")
        connection.execute("SET session_replication_role = replica")  # no look-up of what was written just before
        while chunk := list(islice(events, CHUNK)):
            _copy(connection, chunk, first_leaf + written)
            connection.commit()
            written += len(chunk)
    return written


def _row(chance: random.Random, n: int, name: str, since: timedelta) -> Row:
    startup, number = _skewed(chance, STARTUPS), _skewed(chance, DATASETS)
    about = name.partition(":")[0] in ("query", "quote", "agreement", "consent")
    asks = name.startswith(("query", "quote"))
    parties = [numbered("star", startup)] + ([numbered("owne", number % OWNERS)] if about else [])
    body: dict[str, object] = {"note": f"{TITLES[number % len(TITLES)]} bộ {number}"} if about else {}
    if name in ("query:settle", "query:deny", "quote:deny"):
        body |= _decided(chance, name)
    if n % RARE_EVERY == 7:
        body["reason"] = "Đính chính số liệu hiếm gặp"
    return Row(
        id=UUID(int=(0x0190 << 112) | (n << 72) | (7 << 76) | (2 << 62) | chance.getrandbits(60)),
        at=BEGAN + since + timedelta(milliseconds=chance.randrange(40)),
        name=name,
        person=numbered("pers", startup * 5 + chance.randrange(5)),
        parties=tuple(parties),
        dataset=numbered("data", number) if about else None,
        agreement=numbered("agre", startup * DATASETS + number) if asks else None,
        query=UUID(int=chance.getrandbits(128)) if asks else None,
        purpose=PURPOSES[(startup + number) % len(PURPOSES)] if asks else None,
        price_vnd=chance.choice(PRICES) if name == "query:settle" else 0 if asks else None,
        body=body,
    )


def _skewed(chance: random.Random, count: int) -> int:
    """A few are met often, most seldom."""
    return int(count * chance.random() ** 3)


def _decided(chance: random.Random, name: str) -> dict[str, object]:
    allow = name == "query:settle"
    reasons = [] if allow else [{"code": chance.choice(CODES), "severity": "deny", "params": {}}]
    obligations = {"mode": "rows", "columns": ["age", "education", "sex"], "k_min": 10, "max_rows": 10_000}
    usage = {"wall_us": 5_000, "cpu_us": 7_000, "rows": 16, "bytes": 100_000}
    decision = {"allow": allow, "reasons": reasons, "obligations": obligations if allow else None}
    return {"decision": decision, "usage": usage, "result_sha256": f"{chance.getrandbits(256):064x}"}


def _copy(connection: psycopg.Connection, chunk: list[Row], first_leaf: int) -> None:
    event = "id, at, name, actor_person_id, actor_organisation_id, parties, dataset_id, agreement_id, query_id,"
    with connection.cursor() as cursor:
        with cursor.copy(f"COPY event ({event} purpose, price_vnd, body, commitment) FROM STDIN".encode()) as copy:
            copy.write("".join(map(_event_line, chunk)))
        with cursor.copy(b"COPY event_salt (event_id, salt) FROM STDIN") as copy:
            copy.write("".join(f"{row.id}\t\\\\x{row.id.hex}\n" for row in chunk))
        with cursor.copy(b"COPY audit_leaf (index, event_id, data) FROM STDIN") as copy:
            copy.write(
                "".join(f"{leaf}\t{row.id}\t\\\\x{_leaf(row)}\n" for leaf, row in enumerate(chunk, first_leaf))
            )


def _leaf(row: Row) -> str:
    return b'{"c":"%s","l":"%s"}'.replace(b"%s", row.id.hex.encode()).hex()


def _event_line(row: Row) -> str:
    parties = "{" + ",".join(map(str, row.parties)) + "}"
    body = msgspec.json.encode(row.body).decode().replace("\\", "\\\\")
    cells = (row.id, row.at.isoformat(), row.name, row.person, row.parties[0], parties, row.dataset, row.agreement,
             row.query, row.purpose, row.price_vnd, body, f"\\\\x{row.id.hex * 2}")  # fmt: skip
    return "\t".join("\\N" if cell is None else str(cell) for cell in cells) + "\n"
