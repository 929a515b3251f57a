"""Prove the layers from inside before any query runs: what a child behind them tries must all fail."""

from __future__ import annotations

import msgspec

from sandbox.isolation.layers import Layer, LayerMissing
from sandbox.isolation.oneshot import run_once
from sandbox.job import SandboxFailed

_DEADLINE_MS = 10_000
_MEMORY_BYTES = 256 * 1024 * 1024


def prove() -> None:
    """Try to get out of a jail of the same build; raises LayerMissing naming what went through. Blocks 0.2 s."""
    try:
        done = run_once(
            "sandbox.worker.probe:attempt",
            b"",
            [],
            consume=lambda file: file.read(),
            deadline_ms=_DEADLINE_MS,
            memory_bytes=_MEMORY_BYTES,
            max_output_bytes=1,
        )
        through = msgspec.msgpack.decode(done.reply, type=list[str])
    except (SandboxFailed, msgspec.DecodeError) as error:
        raise LayerMissing((_broken(f"not be asked ({error.__cause__ or error})"),)) from error
    if through:
        raise LayerMissing(tuple(_broken(name) for name in through))


def _broken(attempt: str) -> Layer:
    return Layer(
        name="seccomp",
        present=False,
        mandatory=True,
        found=f"a child could {attempt}",
        how_to_get="this kernel does not hold what it promises: run on Linux 5.14 or newer, not emulated",
    )
