"""Receiving a file of events: streamed to a file below home before anything reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from litestar import Request

from marketplace.claimed import working_folder
from marketplace.consents.errors import FileTooLarge

WRITE_BYTES = 1024 * 1024


@asynccontextmanager
async def received(request: Request[Any, Any, Any], *, folder: Path, max_bytes: int) -> AsyncIterator[Path]:
    """The body as a file, removed at the end. Raises FileTooLarge."""
    if int(request.headers.get("content-length") or 0) > max_bytes:
        raise FileTooLarge(max_bytes=max_bytes)
    async with saved(request.stream(), folder=folder, max_bytes=max_bytes) as source:
        yield source


@asynccontextmanager
async def saved(chunks: AsyncIterator[bytes], *, folder: Path, max_bytes: int) -> AsyncIterator[Path]:
    """What comes in as a file of its own, removed at the end. Raises FileTooLarge."""
    async with working_folder(folder) as place:
        await _receive(chunks, place / "events", max_bytes)
        yield place / "events"


async def _receive(chunks: AsyncIterator[bytes], target: Path, max_bytes: int) -> None:
    waiting, seen = bytearray(), 0
    with target.open("xb") as file:
        async for chunk in chunks:
            seen += len(chunk)
            if seen > max_bytes:
                raise FileTooLarge(max_bytes=max_bytes)
            waiting += chunk
            if len(waiting) >= WRITE_BYTES:
                await asyncio.to_thread(file.write, bytes(waiting))
                waiting.clear()
        await asyncio.to_thread(file.write, bytes(waiting))
