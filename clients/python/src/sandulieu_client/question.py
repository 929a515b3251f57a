"""One question: its price first, then its answer, which is paid once however often it is looked at."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sandulieu_client import watching
from sandulieu_client.answer import Answer, form_of
from sandulieu_client.errors import AnswerFailed, Refused, SandulieuError, TooDear
from sandulieu_client.progress import Progress, progress
from sandulieu_client.transport import Transport

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

FIRST_WAIT_S = 1.0
"""Short: until the service has answered once, an interrupted question has no id by which it can be cancelled."""
_POLL_S, _SLOWEST_POLL_S = 0.2, 2.0
_GOING = {"queued", "running"}


@dataclass(frozen=True, slots=True)
class Quote:
    """What the answer costs, at most and in fact; nothing was held and nothing ran."""

    id: str
    vnd: int
    bytes: int
    columns: tuple[tuple[str, str], ...]
    """Name and type of each column of the answer."""
    body: Mapping[str, Any]


def _share(query: Mapping[str, Any]) -> float | None:
    told = query.get("progress")
    return float(told) if isinstance(told, int | float) else None


class Question:
    """SQL under agreements, for a purpose. Asked once: what is fetched again is the same answer."""

    def __init__(self, transport: Transport, body: Mapping[str, Any], *, max_vnd: int | None,
                 show_progress: bool | None) -> None:  # fmt: skip
        self._transport = transport
        self._body = body
        self._max_vnd = max_vnd
        self._show_progress = show_progress
        self._key = uuid.uuid4().hex
        self._quote: Quote | None = None
        self._answer: Answer | None = None

    @property
    def sql(self) -> str:
        """What is asked."""
        return str(self._body["sql"])

    def quote(self) -> Quote:
        """The price. Raises Denied with every reason, or SqlRefused with the place."""
        if self._quote is None:
            told = self._transport.post("/api/v1/queries/quote", self._body)
            columns = tuple((one["name"], one["type"]) for one in told["columns"])
            self._quote = Quote(told["id"], told["quote_vnd"], told["bytes"], columns, told)
        return self._quote

    def run(self) -> Answer:
        """The answer, at the price quoted. TooDear before anything runs; Ctrl-C cancels it at the service.

        A quote that ended meanwhile is asked for anew; what is dearer then than it was told runs only when told
        again, or within `max_vnd`."""
        if self._answer is None:
            try:
                self._answer = self._followed(self._asked(self._max_vnd))
            except Refused as refusal:
                if refusal.code != "quote.expired":
                    raise
                told, self._quote = self.quote().vnd, None
                most = told if self._max_vnd is None else self._max_vnd
                self._answer = self._followed(self._asked(most))
        return self._answer

    def to_arrow(self) -> pa.Table:
        """The answer as a pyarrow table."""
        return self.run().to_arrow()

    def to_pandas(self) -> pd.DataFrame:
        """The answer as a pandas frame."""
        return self.run().to_pandas()

    def to_polars(self) -> pl.DataFrame:
        """The answer as a polars frame."""
        return self.run().to_polars()

    def save(self, path: str | Path, form: str | None = None) -> Path:
        """The answer as a file: .arrow, .parquet, .csv or .json. Raises ValueError, before anything is paid."""
        wanted = form_of(path, form)
        return self.run().save(path, wanted)

    def _asked(self, most_vnd: int | None) -> dict[str, Any]:
        quote = self.quote()
        if most_vnd is not None and quote.vnd > most_vnd:
            raise self._too_dear(quote.vnd, most_vnd)
        asked = {**self._body, "quote_id": quote.id, "max_vnd": quote.vnd, "wait_s": FIRST_WAIT_S}
        query: dict[str, Any] = self._transport.post("/api/v1/queries", asked, idempotency_key=self._key)
        return query

    def _followed(self, query: dict[str, Any]) -> Answer:
        line, pause_s, streams = progress(self._show_progress), _POLL_S, True
        try:
            while query["state"] in _GOING:
                line.show(query["state"], _share(query))
                heard = self._heard(query["id"], line) if streams else ""
                # A stream that broke while the query went on is opened again; one that told nothing is not.
                streams = heard in _GOING
                if streams or not heard:
                    time.sleep(pause_s)
                    pause_s = min(pause_s * 1.5, _SLOWEST_POLL_S)
                query = self._transport.get(f"/api/v1/queries/{query['id']}")
        except KeyboardInterrupt:
            # A service that cannot cancel lets it end by itself; the interrupt is what counts.
            with suppress(SandulieuError):
                self._transport.delete(f"/api/v1/queries/{query['id']}")
            raise
        finally:
            line.end()
        if query["state"] != "ready":
            raise self._failed(query)
        return Answer(query["id"], query["charged_vnd"] or 0, query["rows"] or 0, query, self._transport)

    def _heard(self, query_id: str, line: Progress) -> str:
        """The last state that the stream of events told; empty when it told none."""
        state = ""
        for state, place in watching.told(self._transport, query_id):
            if state in _GOING:
                line.show(state if place is None else f"{state} ({place})", None)
        return state

    def _failed(self, query: Mapping[str, Any]) -> AnswerFailed:
        failure = query.get("failure") or {}
        words = failure.get("messages") or {
            "vi": {"what": f"Truy vấn kết thúc ở trạng thái {query['state']}."},
            "en": {"what": f"The query ended as {query['state']}."},
        }
        code = failure.get("code") or f"query.{query['state']}"
        params = {**(failure.get("params") or {}), "query_id": query["id"]}
        return AnswerFailed(code, words, language=self._transport.language, params=params)

    def _too_dear(self, vnd: int, most: int) -> TooDear:
        nexts = {"vi": "Nâng max_vnd hoặc đọc ít cột hơn.", "en": "Raise max_vnd or read fewer columns."}
        if self._max_vnd is None:  # most: what the quote said that ended
            nexts = {
                "vi": "Báo giá cũ đã hết hạn; gọi run() lần nữa nếu đồng ý giá mới.",
                "en": "The earlier quote has ended; call run() again if the new price is right.",
            }
        words = {
            "vi": {"what": f"Giá {vnd:,} đ cao hơn mức {most:,} đ.", "next": nexts["vi"]},
            "en": {"what": f"The price {vnd:,} đ is above {most:,} đ.", "next": nexts["en"]},
        }
        params = {"quote_vnd": vnd, "max_vnd": most}
        return TooDear("query.too_dear", words, language=self._transport.language, params=params)
