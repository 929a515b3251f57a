"""The policy compiled to WebAssembly, in this process: no port, no second program, about 0.3 ms a decision."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import msgspec
from msgspec import Struct
from opapywasm import UNDEFINED, OpaWasmError, OpaWasmPolicy, PolicyConfig, runtime

from policies.answer import Asked, canonical, decision_of, denial, denied
from policies.decision import Decision, Question
from policies.fit import MAX_BYTES, unfit
from policies.health import Health
from policies.sources import FOLDER, data, revision

logger = logging.getLogger(__name__)

NAME = "opa-wasm"
WASM = FOLDER / "policy.wasm"
BUILT = FOLDER / "policy.json"
MAX_MEMORY_PAGES = 1024
INITIAL_MEMORY_PAGES = 8
runtime._DEFAULT_MEMORY_PAGES = INITIAL_MEMORY_PAGES
"""The library lends a module two pages (128 KiB) at first and has no setting; our METADATA needs more."""


class Built(Struct, frozen=True, kw_only=True):
    """What `policies.build` wrote beside the module: which sources it was made of, and its own hash."""

    revision: str
    sha256: str


class WasmEngine:
    """One instance, lent to one decision at a time."""

    def __init__(self, *, wasm: Path = WASM, built: Path = BUILT) -> None:
        module = wasm.read_bytes()
        stamp = msgspec.json.decode(built.read_bytes(), type=Built)
        self.revision = revision()
        self._stale = (stamp.revision, stamp.sha256) != (self.revision, hashlib.sha256(module).hexdigest())
        self._served = stamp.revision
        self._policy = OpaWasmPolicy.from_wasm_bytes(
            module,
            PolicyConfig(
                pool_size=1,
                max_input_bytes=MAX_BYTES,
                max_memory_pages=MAX_MEMORY_PAGES,
                parse_raw_json_input=False,
            ),
        )
        self._policy.set_data(msgspec.json.encode(data(), order="deterministic"))

    async def decide(self, question: Question) -> Decision:
        """Takes well under a millisecond, so it runs in the event loop. Never raises: errors deny."""
        return await self.answer(question.entrypoint, canonical(question))

    async def answer(self, entrypoint: str, document: bytes) -> Decision:
        """The decision on a question that is JSON already."""
        asked = Asked(canonical=document, engine=NAME, revision=self.revision)
        if self._stale:
            return denial("policy.stale", asked, served=self._served, expected=self.revision)
        reason = unfit(document)
        if reason is not None:
            return denied(reason, asked)
        try:
            said = self._policy.evaluate(document, entrypoint)
        except OpaWasmError as error:
            logger.warning("the policy's module failed: %s", error)
            return denial("policy.engine_failed", asked)
        return denial("policy.undefined", asked) if said is UNDEFINED else decision_of(said, asked)

    async def health(self) -> Health:
        """Whether the module is the one that these sources make."""
        return Health(revision=self.revision, code="policy.stale" if self._stale else None)

    async def close(self) -> None:
        """Free the instance."""
        self._policy.close()
