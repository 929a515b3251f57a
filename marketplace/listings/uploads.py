"""Receiving a table with a few words: multipart parts streamed to a file below home before anything reads them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO

from litestar import Request
from litestar.exceptions import ClientException
from msgspec import Struct
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header  # type: ignore[import-untyped]

from marketplace.claimed import working_folder
from marketplace.errors import Invalid
from marketplace.listings.errors import UploadTooLarge

TEXT_BYTES = 256 * 1024
OVERRIDES_BYTES = 64 * 1024
SUITE, OVERRIDES = "suite", "overrides"
ENVELOPE_BYTES = 16 * 1024
"""Boundaries and part headers around the text and the file."""
WRITE_BYTES = 1024 * 1024


class Upload(Struct, frozen=True, kw_only=True):
    """What was received. `source` is removed when the request ends. `overrides`: JSON, or nothing."""

    text: str
    source: Path
    overrides: str = ""
    suite: str | None = None
    """What the data must keep to, where that was sent too."""


@asynccontextmanager
async def receive(
    request: Request[Any, Any, Any], *, folder: Path, max_bytes: int, text: str = "manifest"
) -> AsyncIterator[Upload]:
    """The parts `file` and `text`, whose name it is, and `overrides` and `suite`, which may be absent.

    Raises Invalid for another body, UploadTooLarge.
    """
    most = max_bytes + 2 * TEXT_BYTES + OVERRIDES_BYTES + ENVELOPE_BYTES
    if int(request.headers.get("content-length") or 0) > most:
        raise UploadTooLarge(max_bytes=max_bytes)
    async with working_folder(folder) as place:
        yield await _receive(request, _Parts(text, place / "source", max_bytes))


async def _receive(request: Request[Any, Any, Any], parts: _Parts) -> Upload:
    try:
        parser = PushMultipartParser(
            _boundary(request), max_segment_size=max(parts.max_bytes, TEXT_BYTES) + 1, max_segment_count=8
        )
        with parser:
            async for chunk in request.stream():
                for event in parser.parse(chunk):
                    await parts.take(event)
        return parts.upload()
    except (MultipartError, ClientException) as e:
        raise _refused("", "upload.multipart") from e
    finally:
        parts.file.close()


def _boundary(request: Request[Any, Any, Any]) -> str:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != "multipart/form-data" or not options.get("boundary"):
        raise _refused("", "upload.multipart")
    return str(options["boundary"])


def _refused(path: str, code: str, **params: object) -> Invalid:
    return Invalid(errors=[{"path": path, "code": code, "params": params}])


class _Parts:
    """The parts as they come in; others are read over."""

    def __init__(self, text_name: str, source: Path, max_bytes: int) -> None:
        self.text_name, self.source, self.max_bytes = text_name, source, max_bytes
        self.file: BinaryIO = source.open("wb")
        self.texts = {text_name: bytearray(), SUITE: bytearray(), OVERRIDES: bytearray()}
        self.seen: set[str] = set()
        self.name = ""
        self.waiting = bytearray()
        self.written = 0

    async def take(self, event: MultipartSegment | bytearray | None) -> None:
        if isinstance(event, MultipartSegment):
            self.name = event.name
            if self.name in self.seen:
                raise _refused(self.name, "upload.twice")
            self.seen.add(self.name)
        elif event is None:
            await self._flush()
        elif self.name in self.texts:
            text = self.texts[self.name]
            text += event
            most = OVERRIDES_BYTES if self.name == OVERRIDES else TEXT_BYTES
            if len(text) > most:
                raise _refused(self.name, "upload.manifest_too_long", max_bytes=most)
        elif self.name == "file":
            await self._file(event)

    async def _file(self, event: bytearray) -> None:
        self.written += len(event)
        if self.written > self.max_bytes:
            raise UploadTooLarge(max_bytes=self.max_bytes)
        self.waiting += event
        if len(self.waiting) >= WRITE_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        data, self.waiting = self.waiting, bytearray()
        if data:
            await asyncio.to_thread(self.file.write, data)

    def upload(self) -> Upload:
        for name in (self.text_name, "file"):
            if name not in self.seen:
                raise _refused(name, "upload.part_missing", part=name)
        suite = self._decoded(SUITE) if SUITE in self.seen else None
        text, overrides = self._decoded(self.text_name), self._decoded(OVERRIDES)
        return Upload(text=text, source=self.source, overrides=overrides, suite=suite)

    def _decoded(self, name: str) -> str:
        try:
            return self.texts[name].decode("utf-8-sig")
        except UnicodeDecodeError as e:
            raise _refused(name, "upload.not_utf8") from e
