"""A witness's small HTTP face: POST /add-checkpoint, GET /<origin hash>/checkpoint."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

from marketplace.witness.cosigning import Answer, Witness
from marketplace.witness.memory import MemoryDamaged

MAX_BODY_BYTES = 64 * 1024
IDLE_S = 30
_CHECKPOINT = re.compile("/([0-9a-f]{64})/checkpoint")
_log = logging.getLogger(__name__)


class WitnessServer(ThreadingHTTPServer):
    """Answers until `shutdown`."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Witness) -> None:
        super().__init__(address, _Handler)
        self.witness = witness


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sandulieu-witness"
    sys_version = ""
    timeout: ClassVar[int] = IDLE_S
    server: WitnessServer

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != "/add-checkpoint":
            return self._close_after(Answer(404, "POST /add-checkpoint\n"))
        if not length.isascii() or not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            return self._close_after(Answer(413, f"Content-Length up to {MAX_BODY_BYTES}\n"))
        body = self.rfile.read(int(length))
        return self._send(self._whole(lambda: self.server.witness.add_checkpoint(body)))

    def do_GET(self) -> None:
        asked = _CHECKPOINT.fullmatch(self.path)
        if asked is None:
            return self._send(Answer(404, "GET /<SHA-256 of the origin>/checkpoint\n"))
        return self._send(self._whole(lambda: self.server.witness.checkpoint(asked[1])))

    def _whole(self, answer: Callable[[], Answer]) -> Answer:
        """What cannot be remembered is not signed."""
        try:
            return answer()
        except (MemoryDamaged, OSError) as wrong:
            _log.critical("the witness signs nothing: %s", wrong)
            return Answer(500, "the witness's memory cannot be used\n")

    def _close_after(self, answer: Answer) -> None:
        """The body was not read, so the connection cannot be used again."""
        self.close_connection = True
        self._send(answer)

    def _send(self, answer: Answer) -> None:
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: every line is in the log that is watched."""


def serve(witness: Witness, host: str, port: int, told: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT; `told` gets the URL once it listens."""
    with WitnessServer((host, port), witness) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        told(f"http://{host}:{server.server_address[1]}")
        server.serve_forever()
