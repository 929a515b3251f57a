"""The tag of an event (`marketplace/audit/tag.py`), made by the database: a backlog is put in by one statement."""

from __future__ import annotations

import hashlib

from marketplace.audit.tag import PURPOSE

TAG = "sha256(:outer || sha256(:inner || uuid_send(id) || commitment))"
"""HMAC-SHA-256 (RFC 2104) over columns `id` and `commitment`."""


def pads(key: bytes) -> dict[str, bytes]:
    """What `TAG` asks for. `key`: of `Keys.event_tag`."""
    block = key.ljust(hashlib.sha256().block_size, b"\0")
    return {"inner": bytes(each ^ 0x36 for each in block) + PURPOSE, "outer": bytes(each ^ 0x5C for each in block)}
