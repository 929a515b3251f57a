"""The face of this package: one question, one decision, whichever engine answers."""

from __future__ import annotations

from typing import Protocol

from policies.decision import Decision, Question
from policies.wasm import WasmEngine


class Engine(Protocol):
    """Decides. An engine that fails, is late, is stale or is not understood denies; it never raises."""

    revision: str

    async def decide(self, question: Question) -> Decision:
        """The decision, with every reason and, when allowed, the obligations."""

    async def healthy(self) -> bool:
        """Whether it would answer now, with this revision."""

    async def close(self) -> None:
        """Give back what it holds."""


def open_engine(opa_url: str | None, timeout_ms: int) -> Engine:
    """Wasm in this process, or the OPA server at `opa_url`, waited for at most `timeout_ms`."""
    if opa_url is None:
        return WasmEngine()
    # Here, because its HTTP client takes a third of a second to import, which few need.
    from policies.server import ServerEngine

    return ServerEngine(opa_url, timeout_ms=timeout_ms)
