"""Who recorded an event: a process that holds a key of the home, or somebody who only writes to the database.

The tag (HMAC-SHA-256) lies beside the event while it waits for its leaf and goes with that: from then on the log
itself holds the event, and neither erasure nor archive nor a new key has to do with tags.
"""

from __future__ import annotations

import hmac
from uuid import UUID

PURPOSE = b"sandulieu event/1\n"


def tagged(event_id: UUID, commitment: bytes) -> bytes:
    """What the tag of an event is over."""
    return PURPOSE + event_id.bytes + commitment


def event_tag(key: bytes, event_id: UUID, commitment: bytes) -> bytes:
    """The tag (32 bytes)."""
    return hmac.digest(key, tagged(event_id, commitment), "sha256")


def is_ours(key: bytes, event_id: UUID, commitment: bytes | None, tag: bytes | None) -> bool:
    """Whether whoever recorded the event held the key. Without a commitment there is no event."""
    if commitment is None or tag is None:
        return False
    return hmac.compare_digest(tag, event_tag(key, event_id, commitment))
