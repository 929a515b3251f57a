"""A store that speaks S3, in its own process: `python -m tests.marketplace.sources.store FOLDER` prints its port.

It checks signatures with nothing of ours, gives two keys a page, and fails the first request for a "flaky" key.
Prefixes that begin with "bad" get listings that no store should give.
"""

from __future__ import annotations

import hashlib
import hmac
import sys
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


class Store(BaseHTTPRequestHandler):
    folder: Path
    failed: ClassVar[set[str]] = set()

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if not self._is_signed(address.path, address.query):
            self._answer(403, b"<Error><Code>SignatureDoesNotMatch</Code></Error>")
        elif not (address.path + "/").startswith(f"/{BUCKET}/"):
            self._answer(404, b"<Error><Code>NoSuchBucket</Code></Error>")
        elif address.path == f"/{BUCKET}":
            self._answer(200, self._listing(dict(parse_qsl(address.query))))
        else:
            self._object(unquote(address.path.removeprefix(f"/{BUCKET}/")))

    def _object(self, key: str) -> None:
        if "flaky" in key and key not in self.failed:
            self.failed.add(key)
            self._answer(503, b"<Error><Code>SlowDown</Code></Error>")
            return
        self._answer(200, (self.folder / key).read_bytes())

    def _listing(self, asked: dict[str, str]) -> bytes:
        assert asked["list-type"] == "2"
        begin = int(token) if (token := asked.get("continuation-token", "0")).isdigit() else 0
        if asked["prefix"] in _BAD:
            return f"{_HEAD}{_BAD[asked['prefix']].format(begin + 1)}</ListBucketResult>".encode()
        names = (str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file())
        keys = sorted(name for name in names if name.startswith(asked.get("prefix", "")))
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

    def _is_signed(self, path: str, query: str) -> bool:
        said = dict(
            part.strip().split("=", 1) for part in self.headers["authorization"].split(" ", 1)[1].split(",")
        )
        names = said["SignedHeaders"].split(";")
        pairs = sorted((quote(n, safe="-_.~"), quote(v, safe="-_.~")) for n, v in parse_qsl(query, True))
        headers = "".join(f"{name}:{self.headers[name]}\n" for name in names)
        request = "\n".join(
            ["GET", path, "&".join(f"{n}={v}" for n, v in pairs), headers, said["SignedHeaders"],
             hashlib.sha256(b"").hexdigest()]
        )  # fmt: skip
        stamp = self.headers["x-amz-date"]
        scope = f"{stamp[:8]}/{REGION}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
        key = ("AWS4" + SECRET).encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return said["Credential"] == f"{KEY_ID}/{scope}" and said["Signature"] == right and "host" in names

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""


if __name__ == "__main__":
    Store.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Store)
    print(server.server_address[1], flush=True)
    server.serve_forever()
