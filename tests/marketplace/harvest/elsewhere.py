"""Somebody else's catalogue in its own process: speaks CKAN, DCAT and data.json, politely or not.

A POST sets what it answers from then on: `packages`, or `document` (`documents` by path) with `type` and `etag`;
`robots`, `robots_at` (where they are), `busy` (how often 503, then well), `retry_after`, `redirect` (to where),
`bomb_bytes` (blanks, packed), `endless` (the first page again and again), `silent` (no answer while one waits).
`GET /seen` tells every path that was asked since, and by whom.
"""

from __future__ import annotations

import gzip
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

state: dict[str, Any] = {}
seen: list[dict[str, Any]] = []


class Elsewhere(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        state.clear()
        state.update(json.loads(body))
        seen.clear()
        self._say(200, b"{}")

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/seen":
            self._say(200, json.dumps(seen).encode())
            return
        seen.append({"path": self.path, "agent": self.headers.get("User-Agent")})
        asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/robots.txt" and "robots_at" in state:
            self._say(301, b"", headers={"Location": state["robots_at"]})
        elif parts.path in ("/robots.txt", "/rules/robots.txt"):
            robots = state.get("robots")
            self._say(200 if robots else state.get("robots_status", 404), (robots or "").encode(), "text/plain")
        elif state.get("silent"):
            self.rfile.read()
        elif state.get("busy", 0) > 0:
            state["busy"] -= 1
            self._say(503, b"", headers={"Retry-After": str(state.get("retry_after", 0))})
        elif "redirect" in state:
            self._say(302, b"", headers={"Location": state["redirect"]})
        elif parts.path.startswith("/api/3/action/"):
            self._ckan(parts.path.rsplit("/", 1)[1], asked)
        elif state.get("etag") and self.headers.get("If-None-Match") == state["etag"]:
            self._say(304, b"", headers={"ETag": state["etag"]})
        elif "bomb_bytes" in state:
            packed = gzip.compress(b" " * state["bomb_bytes"])
            self._say(200, packed, "application/json", headers={"Content-Encoding": "gzip"})
        else:
            document = state["documents"].get(parts.path, "") if "documents" in state else state["document"]
            headers = {"ETag": state["etag"]} if state.get("etag") else {}
            self._say(200, document.encode(), state.get("type", "application/json"), headers=headers)

    def _ckan(self, action: str, asked: dict[str, str]) -> None:
        packages = sorted(state["packages"], key=lambda p: p["metadata_modified"], reverse=True)
        if action == "package_list":
            start = int(asked.get("offset", 0))
            result: Any = sorted(p["name"] for p in packages)[start : start + int(asked["limit"])]
        else:
            start, rows = int(asked["start"]), int(asked["rows"])
            if state.get("endless"):
                start = 0
            result = {"count": 10**12 if start == 0 and "endless" in state else len(packages),
                      "results": packages[start : start + rows]}  # fmt: skip
        self._say(200, json.dumps({"success": True, "result": result}).encode())

    def _say(
        self, status: int, body: bytes, kind: str = "application/json", headers: dict[str, str] | None = None
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    print(f"http://127.0.0.1:{server.server_address[1]}", flush=True)
    sys.exit(server.serve_forever())  # type: ignore[func-returns-value]
