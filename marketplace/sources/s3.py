"""All objects below a prefix of an S3-speaking store, as files in a folder."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
from lxml import etree

from marketplace.sources.description import S3
from marketplace.sources.errors import (
    NothingThere,
    NotSecure,
    StoreRefused,
    StoreUnreachable,
    TooLarge,
    TooManyObjects,
    TooSlow,
)
from marketplace.sources.signing import query_string, signed_headers

MAX_OBJECTS = 500
_MAX_PAGES = 1_000
"""A store may leave out of a page what it has just listed, and give fewer than it is asked for."""
_SIZE = re.compile(r"[0-9]{1,18}")
_TRIES = 3
_PAUSE_S = 0.2
_TIMEOUT_S = 30.0
_LOCAL = ("127.0.0.1", "::1", "localhost")
_MAX_LISTING_BYTES = 4 * 1024 * 1024


def fetch_s3(source: S3, folder: Path, *, deadline_ms: int, max_bytes: int) -> None:
    """Write each object, by the order of their keys, into `folder`. `deadline_ms`: for all of it. Blocking.

    Raises NotSecure, NothingThere, TooManyObjects, TooLarge, TooSlow, StoreRefused, StoreUnreachable.
    """
    address = urlsplit(source.endpoint)
    if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOCAL):
        raise NotSecure
    with httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, trust_env=False) as client:
        store = _Store(source, client, max_bytes, deadline_ms)
        keys = list(store.keys())
        if not keys:
            raise NothingThere
        for number, key in enumerate(keys):
            name = re.sub(r"[^A-Za-z0-9.-]", "-", key.rsplit("/", 1)[-1]).lstrip(".-")[-80:]
            store.download(key, folder / f"{number:05d}-{name}")


class _Store:
    def __init__(self, source: S3, client: httpx.Client, max_bytes: int, deadline_ms: int) -> None:
        self.source, self.client, self.left, self.max_bytes = source, client, max_bytes, max_bytes
        self.until, self.deadline_ms = time.monotonic() + deadline_ms / 1000, deadline_ms

    def keys(self) -> Iterator[str]:
        """Of all objects that hold something, but for what tools leave beside the data."""
        found, after = 0, ""
        asked = [("list-type", "2"), ("prefix", self.source.prefix)]
        seen: set[str] = set()
        while len(seen) < _MAX_PAGES and after not in seen:
            seen.add(after)
            page = self._listing([*asked, *([("continuation-token", after)] if after else [])])
            for entry in page.iterfind("{*}Contents"):
                key = entry.findtext("{*}Key") or ""
                inside = key.removeprefix(self.source.prefix).strip("/") or key
                if _is_filled(entry) and not any(part.startswith((".", "_")) for part in inside.split("/")):
                    found += 1
                    if found > MAX_OBJECTS:
                        raise TooManyObjects(max=MAX_OBJECTS)
                    yield key
            after = page.findtext("{*}NextContinuationToken") or ""
            if not after:
                return
        raise StoreRefused(status=200, reason="NextContinuationToken")

    def _listing(self, parameters: list[tuple[str, str]]) -> etree._Element:
        body = b"".join(self._get("", query_string(parameters), _MAX_LISTING_BYTES))
        try:
            return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            raise StoreRefused(status=200, reason="XML") from None

    def download(self, key: str, target: Path) -> None:
        """One object. What all of them may take is bounded together."""
        for attempt in range(_TRIES):
            try:
                with target.open("wb") as file:
                    target.chmod(0o600)
                    for block in self._get(f"/{quote(key, safe='/-_.~')}", "", self.left):
                        file.write(block)
                self.left -= target.stat().st_size
                return
            except StoreUnreachable:
                if attempt == _TRIES - 1:
                    raise
                time.sleep(_PAUSE_S * 2**attempt)

    def _get(self, path: str, query: str, max_bytes: int) -> Iterator[bytes]:
        address = urlsplit(self.source.endpoint)
        whole = f"{address.path.rstrip('/')}/{self.source.bucket}{path}"
        headers = signed_headers(
            self.source, host=address.netloc, path=whole, query=query, at=datetime.datetime.now(datetime.UTC)
        )
        url = f"{address.scheme}://{address.netloc}{whole}{'?' + query if query else ''}"
        given = 0
        self._require_time()
        try:
            with self.client.stream("GET", url, headers=headers | {"accept-encoding": "identity"}) as answer:
                if answer.status_code >= 500:
                    raise StoreUnreachable
                if answer.status_code != 200:
                    raise StoreRefused(status=answer.status_code, reason=_code_of(answer))
                for block in answer.iter_raw():
                    self._require_time()
                    given += len(block)
                    if given > max_bytes:
                        raise TooLarge(max_bytes=self.max_bytes)
                    yield block
        except httpx.HTTPError:
            raise StoreUnreachable from None

    def _require_time(self) -> None:
        if time.monotonic() > self.until:
            raise TooSlow(max_s=self.deadline_ms // 1000)


def _is_filled(entry: etree._Element) -> bool:
    size = entry.findtext("{*}Size") or "0"
    if not _SIZE.fullmatch(size):
        raise StoreRefused(status=200, reason="Size")
    return bool(int(size))


def _code_of(answer: httpx.Response) -> str:
    """The store's own word for it, such as AccessDenied or NoSuchBucket."""
    found = re.search(rb"<Code>([A-Za-z0-9.]{1,64})</Code>", answer.read()[:4096])
    return found[1].decode() if found else "—"
