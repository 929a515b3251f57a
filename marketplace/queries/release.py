"""An answer on its way out: the form asked for, whole or a part, streamed as fast as it is read.

Nothing but the answer's file is held while a reader takes its time: no jail, no database connection, no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import pyarrow as pa
from litestar import Response
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_206_PARTIAL_CONTENT

from marketplace.queries.forms import FORMS, Form
from marketplace.queries.keeping import ROW_BYTES, Answer
from marketplace.queries.ranges import asks_for_part, part_of
from marketplace.queries.results import StoredResult

ARROW = "application/vnd.apache.arrow.stream"
_MADE_BY = f"{pa.__version__}-1"
"""In the ETag of what is made of the kept stream; the last number changes with the code of `forms`."""


async def released(
    stored: StoredResult, media_type: str, asked: Mapping[str, str], headers: Mapping[str, str]
) -> Response[Any]:
    """200 or 206. `asked`: the request's headers, names in lower case. Raises RangeNotSatisfiable."""
    form, answer = FORMS[media_type], stored.answer
    etag = _etag(stored, form)
    sent = {
        "Cache-Control": "no-store",
        "X-Result-SHA256": stored.sha256,
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Vary": "Accept",
        **headers,
    }
    part = None
    if asks_for_part(asked, etag):
        size = await _size(form, answer)
        part = start, stop = part_of(asked["range"], size)
        sent["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = HTTP_206_PARTIAL_CONTENT if part else HTTP_200_OK
    pieces = _pieces(form, answer, part)
    if answer.size_bytes <= ROW_BYTES:
        return Response(b"".join(pieces), status_code=status, media_type=media_type, headers=sent)
    if part or media_type == ARROW:
        start, stop = part or (0, answer.size_bytes)
        sent["Content-Length"] = str(stop - start)
    return Stream(_in_threads(pieces, answer), status_code=status, media_type=media_type, headers=sent)


def _etag(stored: StoredResult, form: Form) -> str:
    made_by = "" if form.media_type == ARROW else f"-{_MADE_BY}"
    return f'"{stored.sha256[:32]}-{form.media_type.rpartition("/")[2]}{made_by}"'


async def _size(form: Form, answer: Answer) -> int:
    """How long the answer is in this form. The kept one is known; another is made once to be measured."""
    if form.media_type == ARROW:
        return answer.size_bytes
    return await asyncio.to_thread(lambda: sum(len(piece) for piece in form.pieces(answer)))


def _pieces(form: Form, answer: Answer, part: tuple[int, int] | None) -> Iterator[bytes]:
    if part is None:
        return form.pieces(answer)
    start, stop = part
    if form.media_type == ARROW:
        return answer.parts(start, stop)
    return _cut(form.pieces(answer), start, stop)


def _cut(pieces: Iterator[bytes], start: int, stop: int) -> Iterator[bytes]:
    place = 0
    for piece in pieces:
        if place >= stop:
            return
        found = piece[max(0, start - place) : stop - place]
        place += len(piece)
        if found:
            yield found


async def _in_threads(pieces: Iterator[bytes], answer: Answer) -> AsyncIterator[bytes]:
    """Each piece is made in a thread when the one before has been taken."""
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        answer.close()
