"""How long answers are in the forms made of them: one fetched in ranges is not made again to be measured."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from uuid import UUID

from marketplace.queries.forms import Form
from marketplace.queries.keeping import Answer

MOST = 1024


class Sizes:
    """The last MOST of them. An ETag says the form, its makers and the answer's hash."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[UUID, str], int] = OrderedDict()

    async def of(self, form: Form, answer: Answer, etag: str) -> int:
        """In bytes: the first time the form is made to be measured, in a thread."""
        key = (answer.query_id, etag)
        if (size := self._known.get(key)) is None:
            size = await asyncio.to_thread(lambda: sum(len(piece) for piece in form.pieces(answer)))
            self._known[key] = size
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return size
