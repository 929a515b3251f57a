"""How a query gets on, as the service tells it: server-sent events, read beside a caller who may leave."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, SimpleQueue

import httpx

from sandulieu_client.transport import Transport

_TICK_S = 0.25
_FIRST_S = 5.0
"""The service tells the state at once: where nothing comes, something on the way keeps it."""
_QUIET_S = 20.0
"""The service says something every 15 seconds."""

_BROKEN = (httpx.HTTPError, httpx.StreamError, OSError, RuntimeError, ValueError, LookupError, TypeError)
_TYPE = "text/event-stream"
Told = tuple[str, int | None]
"""State, and the place of a query that waits."""


def told(transport: Transport, query_id: str) -> Iterator[Told]:
    """What was told last, again each moment; ends with the stream, without a word where it cannot be had."""
    heard: SimpleQueue[Told | None] = SimpleQueue()
    threading.Thread(target=_listen, args=(transport, query_id, heard), daemon=True).start()
    last: Told | None = None
    until = time.monotonic() + _FIRST_S
    while last is not None or time.monotonic() < until:
        with suppress(Empty):
            last = heard.get(timeout=_TICK_S)
            if last is None:
                return
        if last is not None:
            yield last


def _listen(transport: Transport, query_id: str, heard: SimpleQueue[Told | None]) -> None:
    path = f"/api/v1/queries/{query_id}/events"
    try:
        # However it breaks, also by a closed client: whoever waits polls then, and is told what is wrong.
        with suppress(
            httpx.HTTPError, httpx.StreamError, OSError, RuntimeError, ValueError, LookupError, TypeError
        ):
            for line in transport.lines(path, _TYPE, quiet_s=_QUIET_S):
                if line.startswith("data: "):
                    found = json.loads(line[6:])
                    heard.put((found["state"], found["place"]))
    finally:
        heard.put(None)
