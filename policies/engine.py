"""The face of this package: one question, one decision, whichever engine answers."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

from msgspec import Struct

from policies.clock import Clock
from policies.decision import Decision, Question
from policies.health import Health
from policies.signing import key_id
from policies.sources import revision
from policies.wasm import WasmEngine


@runtime_checkable  # who is handed one by a framework is checked to be
class Engine(Protocol):
    """Decides. An engine that fails, is late, is stale or is not understood denies; it never raises."""

    @property
    def revision(self) -> str:
        """Of the policy that it decides by."""

    async def decide(self, question: Question) -> Decision:
        """The decision, with every reason and, when allowed, the obligations."""

    async def reload(self) -> None:
        """Decide by the policy that lies there now; nothing is dropped. Raises Unusable: all stays as it was."""

    async def health(self) -> Health:
        """Whether it would decide now, by which revision, and how old that is."""

    async def close(self) -> None:
        """Give back what it holds."""


class Server(Struct, frozen=True, kw_only=True):
    """An OPA server, and what is asked of it. `verification_key`: file of the public key of its bundles."""

    url: str
    timeout_ms: int
    verification_key: Path
    max_age_s: int


def open_engine(server: Server | None) -> Engine:
    """Wasm in this process, or an OPA server. Raises ValueError for an address or a key that is none."""
    if server is None:
        return WasmEngine()
    # Here, because its HTTP client takes a third of a second to import, which few need.
    from policies.server import ServerEngine
    from policies.trust import Trust

    try:
        public = server.verification_key.read_bytes()
    except OSError as error:
        raise ValueError(f"no key to verify the policy with: {error}; python tools/bundle.py makes one") from error
    trust = Trust(revision=revision(), key_id=key_id(public), max_age_s=server.max_age_s, clock=Clock())
    return ServerEngine(server.url, timeout_ms=server.timeout_ms, trust=trust)
