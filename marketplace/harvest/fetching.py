"""Fetching from other people's servers: politely, and never from where only this machine may go."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from msgspec import Struct

from marketplace.config import Config
from marketplace.harvest.addresses import allowed_hosts, is_public, require_address
from marketplace.harvest.errors import AddressRefused, RunFailed

ROBOTS_NAME: Final = "sandulieu-harvester"
AGENT: Final = f"{ROBOTS_NAME}/1"
MOST_REDIRECTS: Final = 5
ATTEMPTS: Final = 3
DELAY_MOST_S: Final = 60.0
"""A longer `Crawl-delay` than this is not waited for between two pages."""
ROBOTS_BYTES: Final = 500 * 1024
_AGAIN: Final = (429, 503)


class Fetched(Struct, frozen=True, kw_only=True):
    """`status` 200 or 304; `url`: where it was found in the end."""

    status: int
    body: bytes
    media_type: str
    url: str
    etag: str | None
    last_modified: str | None


class _Forbidden(OSError):
    """An address that is not for others, which a name led to."""


class PublicOnly(AbstractResolver):
    """Names lead only to public addresses. What is connected to is what was looked at: no second answer of a name
    server can lead elsewhere."""

    def __init__(self, allowed: frozenset[str]) -> None:
        self.allowed = allowed
        self._let_in = set(allowed)
        """And the addresses of those that are names."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys((info[0], str(info[4][0])) for info in found))
        if host in self.allowed:
            self._let_in.update(address for _, address in addresses)
        elif not all(is_public(address) for _, address in addresses):
            raise _Forbidden(host)
        return [
            ResolveResult(
                hostname=host, host=address, port=port, family=kind, proto=0, flags=socket.AI_NUMERICHOST
            )
            for kind, address in addresses
        ]

    def connectable(self, found: aiohttp.AddrInfoType) -> socket.socket:
        """The socket for an address. A host that is a number, however it is written (127。0。0。1), is never
        resolved: only here is it seen as what it is."""
        family, kind, protocol, _, address = found
        if str(address[0]) not in self._let_in and not is_public(str(address[0])):
            raise _Forbidden(address[0])
        return socket.socket(family, kind, protocol)

    async def close(self) -> None:
        """Holds nothing."""


