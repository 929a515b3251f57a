"""Messages between broker, warm process (PID 1 of a jail) and child: msgpack of these structs.

The broker trusts none of them: it reads them with these types and their bounds, and nothing else.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from sandbox.worker.refusal import Word

MESSAGE_BYTES = 8_192
DESCRIPTORS = 200
"""Per message; the kernel's own bound is 253."""
REPLY_BYTES = 1_048_576
BATCH_ROWS = 8_192
"""Of an answer's batches, the last apart, at least: each costs the broker as much as thousands of values."""
TIME_TO_REHEARSE = bytes(4)
"""Broker → child, at most once and before its job: the length of no message. Nobody waits now, so that what a
query needs may be done ahead; with somebody waiting it would cost more than it saves."""

Count = Annotated[int, Meta(ge=0, le=2**53)]


class Boot(Struct, frozen=True, kw_only=True, array_like=True):
    """Broker → warm process, once."""

    entry: str
    threads: int
    memory_bytes: int
    warm_program: bytes
    open_program: bytes
    allow_program: bytes
    resource_limits: dict[str, int]
    address_space_bytes: int | None = None
    """Set where no control group bounds the jail."""
    group_bytes: int | None = None
    """What the whole jail may hold where one does."""
    single: bool = False
    large_pages: bool = False
    """Whether the kernel gives them to who asks."""


class Files(Struct, frozen=True, kw_only=True, array_like=True, tag="files"):
    """Broker → warm process: descriptors that child `pid` may open as /fd/<i>.<extension>.

    Meant for one child by its id: it may be dead already, and the next one is another tenant's.
    """

    pid: Count
    count: Count


class Ready(Struct, frozen=True, kw_only=True, array_like=True, tag="ready"):
    """Warm process → broker, with the child's socket and its pidfd."""

    pid: Count


class Ended(Struct, frozen=True, kw_only=True, array_like=True, tag="ended"):
    """Warm process → broker: the kernel's account of a child that is gone."""

    status: int
    cpu_us: Count
    peak_memory_bytes: Count


class Job(Struct, frozen=True, kw_only=True, array_like=True):
    """Broker → child, with descriptors: output first, then inputs. `payload_bytes` bytes follow."""

    payload_bytes: Count
    inputs: Count


class Reply(Struct, frozen=True, kw_only=True, array_like=True):
    """Child → broker; `body_bytes` bytes follow. `outcome` other than done is the child's own word."""

    outcome: Word
    body_bytes: Annotated[int, Meta(ge=0, le=REPLY_BYTES)]
    written_bytes: Count
    engine_us: Count


class Query(Struct, frozen=True, kw_only=True, array_like=True):
    """The payload of a query job. `max_rows` only spares work: the broker counts again."""

    sql: str
    max_rows: int
    threads: int
