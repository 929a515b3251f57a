"""Fields of a sent form. A form reaches a handler only with the session's CSRF token in it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from litestar.datastructures import FormMultiDict, UploadFile

from marketplace.errors import Invalid
from marketplace.web.view import AnyRequest, View

FIELD_CHARACTERS = 100_000
"""More than any field may hold; each verb has its own, smaller bound."""
READ_BYTES = 1024 * 1024


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
        """Raises Invalid when it is not a whole number."""
        try:
            return int(self.text(name).strip())
        except ValueError as error:
            raise wrong(name, "form.integer") from error

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

    def file(self, name: str) -> UploadFile:
        """Raises Invalid when no file was chosen."""
        value = self._fields.get(name)
        if not isinstance(value, UploadFile):
            raise wrong(name, "form.file")
        return value


async def chunks_of(upload: UploadFile) -> AsyncIterator[bytes]:
    """What was sent, piece by piece."""
    while chunk := await upload.read(READ_BYTES):
        yield chunk


def wrong(path: str, code: str, params: Mapping[str, Any] | None = None) -> Invalid:
    """One wrong field."""
    return Invalid(errors=[{"path": path, "code": code, "params": {"path": path, **(params or {})}}])


def _id(name: str, text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise wrong(name, "form.id") from error


async def provide_form(request: AnyRequest, view: View) -> Form:
    """The form of one request. It asks for the view, and so for the check of the CSRF token."""
    return Form(await request.form())
