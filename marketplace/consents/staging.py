"""Lines of a file as rows that PostgreSQL can COPY, and the list of those that are none."""

from __future__ import annotations

import secrets
import time
from collections import Counter
from datetime import datetime
from functools import lru_cache
from itertools import islice
from typing import Any
from uuid import UUID

from msgspec import Struct

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
COLUMNS = """id, subject, purpose, event, at, expires_at, notice_sha256, notice_language, notice_version, evidence,
    method, jurisdiction, owner_event_id, dataset_id, recorded_by, recorded_at"""
"""Of a row for COPY."""
NULL = "\\N"
_LINE = 0xFFFF_FFFF
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


class Piece(Struct, frozen=True):
    """Rows for COPY, in text form; `after`: all of them have higher ids, and no row before."""

    rows: bytes
    count: int
    after: UUID


class Staging:
    """Reads a file in pieces; what came out of it so far is in its attributes."""

    def __init__(self, lines: Lines, *, rules: Rules, key: bytes, dataset_id: UUID, by: UUID) -> None:
        self._lines, self._rules, self._key = lines, rules, key
        self._iterator = iter(lines)
        self._head, self._tail = _ids()
        self._same = f"{dataset_id}\t{by}\t{rules.now.isoformat()}\n"
        self.events: Counter[str] = Counter()
        self.ran_out: datetime | None = None
        """The earliest expiry that has passed already."""
        self.fault_count = 0
        self.faults: list[Fault] = []

    @property
    def now(self) -> datetime:
        """When all of it is recorded."""
        return self._rules.now

    @property
    def staged(self) -> int:
        return self.events.total()

    def next_piece(self) -> Piece | None:
        """The next lines; None at the end of the file. For a thread."""
        rows: list[str] = []
        read, after = 0, UUID(self._id(self._lines.number))
        for line in islice(self._iterator, LINES_AT_ONCE):
            read += 1
            try:
                rows.append(self._row(line))
            except LineWrong as wrong:
                self.wrong(self._lines.number, wrong.code, **wrong.params)
        return Piece("".join(rows).encode(), len(rows), after) if read else None

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """Between which the ids of all its events are."""
        return UUID(self._id(0)), UUID(self._id(_LINE))

    def line_of(self, event_id: UUID) -> int:
        """The line of which an event was made."""
        return event_id.int & _LINE

    def _id(self, line: int) -> str:
        return f"{self._head}{self._tail | line:016x}"

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
            f"{self._id(self._lines.number)}\t\\\\x{subject}\t{entry.purpose}\t"
            f"{entry.event}\t{entry.at.isoformat()}\t{_instant(entry.expires_at)}\t{_hash(entry.notice_sha256)}\t"
            f"{entry.notice_language or NULL}\t{_text(entry.notice_version)}\t{_text(entry.evidence)}\t"
            f"{entry.method or NULL}\t{entry.jurisdiction or NULL}\t{_text(entry.event_id)}\t{self._same}"
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
    # Hardly any text has one of these, and translate() looks at every character of those that have none.
    if "\\" in value or "\t" in value or "\n" in value or "\r" in value:
        return value.translate(_ESCAPES)
    return value


@lru_cache(maxsize=16)  # a file has few different expiries
def _instant(value: datetime | None) -> str:
    return NULL if value is None else value.isoformat()


def _hash(value: str | None) -> str:
    return NULL if value is None else f"\\\\x{value}"


def _ids() -> tuple[str, int]:
    """The halves of UUIDv7 (RFC 9562) that rise within a file: milliseconds, random bits, last the line."""
    head = f"{time.time_ns() // 1_000_000:012x}7{secrets.randbits(12):03x}"
    return head, 0x8 << 60 | secrets.randbits(28) << 32