class Fetcher:
    """One run's requests: one at a time, with pauses; counts them."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.requests = 0
        self._robots: dict[str, RobotFileParser] = {}
        self._next_at = 0.0
        resolver = PublicOnly(allowed_hosts(config))
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                resolver=resolver, socket_factory=resolver.connectable, use_dns_cache=False, limit=1
            ),
            timeout=aiohttp.ClientTimeout(total=config.harvest_timeout_s),
            headers={"User-Agent": f"{AGENT} (+{config.public_url})" if config.public_url else AGENT},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._session.close()

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Fetched:
        """The document, after redirects. Raises RunFailed with why not."""
        for _ in range(MOST_REDIRECTS + 1):
            self._require(url)
            await self._require_robots(url)
            answer = await self._patiently(url, headers or {})
            if isinstance(answer, Fetched):
                return answer
            url = _led(url, answer)
        raise RunFailed("too_many_redirects")

    def _require(self, url: str) -> None:
        try:
            require_address(url, self.config)
        except AddressRefused as refused:
            raise RunFailed("address_refused") from refused

    async def _require_robots(self, url: str) -> None:
        """RFC 9309: none there means all may be read, one that is elsewhere counts as if it were here, and a
        server that fails means nothing may."""
        parts = urlsplit(url)
        place = f"{parts.scheme}://{parts.netloc}"
        if place not in self._robots:
            self._robots[place] = await self._read_robots(place)
        if not self._robots[place].can_fetch(ROBOTS_NAME, url):
            raise RunFailed("robots")

    async def _read_robots(self, place: str) -> RobotFileParser:
        robots = RobotFileParser()
        url = f"{place}/robots.txt"
        for _ in range(MOST_REDIRECTS + 1):
            self._require(url)
            answer = await self._once(url, {}, most_bytes=ROBOTS_BYTES)
            if isinstance(answer, _Bad) and answer.status >= 500:
                break
            if not isinstance(answer, str):
                said = answer.body.decode("ascii", errors="replace") if isinstance(answer, Fetched) else ""
                return _understood(robots, said)
            url = _led(url, answer)
        raise RunFailed("robots")

    async def _patiently(self, url: str, headers: Mapping[str, str]) -> Fetched | str:
        """Again after as long as the server asks for, if that is not too long."""
        for attempt in range(ATTEMPTS):
            answer = await self._once(url, headers, most_bytes=self.config.harvest_max_bytes)
            if not isinstance(answer, _Bad):
                return answer
            if answer.status not in _AGAIN:
                raise RunFailed(f"status_{answer.status}")
            wait_s = answer.wait_s if answer.wait_s is not None else 2**attempt
            if wait_s > self.config.harvest_retry_after_max_s or attempt == ATTEMPTS - 1:
                raise RunFailed("busy", wait_s=wait_s)
            await asyncio.sleep(wait_s)
        raise RunFailed("busy")

    async def _once(self, url: str, headers: Mapping[str, str], *, most_bytes: int) -> Fetched | str | _Bad:
        """A document, where else it is, or what the server has against it."""
        await self._pause(url)
        self.requests += 1
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False) as answer:
                if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
                    return answer.headers["location"]
                if answer.status not in (200, 304):
                    return _Bad(answer.status, _seconds(answer.headers.get("retry-after")))
                return Fetched(
                    status=answer.status,
                    body=await _body(answer, most_bytes),
                    media_type=answer.content_type.lower(),
                    url=url,
                    etag=answer.headers.get("etag"),
                    last_modified=answer.headers.get("last-modified"),
                )
        except _Forbidden as forbidden:
            raise RunFailed("address_refused") from forbidden
        except aiohttp.ClientConnectorError as away:
            raise RunFailed(
                "address_refused" if isinstance(away.os_error, _Forbidden) else "unreachable"
            ) from away
        except (aiohttp.ClientError, OSError, ValueError) as away:  # a TimeoutError is an OSError
            raise RunFailed("unreachable") from away

    async def _pause(self, url: str) -> None:
        parts = urlsplit(url)
        robots = self._robots.get(f"{parts.scheme}://{parts.netloc}")
        asked = robots.crawl_delay(ROBOTS_NAME) or 0 if robots is not None else 0
        pause_s = max(float(min(asked, DELAY_MOST_S)), self.config.harvest_pause_ms / 1000)
        await asyncio.sleep(max(0.0, self._next_at - time.monotonic()))
        self._next_at = time.monotonic() + pause_s


def _led(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as wrong:
        raise RunFailed("address_refused") from wrong


def _understood(robots: RobotFileParser, said: str) -> RobotFileParser:
    try:
        robots.parse(said.splitlines())
    except ValueError as wrong:  # a number of more digits than Python reads
        raise RunFailed("robots") from wrong
    return robots


class _Bad(Struct, frozen=True):
    status: int
    wait_s: int | None


async def _body(answer: aiohttp.ClientResponse, most_bytes: int) -> bytes:
    """As it is once unpacked; more than `most_bytes` of it is not read."""
    parts, size = [], 0
    async for part in answer.content.iter_chunked(64 * 1024):
        size += len(part)
        if size > most_bytes:
            raise RunFailed("too_large")
        parts.append(part)
    return b"".join(parts)


def _seconds(retry_after: str | None) -> int | None:
    """From a number or a date; None where neither stands."""
    text = (retry_after or "").strip()
    if text.isdigit():
        return min(int(text), 10**9)
    try:
        wait_s = (parsedate_to_datetime(text).astimezone(UTC) - datetime.now(UTC)).total_seconds()
        return max(0, round(wait_s))
    except (ValueError, TypeError, OverflowError):
        return None
