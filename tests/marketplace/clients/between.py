"""A server between client and service: it notes what is asked, says that it is busy, breaks or keeps things."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

NOT_PASSED_ON = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}


Stream = Literal["passed", "refused", "kept", "cut", "page"]
"""What becomes of a stream of events; a page is what some proxies answer with 200."""


@dataclass
class Between:
    """`asked`: method and path of every call. `busy`: calls to refuse with 429; `lost`: answers to throw away;
    `late`: queries whose quote has ended meanwhile, and quotes are `dearer_vnd` above from then on."""

    behind: str
    url: str = ""
    busy: int = 0
    lost: int = 0
    late: int = 0
    dearer_vnd: int = 0
    stream: Stream = "passed"
    asked: list[tuple[str, str]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)


def _passed_on(between: Between, handler: BaseHTTPRequestHandler) -> tuple[int, dict[str, str], bytes]:
    length = int(handler.headers.get("Content-Length", "0"))
    body = handler.rfile.read(length) if length else None
    between.asked.append((handler.command, handler.path))
    if key := handler.headers.get("Idempotency-Key"):
        between.keys.append(key)
    if between.busy:
        between.busy -= 1
        return 429, {"Retry-After": "1"}, b'{"code": "query.busy", "title": "busy"}'
    if between.late and (handler.command, handler.path) == ("POST", "/api/v1/queries"):
        between.late -= 1
        return 409, {}, b'{"code": "quote.expired", "title": "ended"}'
    headers = {name: value for name, value in handler.headers.items() if name.lower() not in NOT_PASSED_ON}
    asked = urllib.request.Request(
        between.behind + handler.path, data=body, headers=headers, method=handler.command
    )
    try:
        with urllib.request.urlopen(asked, timeout=60) as answer:
            return answer.status, dict(answer.headers), _dearer(between, handler.path, answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, dict(refused.headers), refused.read()


def _dearer(between: Between, path: str, body: bytes) -> bytes:
    if not between.dearer_vnd or between.late or path != "/api/v1/queries/quote":
        return body
    told = json.loads(body)
    return json.dumps({**told, "quote_vnd": told["quote_vnd"] + between.dearer_vnd}).encode()


def _stream(between: Between, handler: BaseHTTPRequestHandler) -> None:
    """Event by event; where it is cut, the first one comes through."""
    between.asked.append((handler.command, handler.path))
    handler.close_connection = True
    handler.send_response(503 if between.stream == "refused" else 200)
    handler.send_header("Content-Type", "text/html" if between.stream == "page" else "text/event-stream")
    handler.end_headers()
    if between.stream in ("refused", "page"):
        return
    headers = {"Authorization": handler.headers["Authorization"]}
    with urllib.request.urlopen(urllib.request.Request(between.behind + handler.path, headers=headers)) as answer:
        for line in answer:
            if between.stream != "kept":
                handler.wfile.write(line)
            if between.stream == "cut" and line == b"\n":
                return


@contextmanager
def between(behind: str) -> Iterator[Between]:
    """It listens on a port of its own."""
    state = Between(behind)

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            if self.path.endswith("/events"):
                _stream(state, self)
                return
            status, headers, body = _passed_on(state, self)
            if state.lost and self.command == "POST" and self.path == "/api/v1/queries":
                state.lost -= 1
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                if name.lower() not in NOT_PASSED_ON:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_DELETE = _answer  # noqa: N815

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
