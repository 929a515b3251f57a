"""What a fresh jail says of files, where nothing of them leaves it but its reply."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from catalog.intake import decode_reply
from catalog.limits import IngestLimits
from sandbox.isolation.oneshot import run_once
from sandbox.isolation.runtime import Bind

T = TypeVar("T")
_OUTPUT_BYTES = 1024


def ask_of_files(
    entry: str, order: msgspec.Struct, files: Sequence[Path], kind: type[T], limits: IngestLimits,
    *, extra: tuple[Bind, ...] = (),
) -> T:  # fmt: skip
    """The reply of `entry` ("module:main"), which is given the order and the files, in their order. Blocking.

    Raises SandboxFailed, and PublicationRefused for what is no reply."""
    with ExitStack() as stack:
        opened = [stack.enter_context(path.open("rb")).fileno() for path in files]
        return ask(entry, order, opened, kind, limits, extra=extra)


def ask(
    entry: str, order: msgspec.Struct, descriptors: Sequence[int], kind: type[T], limits: IngestLimits,
    *, extra: tuple[Bind, ...] = (),
) -> T:  # fmt: skip
    """The same of files that are open."""
    done = run_once(
        entry,
        msgspec.msgpack.encode(order),
        descriptors,
        consume=_nothing,
        deadline_ms=limits.deadline_ms,
        memory_bytes=limits.memory_bytes,
        max_output_bytes=_OUTPUT_BYTES,
        threads=limits.threads,
        extra=extra,
    )
    return decode_reply(done.reply, kind)


def _nothing(stream: BinaryIO) -> bytes:
    return stream.read(1)
