"""Objects of a store that speaks S3: got, put, listed and removed, by signed requests over verified TLS."""

from __future__ import annotations

import datetime
import functools
import re
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar
from urllib.parse import quote, urlsplit

import httpx
from lxml import etree
from msgspec import Struct

from marketplace.sources.description import S3
from marketplace.sources.errors import DescriptionWrong, NotSecure
from marketplace.sources.signing import query_string, signed_headers

TRIES = 3
PAUSE_S = 0.2
"""Before the second try; doubled before the third."""
MAX_PAGES = 1_000
"""A store may leave out of a page what it has just listed, and give fewer than it is asked for."""
MAX_LISTING_BYTES = 4 * 1024 * 1024
MAX_CODE_BYTES, CODE_S = 4096, 5.0
"""No more is read of a refusal, nor for longer."""
_LOCAL = ("127.0.0.1", "::1", "localhost")
_PRECONDITION_FAILED = 412
_CONFLICT = 409
_T = TypeVar("_T")


class StoreAway(OSError):
    """It does not answer in time, or says that it cannot now: whatever was asked may have been done, or not."""


class StoreSaysNo(OSError):
    """`reason`: the store's own code, such as AccessDenied; never an address, an account or a secret."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"the store answers {status} {reason}")
        self.status, self.reason = status, reason


class Object(Struct, frozen=True):
    """`etag`: of these bytes, to be named in `if-match`."""

    data: bytes
    etag: str


class Bucket:
    """Safe for many threads. The `prefix` of `place` is the caller's. Raises NotSecure, DescriptionWrong.

    `timeout_ms`: for each request, and for the whole of its answer."""

    def __init__(self, place: S3, *, timeout_ms: int) -> None:
        address = urlsplit(place.endpoint)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _LOCAL):
            raise NotSecure
        try:
            trusted = ssl.create_default_context(cafile=place.ca_file) if place.ca_file else ssl_of_everybody()
        except OSError:  # which does not say of which file
            raise DescriptionWrong(problem=f"ca_file: {place.ca_file}") from None
        self.place = place
        self._timeout_s = timeout_ms / 1000
        self._client = httpx.Client(
            timeout=self._timeout_s, follow_redirects=False, trust_env=False, verify=trusted
        )

    def close(self) -> None:
        self._client.close()

    def get(self, key: str, *, max_bytes: int) -> Object | None:
        """The object; None where there is none. Raises StoreAway, StoreSaysNo."""
        return tried(lambda: self._get(key, max_bytes))

    def put(self, key: str, data: bytes, *, only: Mapping[str, str] | None = None) -> bool:
        """Whether the store says that it holds it now. `only`: `if-none-match` or `if-match`.

        False where that condition failed: after a try without an answer that may be one's own doing.
        Raises StoreAway, StoreSaysNo."""
        return tried(lambda: self._put(key, data, only or {}))

    def remove(self, key: str) -> None:
        """Raises StoreAway, StoreSaysNo."""
        with self.send("DELETE", key) as answer:
            _require(answer, 204, 200, 404)

    def listing(self, prefix: str) -> Iterator[tuple[str, str]]:
        """Key and size, as the store tells them, of every object below a prefix. Raises StoreAway, StoreSaysNo."""
        asked, after = [("list-type", "2"), ("prefix", prefix)], ""
        seen: set[str] = set()
        while len(seen) < MAX_PAGES and after not in seen:
            seen.add(after)
            page = self._page([*asked, *([("continuation-token", after)] if after else [])])
            for entry in page.iterfind("{*}Contents"):
                yield entry.findtext("{*}Key") or "", entry.findtext("{*}Size") or "0"
            after = page.findtext("{*}NextContinuationToken") or ""
            if not after:
                return
        raise StoreSaysNo(200, "NextContinuationToken")

    @contextmanager
    def send(
        self, method: str, key: str, *, query: str = "", body: bytes = b"", more: Mapping[str, str] | None = None
    ) -> Iterator[httpx.Response]:
        """The answer, its body still to be read; no key means the bucket. Raises StoreAway, also while reading."""
        address = urlsplit(self.place.endpoint)
        path = f"{address.path.rstrip('/')}/{self.place.bucket}" + (f"/{quote(key, safe='/-_.~')}" if key else "")
        now = datetime.datetime.now(datetime.UTC)
        headers = signed_headers(
            self.place, method=method, host=address.netloc, path=path, query=query, at=now, body=body, more=more
        )
        url = f"{address.scheme}://{address.netloc}{path}{'?' + query if query else ''}"
        try:
            headers |= {"accept-encoding": "identity"}
            with self._client.stream(method, url, content=body or None, headers=headers) as answer:
                if answer.status_code >= 500 and answer.status_code != 501:
                    raise StoreAway(f"the store answers {answer.status_code}")
                yield answer
        except httpx.HTTPError as failed:
            # From nothing: what the client says may hold the address.
            raise StoreAway(f"the store does not answer: {type(failed).__name__}") from None

    def _get(self, key: str, max_bytes: int) -> Object | None:
        with self.send("GET", key) as answer:
            if answer.status_code == 404:
                if (code := code_of(answer)) != "NoSuchBucket":
                    return None
                raise StoreSaysNo(404, code)
            _require(answer, 200)
            return Object(self._whole(answer, max_bytes), answer.headers.get("etag", ""))

    def _put(self, key: str, data: bytes, only: Mapping[str, str]) -> bool:
        with self.send("PUT", key, body=data, more=only) as answer:
            if answer.status_code == _CONFLICT:
                raise StoreAway("another write of that object is under way")
            if only and answer.status_code == _PRECONDITION_FAILED:
                return False
            _require(answer, 200, 201, 204)
            return True

    def _page(self, asked: Sequence[tuple[str, str]]) -> etree._Element:
        with self.send("GET", "", query=query_string(asked)) as answer:
            _require(answer, 200)
            body = self._whole(answer, MAX_LISTING_BYTES)
        try:
            return etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            raise StoreSaysNo(200, "XML") from None

    def _whole(self, answer: httpx.Response, max_bytes: int) -> bytes:
        until, data = time.monotonic() + self._timeout_s, bytearray()
        for block in answer.iter_raw():
            data += block
            if len(data) > max_bytes:
                raise StoreSaysNo(200, "TooLong")
            if time.monotonic() > until:
                raise StoreAway("the store answers too slowly")
        return bytes(data)


@functools.cache
def ssl_of_everybody() -> ssl.SSLContext:
    """The authorities that everybody trusts, read once: that takes longer than a request."""
    return httpx.create_ssl_context(trust_env=False)


def tried(ask: Callable[[], _T]) -> _T:
    """Again, a few times, where the store is away. Raises what the last try raised."""
    for attempt in range(TRIES - 1):
        try:
            return ask()
        except StoreAway:
            time.sleep(PAUSE_S * 2**attempt)
    return ask()


def code_of(answer: httpx.Response) -> str:
    """The store's own word for why not, such as AccessDenied, where its answer begins with it."""
    said, until = bytearray(), time.monotonic() + CODE_S
    for block in answer.iter_raw():
        said += block
        if len(said) >= MAX_CODE_BYTES or time.monotonic() > until:
            break
    found = re.search(rb"<Code>([A-Za-z0-9.]{1,64})</Code>", said)
    return found[1].decode() if found else "—"


def _require(answer: httpx.Response, *statuses: int) -> None:
    if answer.status_code not in statuses:
        raise StoreSaysNo(answer.status_code, code_of(answer))
