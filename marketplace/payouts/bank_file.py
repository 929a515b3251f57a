"""The port to a domestic bank: one file of transfers out, one file of notices back (docs/bills.md has the format).

Lines of fields with commas, ended by CR LF, ASCII. The last line tells how many there are, their sum, and the
SHA-256 of every byte before it, so a file that was cut, changed or sent twice is known for it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Literal

from msgspec import Struct

from marketplace.payouts.errors import FileUnreadable

OUT, BACK = "SDL1", "SDL1R"
NAME_CHARACTERS = 70
FIELD_CHARACTERS = 200
AMOUNT_MOST_VND = 10**15
FILE_BYTES = 2 * 1024 * 1024


class Instruction(Struct, frozen=True, kw_only=True):
    """One transfer that the bank is asked for."""

    reference: str
    bank_code: str
    account_number: str
    holder: str
    amount_vnd: int


class Notice(Struct, frozen=True, kw_only=True):
    """What the bank says of one transfer; `bank_reference` is its own number of that."""

    bank_reference: str
    reference: str
    status: Literal["PAID", "RETURNED"]
    amount_vnd: int
    booked_on: date
    reason: str


def transfers_file(batch: str, instructions: Sequence[Instruction]) -> bytes:
    """The same batch is always the same bytes."""
    rows = [
        ("D", str(n), one.reference, one.bank_code, one.account_number, plain_name(one.holder),
         str(one.amount_vnd))
        for n, one in enumerate(instructions, start=1)
    ]  # fmt: skip
    return _sealed(("H", OUT, batch), rows, sum(one.amount_vnd for one in instructions))


def notices_file(name: str, notices: Sequence[Notice]) -> bytes:
    """As a bank writes it: for those who play the bank."""
    rows = [
        ("D", one.bank_reference, one.reference, one.status, str(one.amount_vnd), one.booked_on.isoformat(),
         plain_name(one.reason))
        for one in notices
    ]  # fmt: skip
    return _sealed(("H", BACK, name), rows, sum(one.amount_vnd for one in notices))


def read_notices(content: bytes) -> tuple[Notice, ...]:
    """Raises FileUnreadable, naming the line, unless the file is whole and every line is understood."""
    if len(content) > FILE_BYTES:
        raise _wrong(0, "too_long")
    body, seal = _split(content)
    try:
        rows = list(csv.reader(io.StringIO(body.decode("ascii", "replace"), newline="")))
    except csv.Error as e:
        raise _wrong(0, "fields") from e
    if not rows or rows[0][:2] != ["H", BACK]:
        raise _wrong(1, "header")
    notices = tuple(_notice(n, row) for n, row in enumerate(rows[1:], start=2))
    told = ["T", str(len(notices)), str(sum(one.amount_vnd for one in notices)), hashlib.sha256(body).hexdigest()]
    if seal != told:
        raise _wrong(len(rows) + 1, "seal")
    return notices


def plain_name(name: str) -> str:
    """As banks carry names: capital letters without marks, digits, spaces; nothing that a spreadsheet runs."""
    folded = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    kept = "".join(char if char.isascii() and char.isalnum() else " " for char in folded if not _mark(char))
    return " ".join(kept.upper().split())[:NAME_CHARACTERS]


def _mark(char: str) -> bool:
    return unicodedata.category(char) == "Mn"


def _sealed(head: Sequence[str], rows: Iterable[Sequence[str]], total_vnd: int) -> bytes:
    kept = list(rows)
    body = _lines([head, *kept])
    return body + _lines([("T", str(len(kept)), str(total_vnd), hashlib.sha256(body).hexdigest())])


def _lines(rows: Iterable[Sequence[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode("ascii")


def _split(content: bytes) -> tuple[bytes, list[str]]:
    """All before the last line, and the fields of that."""
    if not content.endswith(b"\r\n"):
        raise _wrong(0, "cut")
    start = content.rfind(b"\r\n", 0, -2) + 2
    return content[:start], content[start:-2].decode("ascii", "replace").split(",")


def _notice(line: int, row: Sequence[str]) -> Notice:
    try:
        mark, bank_reference, reference, status, amount, booked_on, reason = row
        found = Notice(
            bank_reference=bank_reference,
            reference=reference,
            status="PAID" if status == "PAID" else "RETURNED",
            amount_vnd=int(amount),
            booked_on=date.fromisoformat(booked_on),
            reason=reason,
        )
    except ValueError as e:
        raise _wrong(line, "fields") from e
    if mark != "D" or status not in ("PAID", "RETURNED") or not bank_reference:
        raise _wrong(line, "fields")
    if not 0 < found.amount_vnd <= AMOUNT_MOST_VND or not all(
        len(each) <= FIELD_CHARACTERS and each.isprintable() for each in row
    ):
        raise _wrong(line, "fields")
    return found


def _wrong(line: int, why: str) -> FileUnreadable:
    return FileUnreadable(line=line, why=why)
