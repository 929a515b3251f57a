"""Lines of a file as rows that PostgreSQL can COPY, and the list of those that are none."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from itertools import count, islice
from typing import Any

from marketplace.consents.errors import PurposeUnknown
from marketplace.consents.lines import Entry, Lines, LineWrong
from marketplace.consents.rules import Rules
from marketplace.consents.schemas import Fault
from marketplace.consents.subjects import pseudonym
from marketplace.errors import Invalid, Problem
from marketplace.texts import LANGUAGES, message

LINES_AT_ONCE = 50_000
FAULTS_SHOWN = 1_000
"""Wrong lines that are told one by one; the rest is counted."""
STAGED = """
    CREATE TEMPORARY TABLE staged_consent (
        line BIGINT, id UUID, owner_event_id TEXT, subject BYTEA, purpose TEXT, event TEXT, at TIMESTAMPTZ,
        expires_at TIMESTAMPTZ, notice_sha256 BYTEA, notice_language TEXT, notice_version TEXT, evidence TEXT,
        method TEXT, jurisdiction TEXT
    ) ON COMMIT DROP
"""
NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Staging:
    """Reads a file in pieces; what came out of it so far is in its attributes."""

    def __init__(self, lines: Lines, *, rules: Rules, key: bytes) -> None:
        self._lines, self._rules, self._key = lines, rules, key
        self._iterator = iter(lines)
        self._ids = _ids()
        self.events: Counter[str] = Counter()
        self.ran_out: datetime | None = None
        """The earliest expiry that has passed already."""
        self.fault_count = 0
        self.faults: list[Fault] = []

    @property
    def line(self) -> int:
        """The number of the last line that was read."""
        return self._lines.number

    @property
    def staged(self) -> int:
        return self.events.total()

    def next_rows(self) -> bytes | None:
        """Rows for COPY in text form of the next lines; None at the end of the file. For a thread."""
        rows: list[str] = []
        read = 0
        for line in islice(self._iterator, LINES_AT_ONCE):
            read += 1
            try:
                rows.append(self._row(line))
            except LineWrong as wrong:
                self.wrong(self._lines.number, wrong.code, **wrong.params)
        return "".join(rows).encode() if read else None

    def wrong(self, line: int, code: str, **params: Any) -> None:
        """Note a line that is not taken."""
        self.fault_count += 1
        if len(self.faults) < FAULTS_SHOWN:
            said = {language: message(code, params, language) for language in LANGUAGES}
            self.faults.append(Fault(line=line, code=code, params=params, messages=said))

    def _row(self, line: bytes | None) -> str:
        entry = self._lines.read(line)
        self._check(entry)
        subject = pseudonym(self._key, entry.subject).hex()
        row = (
            f"{self._lines.number}\t{next(self._ids)}\t{_text(entry.event_id)}\t\\\\x{subject}\t{entry.purpose}\t"
            f"{entry.event}\t{entry.at.isoformat()}\t{_instant(entry.expires_at)}\t{_hash(entry.notice_sha256)}\t"
            f"{entry.notice_language or NULL}\t{_text(entry.notice_version)}\t{_text(entry.evidence)}\t"
            f"{entry.method or NULL}\t{entry.jurisdiction or NULL}\n"
        )
        self.events[entry.event] += 1
        if entry.expires_at is not None and entry.expires_at <= self._rules.now:
            self.ran_out = min(self.ran_out or entry.expires_at, entry.expires_at)
        return row

    def _check(self, entry: Entry) -> None:
        """Raises LineWrong; what a Problem itself would repeat of the line is left out."""
        try:
            self._rules.check(
                subject=entry.subject,
                purpose=entry.purpose,
                event=entry.event,
                at=entry.at,
                expires_at=entry.expires_at,
            )
        except PurposeUnknown as unknown:
            raise LineWrong("consent.line_purpose", purposes=unknown.params["purposes"]) from None
        except Invalid:
            raise LineWrong("request.unstorable") from None
        except Problem as problem:
            raise LineWrong(problem.code, **problem.params) from None


def _text(value: str | None) -> str:
    if value is None:
        return NULL
    if "\0" in value:
        raise LineWrong("request.unstorable")
    return value.translate(_ESCAPES)


@lru_cache(maxsize=16)  # a file has few different expiries
def _instant(value: datetime | None) -> str:
    return NULL if value is None else value.isoformat()


def _hash(value: str | None) -> str:
    return NULL if value is None else f"\\\\x{value}"


def _ids() -> Iterator[str]:
    """UUIDv7 (RFC 9562) that rise within a file: milliseconds, random bits, then a counter."""
    head = f"{time.time_ns() // 1_000_000:012x}7{secrets.randbits(12):03x}"
    tail = 0x8 << 60 | secrets.randbits(28) << 32
    return (f"{head}{tail | number:016x}" for number in count())
