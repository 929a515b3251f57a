"""A real OPA server. It never tells that its bundle is old or unsigned, so both are looked up and judged."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec

from policies.answer import Asked, canonical, decision_of, denial, denied, fault
from policies.decision import Decision, Question, Reason
from policies.fit import unfit
from policies.health import Health
from policies.sources import ENTRYPOINTS, revision
from policies.standing import Standing, standing_of
from policies.trust import Trust

logger = logging.getLogger(__name__)

NAME = "opa-server"
LOOK_AGAIN_S = 5.0
"""How long what a server said of its bundle is believed, while it serves that revision."""


class Heard(msgspec.Struct, frozen=True, kw_only=True):
    """What a server said. `doubt`: why that is not believed."""

    said: Any = None
    seen: Standing | None = None
    doubt: Reason | None = None


class ServerEngine:
    """One HTTP session a process, opened at the first question."""

    def __init__(self, url: str, *, timeout_ms: int, trust: Trust) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"not an http(s) address of an OPA server: {url}")
        self._url = url.rstrip("/")
        self._trust = trust
        self._timeout_s = timeout_ms / 1000
        self._seen: Standing | None = None
        self._seen_at_s = 0.0
        self._looking = asyncio.Lock()
        self._session: aiohttp.ClientSession | None = None

    @property
    def revision(self) -> str:
        return self._trust.revision

    async def decide(self, question: Question) -> Decision:
        """Within the timeout. Never raises: errors deny."""
        return await self.answer(question.entrypoint, canonical(question))

    async def answer(self, entrypoint: str, document: bytes) -> Decision:
        """The decision on a question that is JSON already."""
        asked = Asked(canonical=document, engine=NAME, revision=self.revision)
        reason = unfit(document)
        if reason is not None:
            return denied(reason, asked)
        heard = await self._hear(entrypoint, document)
        if heard.doubt is not None:
            return denied(heard.doubt, asked)
        asked = msgspec.structs.replace(asked, revision=min(_served(heard.said)))
        if "result" not in heard.said:
            return denial("policy.undefined", asked)
        return decision_of(heard.said["result"], asked)

    async def reload(self) -> None:
        """Expect the revision of the sources as they lie there now; the server takes its bundle by itself."""
        self._trust.expect(revision())

    async def health(self) -> Health:
        """Whether it serves this revision now, signed and young enough; it is looked at anew."""
        self._seen_at_s = 0.0
        heard = await self._hear(ENTRYPOINTS[0], b"{}")
        return self._trust.health(heard.doubt, heard.seen)

    async def close(self) -> None:
        """Close its connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _hear(self, entrypoint: str, document: bytes) -> Heard:
        try:
            async with asyncio.timeout(self._timeout_s):
                said = await self._ask(entrypoint, document)
                seen = await self._look(_served(said))
                if seen is None or _served(said) != {seen.revision}:
                    # Swapped between the answer and the look: what answered is not known, so it is asked again.
                    said = await self._ask(entrypoint, document)
        except aiohttp.ClientResponseError as error:
            logger.warning("the policy server refused a question: %s", error.message)
            return Heard(doubt=fault("policy.engine_failed"))
        except (aiohttp.ClientError, OSError):  # a TimeoutError is an OSError
            self._seen = None
            return Heard(doubt=fault("policy.engine_unavailable", timeout_ms=round(self._timeout_s * 1000)))
        except (msgspec.MsgspecError, UnicodeError):
            return Heard(doubt=fault("policy.answer_not_understood"))
        return Heard(said=said, seen=seen, doubt=self._trust.doubt(_served(said), seen))

    async def _ask(self, entrypoint: str, document: bytes) -> Any:
        """The very bytes whose hash the decision names."""
        path = f"/v1/data/{entrypoint}?provenance=true"
        return await self._call("POST", path, b'{"input":' + document + b"}")

    async def _look(self, served: frozenset[str]) -> Standing | None:
        """What the server says of its bundle; asked again when that is of another revision or long ago."""
        async with self._looking:
            late = time.monotonic() - self._seen_at_s > LOOK_AGAIN_S
            if late or self._seen is None or served != {self._seen.revision}:
                configuration = await self._call("GET", "/v1/config")
                self._seen = standing_of(await self._call("GET", "/v1/data/system/bundles"), configuration)
                self._seen_at_s = time.monotonic()
            return self._seen

    async def _call(self, method: str, path: str, body: bytes | None = None) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._timeout_s))
        async with self._session.request(method, self._url + path, data=body) as response:
            response.raise_for_status()
            return msgspec.json.decode(await response.read())


def _served(said: Any) -> frozenset[str]:
    """Revisions of every bundle that the server held when it answered; none before its first is loaded."""
    provenance = said.get("provenance") if isinstance(said, dict) else None
    bundles = provenance.get("bundles") if isinstance(provenance, dict) else None
    if not isinstance(bundles, dict):
        return frozenset()
    return frozenset(str(bundle.get("revision")) for bundle in bundles.values() if isinstance(bundle, dict))
