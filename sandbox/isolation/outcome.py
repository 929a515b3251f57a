"""Turn how a job ended into usage and, without an answer, into one word of the fixed vocabulary (invariant 9)."""

from __future__ import annotations

from sandbox.isolation.jail import Outcome
from sandbox.job import FailureCode, SandboxFailed, Usage


def usage(outcome: Outcome, result_bytes: int) -> Usage:
    """What the kernel and the broker's clock say; only engine_us is the worker's own word."""
    return Usage(
        wall_us=outcome.wall_us,
        cpu_us=outcome.cpu_us,
        peak_memory_bytes=outcome.peak_memory_bytes,
        result_bytes=result_bytes,
        engine_us=min(outcome.reply.engine_us, outcome.wall_us) if outcome.reply else 0,
    )


def require_done(outcome: Outcome, params: dict[str, int]) -> None:
    """Raise SandboxFailed, entered, unless the child did its job in time; `params`: limits that may be told."""
    code = _failure(outcome)
    if code is not None:
        told = {name: value for name, value in params.items() if name in _TOLD.get(code, ())}
        raise SandboxFailed(code, entered=True, params=told, usage=usage(outcome, 0))


_TOLD: dict[FailureCode, tuple[str, ...]] = {
    "sandbox.deadline": ("deadline_ms",),
    "sandbox.memory": ("memory_bytes",),
    "sandbox.too_many_rows": ("max_rows",),
    "sandbox.too_many_bytes": ("max_bytes",),
}
_WORDS: dict[str, FailureCode] = {
    "engine": "sandbox.engine_refused",
    "memory": "sandbox.memory",
    "too_many_rows": "sandbox.too_many_rows",
    "too_many_bytes": "sandbox.too_many_bytes",
    "too_many_steps": "sandbox.too_many_steps",
}


def _failure(outcome: Outcome) -> FailureCode | None:
    if outcome.out_of_memory:
        return "sandbox.memory"
    if outcome.late:
        return "sandbox.deadline"
    if outcome.reply is None:
        return "sandbox.worker_lost"
    return _WORDS.get(outcome.reply.outcome)
