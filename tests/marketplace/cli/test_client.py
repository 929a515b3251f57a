"""What the commands' client does of itself, before and after a service answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from marketplace.cli.client import Client, Moved
from sandulieu_client import SandulieuError, Unreachable, connect

ELSEWHERE = "https://other.example/api/v1/agreements"


class _Leading(BaseHTTPRequestHandler):
    def _lead(self) -> None:
        self.send_response(301)
        self.send_header("Location", ELSEWHERE)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_POST = _lead  # noqa: N815 - the server's names

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def leading() -> Iterator[str]:
    """The address of somebody who leads whoever asks to another one."""
    server = HTTPServer(("127.0.0.1", 0), _Leading)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_token_is_not_carried_to_where_somebody_leads(leading: str) -> None:
    client = Client(leading, "sdl_x_y")
    with pytest.raises(Moved) as moved:
        client.get("/api/v1/agreements")
    assert moved.value.params == {"url": leading, "there": ELSEWHERE}
    with pytest.raises(Moved):
        client.post("/api/v1/queries", {})
    with connect(leading, "sdl_x_y", language="en") as connection, pytest.raises(Unreachable, match=ELSEWHERE):
        connection.agreements()


def test_what_is_no_address_is_told_before_anybody_is_asked() -> None:
    with pytest.raises(SandulieuError, match="Begin with https://"):
        connect("127.0.0.1:8080", "sdl_x_y", language="en")
