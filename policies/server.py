"""A real OPA server. It never tells that its bundle is old or unsigned, so both are looked up and judged."""

from __future__ import annotations

import asyncio
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from opa_client.errors import PolicyNotFoundError
from opa_client.opa_async import AsyncOpaClient

from policies.answer import Asked, canonical, decision_of, denial, denied, fault
from policies.decision import Decision, Question, Reason
from policies.health import Health
from policies.sources import ENTRYPOINTS
from policies.standing import Standing, standing_of
from policies.trust import Trust

NAME = "opa-server"
DEFAULT_PORT = {"http": 8181, "https": 443}
LOOK_AGAIN_S = 5.0
"""How long what a server said of its bundle is believed, while it serves that revision."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said. `fault`: why that is not believed."""

    said: Any = None
    seen: Standing | None = None
    fault: Reason | None = None


class ServerEngine:
    """One client a process, opened at the first question."""

    def __init__(self, url: str, *, timeout_ms: int, trust: Trust) -> None:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORT or not parts.hostname:
            raise ValueError(f"not an http(s) address of an OPA server: {url}")
        self._trust = trust
        self._timeout_s = timeout_ms / 1000
        self._seen: Standing | None = None
        self._seen_at_s = 0.0
        self._looking = asyncio.Lock()
        self._opening = asyncio.Lock()
        self._open = False
        self._client = AsyncOpaClient(
            host=f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname,
            port=parts.port or DEFAULT_PORT[parts.scheme],
            ssl=parts.scheme == "https",
            retries=0,
            timeout=self._timeout_s,
        )

    @property
    def revision(self) -> str:
        return self._trust.revision

    async def decide(self, question: Question) -> Decision:
        """Within the timeout. Never raises: errors deny."""
        asked = Asked(canonical=canonical(question), engine=NAME, revision=self.revision)
        heard = await self._hear(question.entrypoint, msgspec.to_builtins(question))
        if heard.fault is not None:
            return denied(heard.fault, asked)
        return (
            decision_of(heard.said["result"], asked)
            if "result" in heard.said
            else denial("policy.undefined", asked)
        )

    async def health(self) -> Health:
        """Whether it serves this revision now, signed and young enough; it is looked at anew."""
        self._seen_at_s = 0.0
        heard = await self._hear(ENTRYPOINTS[0], {})
        return self._trust.health(heard.fault, heard.seen)

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close_connection()
        self._open = False

    async def _hear(self, entrypoint: str, document: dict[str, Any]) -> Heard:
        try:
            async with asyncio.timeout(self._timeout_s):
                said = await self._ask(entrypoint, document)
                seen = await self._look(_served(said))
                if seen is None or _served(said) != {seen.revision}:
                    # Swapped between the answer and the look: what answered is not known, so it is asked again.
                    said = await self._ask(entrypoint, document)
        except (aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
            self._seen = None
            return Heard(fault=fault("policy.engine_unavailable", timeout_ms=round(self._timeout_s * 1000)))
        except ValueError:
            return Heard(fault=fault("policy.answer_not_understood"))
        return Heard(said=said, seen=seen, fault=self._trust.doubt(_served(said), seen))

    async def _ask(self, entrypoint: str, document: dict[str, Any]) -> Any:
        async with self._opening:
            if not self._open:
                await self._client._init_session()
                self._open = True
        package, rule = entrypoint.split("/")
        return await self._client.query_rule(document, package, rule, query_params={"provenance": "true"})

    async def _look(self, served: frozenset[str]) -> Standing | None:
        """What the server says of its bundle; asked again when that is of another revision or long ago."""
        async with self._looking:
            late = time.monotonic() - self._seen_at_s > LOOK_AGAIN_S
            if late or self._seen is None or served != {self._seen.revision}:
                configuration = await self._client.get_config()
                try:
                    bundles = await self._client.get_data("system/bundles")
                except PolicyNotFoundError:
                    bundles = {}
                self._seen = standing_of(bundles, configuration)
                self._seen_at_s = time.monotonic()
            return self._seen


def _served(said: Any) -> frozenset[str]:
    """Revisions of every bundle that the server held when it answered; none before its first is loaded."""
    provenance = said.get("provenance") if isinstance(said, dict) else None
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    if not isinstance(bundles, dict):
        return frozenset()
    return frozenset(str(bundle.get("revision")) for bundle in bundles.values() if isinstance(bundle, dict))
