"""Through another catalogue, page by page: what each of the three kinds is asked, in which order, until when."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from catalog.metadata.reading.external import External, Read, gather
from catalog.metadata.reading.from_ckan import read_package
from catalog.metadata.reading.from_data_json import NotThatForm, read_data_json
from marketplace.harvest.errors import RunFailed
from marketplace.harvest.fetching import Fetched, Fetcher
from marketplace.harvest.models import HarvestSource

PAGE_PACKAGES: Final = 100
PAGE_NAMES: Final = 1000
MOST_PAGES: Final = 20_000
MOST_NAME: Final = 500
"""Characters; no longer one is kept."""
READ_S: Final = 120
"""A page that takes longer to be understood is given up."""
SUFFIXES: Final = {
    ".ttl": "text/turtle",
    ".rdf": "application/rdf+xml",
    ".xml": "application/rdf+xml",
    ".jsonld": "application/ld+json",
    ".json": "application/ld+json",
}
RDF_TYPES: Final = ("text/turtle", "application/rdf+xml", "application/ld+json")
ROOT: Final = Path(__file__).resolve().parents[2]


class Step(Struct, frozen=True, kw_only=True):
    """One page. `names`: of listings that are there, though they are not told again; `fetched`: where a whole
    catalogue is one answer, what it is to be asked with the next time."""

    read: Read = msgspec.field(default_factory=Read)
    names: tuple[str, ...] = ()
    fetched: Fetched | None = None


async def walk(fetcher: Fetcher, source: HarvestSource) -> AsyncIterator[Step]:
    """Every page. Raises RunFailed."""
    pages = {"ckan": _ckan, "dcat": _dcat, "data_json": _data_json}[source.kind]
    async for step in pages(fetcher, source):
        yield step


def _known(source: HarvestSource) -> dict[str, str]:
    """What makes an answer short that would be the one we have."""
    held = (("If-None-Match", source.etag), ("If-Modified-Since", source.last_modified))
    return {name: value for name, value in held if value}


async def _data_json(fetcher: Fetcher, source: HarvestSource) -> AsyncIterator[Step]:
    answer = await fetcher.get(source.url, {"Accept": "application/json", **_known(source)})
    if answer.status == 304:
        raise RunFailed("not_modified")
    try:
        read = await asyncio.to_thread(read_data_json, answer.body)
    except NotThatForm as wrong:
        raise RunFailed("not_that_form") from wrong
    yield Step(read=read, fetched=answer)


async def _dcat(fetcher: Fetcher, source: HarvestSource) -> AsyncIterator[Step]:
    wanted = "text/turtle, application/rdf+xml, application/ld+json;q=0.9, application/json;q=0.5"
    answer = await fetcher.get(source.url, {"Accept": wanted, **_known(source)})
    if answer.status == 304:
        raise RunFailed("not_modified")
    seen = {source.url, answer.url}
    for place in range(MOST_PAGES):
        read = await _understood(answer)
        # A first page that is as it was says nothing of those behind it.
        yield Step(read=read, fetched=answer if place == 0 and read.next is None else None)
        if read.next is None:
            return
        if read.next in seen:
            raise RunFailed("pages_in_a_circle")
        seen.add(read.next)
        answer = await fetcher.get(read.next, {"Accept": wanted})
    raise RunFailed("too_many_pages")


async def _understood(answer: Fetched) -> Read:
    """In a process that ends, whatever stands there."""
    media_type = answer.media_type
    if media_type not in RDF_TYPES:
        media_type = SUFFIXES.get(Path(urlsplit(answer.url).path).suffix.lower(), media_type)
    command = [sys.executable, "-m", "catalog.metadata.reading.from_rdf", media_type, answer.url]
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        said, told = await asyncio.wait_for(process.communicate(answer.body), READ_S)
    except TimeoutError as slow:
        raise RunFailed("too_slow_to_read") from slow
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        code = told.decode(errors="replace").strip().rsplit("\n", 1)[-1]
        known = ("not_that_form", "document_type", "remote_context")
        raise RunFailed(code if code in known else "not_that_form")
    return msgspec.json.decode(said, type=Read)


async def _ckan(fetcher: Fetcher, source: HarvestSource) -> AsyncIterator[Step]:
    """What changed since the last run, newest first; then which of the others are still there."""
    base = source.url.rstrip("/")
    start, total = 0, 1
    seen: set[str] = set()
    while start < total:
        asked = {"rows": PAGE_PACKAGES, "start": start, "sort": "metadata_modified desc"}
        result = await _action(fetcher, base, "package_search", asked)
        found = result if isinstance(result, dict) else {}
        packages, count = found.get("results"), found.get("count")
        if not isinstance(packages, list) or not isinstance(count, int):
            raise RunFailed("not_that_form")
        total = count
        read = await asyncio.to_thread(_gathered, packages, base)
        ids = {each.id for each in read.listings} | {each.id for each in read.refused}
        if packages and ids <= seen:
            raise RunFailed("pages_in_a_circle")
        seen |= ids
        yield Step(read=read)
        if not packages or (source.seen_modified and _all_older(read.listings, source.seen_modified)):
            break
        start += len(packages)
    if source.seen_modified:
        async for names in _names(fetcher, base):
            yield Step(names=names)


def _gathered(packages: list[Any], base: str) -> Read:
    return gather(read_package(package, base_url=base) for package in packages)


def _all_older(listings: tuple[External, ...], than: str) -> bool:
    return bool(listings) and all(each.modified and each.modified < than for each in listings)


async def _names(fetcher: Fetcher, base: str) -> AsyncIterator[tuple[str, ...]]:
    """Some catalogues give all names at once, whatever they are asked."""
    known: set[str] = set()
    for _ in range(MOST_PAGES):
        asked = {"limit": PAGE_NAMES, "offset": len(known)}
        told = await _action(fetcher, base, "package_list", asked)
        if not isinstance(told, list):
            raise RunFailed("not_that_form")
        names = {name[:MOST_NAME] for name in told if isinstance(name, str)} - known
        if len(known) + len(names) > fetcher.config.harvest_max_listings:
            raise RunFailed("too_many_listings")
        yield tuple(sorted(names))
        known |= names
        if len(told) != PAGE_NAMES or not names:
            return


async def _action(fetcher: Fetcher, base: str, action: str, asked: dict[str, Any]) -> Any:
    answer = await fetcher.get(f"{base}/api/3/action/{action}?{urlencode(asked)}", {"Accept": "application/json"})
    try:
        told = await asyncio.to_thread(msgspec.json.decode, answer.body)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise RunFailed("not_that_form") from wrong
    if not isinstance(told, dict) or told.get("success") is not True:
        raise RunFailed("not_that_form")
    return told.get("result")
