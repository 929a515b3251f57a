"""A real OPA server. It never tells that its bundle is old, so the revision it served is checked each time."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from opa_client.opa_async import AsyncOpaClient

from policies.answer import Asked, canonical, decision_of, denial
from policies.decision import Decision, Question
from policies.sources import ENTRYPOINTS, revision

NAME = "opa-server"
DEFAULT_PORT = {"http": 8181, "https": 443}


class ServerEngine:
    """One client a process, opened at the first question."""

    def __init__(self, url: str, *, timeout_ms: int) -> None:
        parts = urlsplit(url)
        if parts.scheme not in DEFAULT_PORT or not parts.hostname:
            raise ValueError(f"not an http(s) address of an OPA server: {url}")
        self.revision = revision()
        self._timeout_s = timeout_ms / 1000
        self._opening = asyncio.Lock()
        self._open = False
        self._client = AsyncOpaClient(
            host=f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname,
            port=parts.port or DEFAULT_PORT[parts.scheme],
            ssl=parts.scheme == "https",
            retries=0,
            timeout=self._timeout_s,
        )

    async def decide(self, question: Question) -> Decision:
        """Within the timeout. Never raises: errors deny."""
        asked = Asked(canonical=canonical(question), engine=NAME, revision=self.revision)
        try:
            async with asyncio.timeout(self._timeout_s):
                answer = await self._ask(question.entrypoint, msgspec.to_builtins(question))
        except (aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
            return denial("policy.engine_unavailable", asked, timeout_ms=round(self._timeout_s * 1000))
        except ValueError:
            return denial("policy.answer_not_understood", asked)
        return self._read(answer, asked)

    async def healthy(self) -> bool:
        """Whether it serves this revision now."""
        try:
            async with asyncio.timeout(self._timeout_s):
                return _revisions(await self._ask(ENTRYPOINTS[0], {})) == {self.revision}
        except (aiohttp.ClientError, OSError, ValueError):
            return False

    async def close(self) -> None:
        """Close its connections."""
        await self._client.close_connection()
        self._open = False

    async def _ask(self, entrypoint: str, document: dict[str, Any]) -> Any:
        async with self._opening:
            if not self._open:
                await self._client._init_session()
                self._open = True
        package, rule = entrypoint.split("/")
        return await self._client.query_rule(document, package, rule, query_params={"provenance": "true"})

    def _read(self, answer: Any, asked: Asked) -> Decision:
        served = _revisions(answer)
        if not served:
            return denial("policy.undefined", asked)
        if served != {self.revision}:
            return denial("policy.stale", asked, served=", ".join(sorted(served)), expected=self.revision)
        if "result" not in answer:
            return denial("policy.undefined", asked)
        return decision_of(answer["result"], asked)


def _revisions(answer: Any) -> set[str]:
    """Revisions of every bundle that the server held when it answered; none before its first is loaded."""
    provenance = answer.get("provenance") if isinstance(answer, dict) else None
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    if not isinstance(bundles, dict):
        return set()
    return {str(bundle.get("revision")) for bundle in bundles.values() if isinstance(bundle, dict)}
