"""Canonical JSON of what the log commits to (docs/verify.md): RFC 8785 with integers as the only numbers.

Keys sorted, no spaces, UTF-8; instants are integer milliseconds, ids lower-case text, bytes hex. A fraction, or an
integer of 2^53 or more, is written as text: PostgreSQL, Python and JavaScript differ on how to print them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic")


def plain(value: Any) -> Any:
    """`value` as dicts, lists, text, integers, booleans and None. Raises TypeError for what has no such form."""
    # The common kinds first, by identity: this runs over every decision that is settled.
    kind = type(value)
    if kind is str:
        return _text(value)
    if value is None or kind is bool:
        return value
    if kind is int:
        return value if abs(value) < 2**53 else str(value)
    if kind is dict:
        return {_text(str(key)): plain(each) for key, each in value.items()}
    if kind is list or kind is tuple:
        return [plain(each) for each in value]
    return _rarer(value)


def _rarer(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case bytes():
            return value.hex()
        case datetime():
            # Here: a receipt, which holds none, is verified without waiting for SQLAlchemy.
            from marketplace.db.base import ms_of

            return ms_of(value)
        case float():
            return repr(value)
        case set() | frozenset():
            return sorted((plain(each) for each in value), key=exact)
        case msgspec.Struct():
            return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
        case Mapping():
            return plain(dict(value))
    raise TypeError(f"{type(value).__name__} has no canonical form")


def canonical(value: Any) -> bytes:
    """Canonical JSON of `value`, which is made plain first."""
    return exact(plain(value))


def exact(value: Any) -> bytes:
    """Canonical JSON of what was read from JSON, nothing made plain: what is not canonical gives other bytes."""
    return _encoder.encode(value)


def _text(value: str) -> str:
    # PostgreSQL's jsonb holds neither NUL nor half of a surrogate pair.
    if value.isascii() and "\0" not in value:
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
