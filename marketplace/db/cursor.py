"""Opaque cursors of pages: the sort key of the last row shown, so that pages neither skip nor repeat."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

import msgspec

from marketplace.errors import Invalid

PAGE_ROWS = 50

K = TypeVar("K")


def encode_cursor(*key: object) -> str:
    """URL-safe text of a sort key (numbers, strings, ids, instants)."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def decode_cursor(text: str, kind: type[K]) -> K:
    """The sort key again, as the tuple type `kind`. Raises Invalid for anything we did not give out."""
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, binascii.Error, ValueError) as e:
        raise Invalid(errors=[{"path": "cursor", "code": "request.cursor", "params": {}}]) from e


def cut(rows: Sequence[K], limit: int) -> tuple[Sequence[K], K | None]:
    """Of limit + 1 rows read: those to show, and the last one shown if there are more after it."""
    return (rows[:limit], rows[limit - 1]) if len(rows) > limit else (rows, None)
