"""Which part of an answer a request asks for: RFC 9110 §14, one range of bytes."""

from __future__ import annotations

import re
from collections.abc import Mapping

from marketplace.queries.errors import RangeNotSatisfiable

_ONE = re.compile(r"bytes=\s*(?:(\d{1,18})-(\d{1,18})?|-(\d{1,18}))\s*")


def asks_for_part(headers: Mapping[str, str], etag: str) -> bool:
    """Whether a range that we understand is asked for, of the very bytes that the client has (If-Range).

    What is not understood (other units, several ranges) is ignored, as the RFC allows: the whole answer follows.
    """
    condition = headers.get("if-range")
    return _ONE.fullmatch(headers.get("range", "")) is not None and condition in (None, etag)


def part_of(header: str, size_bytes: int) -> tuple[int, int]:
    """First byte and the one behind the last. Raises RangeNotSatisfiable."""
    found = _ONE.fullmatch(header)
    assert found is not None  # `asks_for_part` said so
    first, last, tail = found.groups()
    if first is None:
        start, stop = max(0, size_bytes - int(tail)), size_bytes
    else:
        start, stop = int(first), min(size_bytes, int(last) + 1 if last else size_bytes)
    # A last byte before the first one makes the header invalid; nothing of it can be given either way.
    if start >= stop:
        raise RangeNotSatisfiable(headers={"Content-Range": f"bytes */{size_bytes}"}, size_bytes=size_bytes)
    return start, stop
