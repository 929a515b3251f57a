"""An answer on its way out: the form asked for, whole or a part, streamed as fast as it is read.

Nothing but the answer's file and one of its organisation's seats is held while it is made and while a reader takes
its time: no jail, no transaction, no thread of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import UUID

import pyarrow as pa
from litestar import Response
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK, HTTP_206_PARTIAL_CONTENT

from marketplace.accounts.callers import Caller
from marketplace.accounts.seats import Seat
from marketplace.queries.forms import FORMS, Form, schema_of
from marketplace.queries.keeping import ROW_BYTES, Answer
from marketplace.queries.label import headers as label_headers
from marketplace.queries.ranges import asks_for_part, part_of
from marketplace.queries.results import StoredResult, result
from marketplace.queries.services import Services
from marketplace.queries.sizes import Sizes

ARROW = "application/vnd.apache.arrow.stream"
_MADE_BY = f"{pa.__version__}-2"
"""In the ETag of what is made of the kept stream; the last number changes with the code of `forms`."""


async def released(
    services: Services,
    *,
    caller: Caller,
    query_id: UUID,
    media_type: str,
    asked: Mapping[str, str],
    headers: Mapping[str, str],
) -> Response[Any]:
    """200 or 206. `asked`: the request's headers, names in lower case.

    Raises TooManyFetches, RangeNotSatisfiable, and what `results.result` raises.
    """
    seat = services.fetches.take(caller.organisation_id)
    try:
        async with services.database.session() as session:
            stored = await result(
                session,
                services.answers,
                caller=caller,
                query_id=query_id,
                database=services.database,
                store=services.store,
            )
        return await _made(stored, FORMS[media_type], services.sizes, seat, asked, headers)
    except BaseException:
        seat.leave()
        raise


async def _made(
    stored: StoredResult,
    form: Form,
    sizes: Sizes,
    seat: Seat,
    asked: Mapping[str, str],
    headers: Mapping[str, str],
) -> Response[Any]:
    answer, media_type = stored.answer, form.media_type
    etag = _etag(stored, form)
    sent = {
        "Cache-Control": "no-store",
        "X-Result-SHA256": stored.sha256,
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Vary": "Accept",
        **label_headers(schema_of(answer)),
        **headers,
    }
    part = None
    if asks_for_part(asked, etag):
        size = answer.size_bytes if media_type == ARROW else await sizes.of(form, answer, etag)
        part = start, stop = part_of(asked["range"], size)
        sent["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    status = HTTP_206_PARTIAL_CONTENT if part else HTTP_200_OK
    pieces = _pieces(form, answer, part)
    if answer.size_bytes <= ROW_BYTES:
        whole = b"".join(pieces)
        seat.leave()
        return Response(whole, status_code=status, media_type=media_type, headers=sent)
    if part or media_type == ARROW:
        start, stop = part or (0, answer.size_bytes)
        sent["Content-Length"] = str(stop - start)
    return Stream(_in_threads(pieces, answer, seat), status_code=status, media_type=media_type, headers=sent)


def _etag(stored: StoredResult, form: Form) -> str:
    made_by = "" if form.media_type == ARROW else f"-{_MADE_BY}"
    return f'"{stored.sha256[:32]}-{form.media_type.rpartition("/")[2]}{made_by}"'


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


async def _in_threads(pieces: Iterator[bytes], answer: Answer, seat: Seat) -> AsyncIterator[bytes]:
    """Each piece is made in a thread when the one before has been taken."""
    try:
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            yield piece
    finally:
        seat.leave()
        answer.close()
