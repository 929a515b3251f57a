"""Fields of a sent form. A form reaches a handler only with the session's CSRF token in it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from litestar.datastructures import FormMultiDict, UploadFile

from marketplace.errors import Invalid
from marketplace.web.view import AnyRequest, View

T = TypeVar("T")
FIELD_CHARACTERS = 100_000
"""More than any field may hold; each verb has its own, smaller bound."""
READ_BYTES = 1024 * 1024
_DIGITS = re.compile(r"[0-9]{1,18}")
_GROUPED = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+|[0-9]{1,3}(,[0-9]{3})+")
_MARKS = re.compile(r"[.,]")


class Form:
    """Text fields of one form; absent ones read as empty."""

    def __init__(self, fields: FormMultiDict) -> None:
        self._fields = fields

    def text(self, name: str) -> str:
        """The field as sent, lines ended by \\n. Raises Invalid when it is a file or absurdly long."""
        value = self._fields.get(name, "")
        if not isinstance(value, str) or len(value) > FIELD_CHARACTERS:
            raise wrong(name, "form.text")
        return value.replace("\r\n", "\n")

    def integer(self, name: str) -> int:
        """Also with marks between thousands: 500.000, 500,000. Raises Invalid when it is not a whole number."""
        return whole(name, self.text(name).strip())

    def day(self, name: str) -> date | None:
        """None when empty. Raises Invalid when it is not a day (YYYY-MM-DD)."""
        text = self.text(name).strip()
        try:
            return date.fromisoformat(text) if text else None
        except ValueError as error:
            raise wrong(name, "form.day") from error

    def id(self, name: str) -> UUID:
        """Raises Invalid when it is not an id."""
        return _id(name, self.text(name))

    def optional_id(self, name: str) -> UUID | None:
        """None when empty. Raises Invalid when it is not an id."""
        return self.id(name) if self.text(name) else None

    def ids(self, name: str) -> tuple[UUID, ...]:
        """All values of a repeated field. Raises Invalid when one is not an id."""
        return tuple(_id(name, str(value)) for value in self._fields.getall(name, []))

    def texts(self, name: str) -> tuple[str, ...]:
        """All values of a repeated field."""
        return tuple(str(value) for value in self._fields.getall(name, []))

    def typed(self) -> dict[str, str]:
        """What stood in its fields, for the same form with what was wrong; of a repeated one the last."""
        return {name: value for name, value in self._fields.multi_items() if isinstance(value, str)}

    def file(self, name: str) -> UploadFile:
        """Raises Invalid when no file was chosen."""
        value = self._fields.get(name)
        if not isinstance(value, UploadFile):
            raise wrong(name, "form.file")
        return value


def whole(name: str, text: str) -> int:
    """A whole number of at most 18 digits, also with marks between thousands. Raises Invalid."""
    digits = text.removeprefix("-")
    if _GROUPED.fullmatch(digits):
        digits = digits.replace(".", "").replace(",", "")
    if not _DIGITS.fullmatch(digits):
        raise wrong(name, "form.integer")
    return -int(digits) if text.startswith("-") else int(digits)


def fraction(name: str, text: str, *, decimals: int) -> Decimal:
    """Not below zero, its decimals behind a comma or a point. Raises Invalid, also for 1.000, which is a thousand
    to one reader and one to another; 1.000.000 is a million to both."""
    if _GROUPED.fullmatch(text) and not text.startswith("0"):
        if len(_MARKS.findall(text)) == 1:
            raise wrong(name, "form.thousands")
        return Decimal(whole(name, text))
    before, _, after = text.replace(",", ".").partition(".")
    if not _DIGITS.fullmatch(before) or not (after == "" or _DIGITS.fullmatch(after)) or len(after) > decimals:
        raise wrong(name, "form.integer")
    return Decimal(f"{before}.{after}")


async def chunks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    """What was sent, piece by piece."""
    while chunk := await upload.read(READ_BYTES):
        yield chunk


def wrong(path: str, code: str, params: Mapping[str, Any] | None = None) -> Invalid:
    """One wrong field."""
    return Invalid(errors=[{"path": path, "code": code, "params": {"path": path, **(params or {})}}])


def fitting(told: object, kind: type[T], *, code: str = "form.text") -> T:
    """A form's fields as what a verb takes. Raises Invalid naming the one that does not fit."""
    try:
        return msgspec.convert(told, kind)
    except msgspec.ValidationError as error:
        place = re.search(r"`\$[^`]*\.(\w+)[^.`]*`$", str(error))  # … - at `$.terms.tiers[0].from_query`
        raise wrong(place[1] if place else "", code) from error


def _id(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise wrong(name, "form.id") from error


async def provide_form(request: AnyRequest, view: View) -> Form:
    """The form of one request. It asks for the view, and so for the check of the CSRF token."""
    return Form(await request.form())
