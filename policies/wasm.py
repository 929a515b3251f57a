"""The policy compiled to WebAssembly, in this process: no port, no second program, about 0.3 ms a decision."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from opapywasm import UNDEFINED, OpaWasmError

from policies.answer import Asked, canonical, decision_of, denial, denied
from policies.decision import Decision, Question, Reason
from policies.fit import unfit
from policies.health import Health
from policies.module import Module, Unusable, load
from policies.sources import FOLDER, revision_of

logger = logging.getLogger(__name__)

NAME = "opa-wasm"


class WasmEngine:
    """A module that cannot be used denies; the service stands, and says so."""

    def __init__(self, *, folder: Path = FOLDER) -> None:
        self._folder = folder
        self._module: Module | None = None
        self._fault: Reason | None = None
        try:
            self._module = load(folder)
        except Unusable as unusable:
            logger.error("no policy to decide by: %s", unusable)
            self._fault = unusable.reason

    @property
    def revision(self) -> str:
        return self._module.revision if self._module else revision_of(self._folder)

    async def decide(self, question: Question) -> Decision:
        """Takes well under a millisecond, so it runs in the event loop. Never raises: errors deny."""
        return await self.answer(question.entrypoint, canonical(question))

    async def answer(self, entrypoint: str, document: bytes) -> Decision:
        """The decision on a question that is JSON already."""
        module = self._module  # the one that decides, whatever a reload puts in its place
        asked = Asked(canonical=document, engine=NAME, revision=self.revision)
        reason = self._fault or unfit(document)
        if module is None or reason is not None:
            return denied(reason, asked) if reason else denial("policy.engine_failed", asked)
        try:
            said = module.policy.evaluate(document, entrypoint)
        except OpaWasmError as error:
            logger.warning("the policy's module failed: %s", error)
            return denial("policy.engine_failed", asked)
        return denial("policy.undefined", asked) if said is UNDEFINED else decision_of(said, asked)

    async def reload(self) -> None:
        """Take what lies in the folder now, once it was tried beside the old. Raises Unusable: the old stays."""
        fresh = await asyncio.to_thread(load, self._folder)
        old, self._module, self._fault = self._module, fresh, None
        if old is not None:
            old.policy.close()

    async def health(self) -> Health:
        """Whether there is a module, of these sources."""
        return Health(revision=self.revision, code=self._fault.code if self._fault else None)

    async def close(self) -> None:
        """Free the instance."""
        if self._module is not None:
            self._module.policy.close()
