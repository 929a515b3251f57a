"""A store that speaks S3, in its own process: `python -m tests.marketplace.sources.store FOLDER [PORT [PEM]]`.

It prints its port, checks signatures with nothing of ours, gives two keys a page, and fails the first request
for a "flaky" key.
A refusal of an "endless" key does not end, and below "careless" more is listed than was asked for.
Prefixes that begin with "bad" get listings that no store should give. What is put is there whole or not at all.
A prefix of `_WAYS` makes it a store that knows no conditions, or lies. `POST /fault?at=N&how=HOW` (unsigned)
breaks the N-th put or removal from then on, once: before or after it is done, by silence, or by its own end.
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import os
import ssl
import sys
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

KEY_ID, SECRET, BUCKET, REGION = "AKIDEXAMPLE", "secret-of-the-store", "people", "ap-southeast-1"
_PAGE = 2
_HEAD = '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
_BAD = {
    "bad-token": "<NextContinuationToken>again</NextContinuationToken>",
    "bad-tokens": "<NextContinuationToken>{}</NextContinuationToken>",
    "bad-size": "<Contents><Key>bad-size/a</Key><Size>many</Size></Contents>",
}
_WAYS = ("unconditional", "ignoring", "lying", "full")
"""Conditions are not implemented; they are ignored; puts are acknowledged and not kept; puts are refused."""


class Store(BaseHTTPRequestHandler):
    folder: Path
    failed: ClassVar[set[str]] = set()
    numbers: ClassVar[itertools.count[int]] = itertools.count(1)
    fault: ClassVar[tuple[int, str] | None] = None

    def do_GET(self) -> None:
        self._asked(self._read)

    def do_PUT(self) -> None:
        self._asked(lambda key, body: self._changed(lambda: self._keep(key, body)))

    def do_DELETE(self) -> None:
        self._asked(lambda key, _: self._changed(lambda: self._remove(key)))

    def do_POST(self) -> None:
        told = dict(parse_qsl(urlsplit(self.path).query))
        Store.numbers, Store.fault = itertools.count(1), (int(told["at"]), told["how"])
        self._answer(200, b"")

    def _asked(self, do: Callable[[str, bytes], None]) -> None:
        address = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self._is_signed(address.path, address.query, body):
            self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        elif not (address.path + "/").startswith(f"/{BUCKET}/"):
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif address.path == f"/{BUCKET}":
            self._answer(200, self._listing(dict(parse_qsl(address.query))))
        else:
            do(unquote(address.path.removeprefix(f"/{BUCKET}/")), body)

    def _changed(self, do: Callable[[], tuple[int, bytes]]) -> None:
        at, how = Store.fault or (0, "")
        if next(Store.numbers) != at:
            self._answer(*do())
            return
        Store.fault = None
        if how.endswith("after"):
            do()
        if how.startswith("die"):
            os._exit(1)
        if how.startswith("slow"):
            time.sleep(1)
        if how == "503":
            self._answer(503, b"<Error><Code>SlowDown</Code></Error>")
        self.close_connection = True

    def _keep(self, key: str, body: bytes) -> tuple[int, bytes]:
        way, path = key.partition("/")[0], self.folder / key
        wanted = {name: self.headers[name] for name in ("if-none-match", "if-match") if self.headers[name]}
        if way == "full":
            return 507, b"<Error><Code>InsufficientStorage</Code></Error>"
        if wanted and way == "unconditional":
            return 501, b"<Error><Code>NotImplemented</Code></Error>"
        if way != "ignoring" and (
            ("if-none-match" in wanted and path.exists())
            or ("if-match" in wanted and not (path.exists() and wanted["if-match"] == _etag(path.read_bytes())))
        ):
            return 412, b"<Error><Code>PreconditionFailed</Code></Error>"
        if way != "lying":
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_name(f".{path.name}.{time.monotonic_ns()}")
            draft.write_bytes(body)
            draft.replace(path)
        return 200, b""

    def _remove(self, key: str) -> tuple[int, bytes]:
        (self.folder / key).unlink(missing_ok=True)
        return 204, b""

    def _read(self, key: str, _: bytes) -> None:
        if "flaky" in key and key not in self.failed:
            self.failed.add(key)
            self._answer(503, b"<Error><Code>SlowDown</Code></Error>")
        elif key.endswith("endless"):
            self.send_response(403)
            self.send_header("content-length", str(1 << 30))
            self.end_headers()
            self.wfile.write(b"<Error><Code>AccessDenied</Code>" + b" " * 8192)
            self.rfile.read(1)
        elif (self.folder / key).is_file():
            self._answer(200, (self.folder / key).read_bytes())
        else:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def _listing(self, asked: dict[str, str]) -> bytes:
        assert asked["list-type"] == "2"
        begin = int(token) if (token := asked.get("continuation-token", "0")).isdigit() else 0
        if asked["prefix"] in _BAD:
            return f"{_HEAD}{_BAD[asked['prefix']].format(begin + 1)}</ListBucketResult>".encode()
        names = (str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())
        prefix = asked.get("prefix", "")
        below = f"{prefix.partition('/')[0]}/" if prefix.startswith("careless") else prefix
        keys = sorted(name for name in names if name.startswith(below))
        page = keys[begin : begin + _PAGE]
        more = begin + _PAGE < len(keys)
        entries = "".join(
            f"<Contents><Key>{escape(key)}</Key><Size>{(self.folder / key).stat().st_size}</Size></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{begin + _PAGE}</NextContinuationToken>" if more else ""
        return (
            f"{_HEAD}<IsTruncated>{str(more).lower()}</IsTruncated>{entries}{token}</ListBucketResult>"
        ).encode()

    def _is_signed(self, path: str, query: str, body: bytes) -> bool:
        said = dict(
            part.strip().split("=", 1) for part in self.headers["authorization"].split(" ", 1)[1].split(",")
        )
        names = said["SignedHeaders"].split(";")
        pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(query, True))
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        body_sha256 = hashlib.sha256(body).hexdigest()
        request = "\n".join(
            [self.command, path, "&".join(f"{n}={v}" for n, v in pairs), headers, said["SignedHeaders"],
             body_sha256]
        )  # fmt: skip
        stamp = self.headers["x-amz-date"]
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return (
            (said["Credential"], said["Signature"]) == (f"{KEY_ID}/{scope}", right)
            and "host" in names
            and self.headers["x-amz-content-sha256"] == body_sha256
        )

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", _etag(body))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


def _etag(data: bytes) -> str:
    return f'"{hashlib.md5(data).hexdigest()}"'


if __name__ == "__main__":
    Store.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Store)
    if len(sys.argv) > 3:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    server.serve_forever()
