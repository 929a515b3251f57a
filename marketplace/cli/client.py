"""A small HTTP client for the commands that talk to a running service."""

from __future__ import annotations

import json
import os
import shutil
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from marketplace.cli.troubles import require_writable
from marketplace.errors import Problem

_PIECE_BYTES = 1024 * 1024


class AddressWrong(Problem):
    code = "command.address"


class Moved(Problem):
    """Params: url, there."""

    status = 421
    code = "service.moved"


class TokenWrong(Problem):
    code = "command.token"


class Unreachable(Problem):
    status = 503
    code = "service.unreachable"


class _Stay(urllib.request.HTTPRedirectHandler):
    """A token goes nowhere but where it was given for, and a POST that is led on would become a GET."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_Stay)


@dataclass(frozen=True)
class Answer:
    """Status, body and headers (names in lower case) of one answer."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def ok(self) -> bool:
        return self.status < 400


@dataclass(frozen=True)
class Client:
    """Calls one service with one token (none: anonymous)."""

    base_url: str
    token: str | None = None
    timeout_s: float = 60

    def get(self, path: str, *, accept: str = "application/json") -> Answer:
        return self._send("GET", path, None, {"Accept": accept})

    def delete(self, path: str) -> Answer:
        return self._send("DELETE", path, None, {})

    def post(self, path: str, body: object, *, idempotency_key: str | None = None) -> Answer:
        """JSON in, JSON out."""
        headers = {"Content-Type": "application/json"}
        if idempotency_key:
            headers["Idempotency-Key"] = idempotency_key
        return self._send("POST", path, json.dumps(body).encode(), headers)

    def save(self, path: str, body: object, file: Path) -> Answer:
        """JSON in; the answer's body goes into `file` as it comes, that of a refusal into the answer.

        Raises OSError before anything is asked if the file cannot be written."""
        require_writable(file)
        headers = {"Content-Type": "application/json"}
        return self._send("POST", path, json.dumps(body).encode(), headers, file)

    def upload(self, path: str, *, file: Path, **beside: Path | str) -> Answer:
        """Multipart: what stands beside under its name (text, or a file with it), then `file`."""
        boundary = uuid.uuid4().hex
        parts: list[bytes | Path] = []
        for name, source in (*beside.items(), ("file", file)):
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            parts += [head.encode() + b"Content-Type: application/octet-stream\r\n\r\n"]
            parts += [source.encode() if isinstance(source, str) else source, b"\r\n"]
        parts.append(f"--{boundary}--\r\n".encode())
        size = sum(len(each) if isinstance(each, bytes) else each.stat().st_size for each in parts)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(size)}
        return self._send("POST", path, _pieces(parts), headers)

    def _send(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None,
        headers: dict[str, str],
        file: Path | None = None,
    ) -> Answer:
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        asked = urllib.request.Request(self.base_url + path, data=body, headers=headers, method=method)  # noqa: S310
        try:
            with _OPENER.open(asked, timeout=self.timeout_s) as answer:
                if file is None:
                    return Answer(answer.status, answer.read(), _lowered(answer.headers))
                with file.open("wb") as kept:
                    shutil.copyfileobj(answer, kept)
                return Answer(answer.status, b"", _lowered(answer.headers))
        except urllib.error.HTTPError as refused:
            if 300 <= refused.code < 400:
                raise Moved(url=self.base_url, there=refused.headers.get("Location", "")) from refused
            return Answer(refused.code, refused.read(), _lowered(refused.headers))
        except (urllib.error.URLError, ConnectionError, TimeoutError) as gone:
            raise Unreachable(url=self.base_url) from gone


def _pieces(parts: Iterable[bytes | Path]) -> Iterator[bytes]:
    """A file a piece at a time: it may be larger than memory."""
    for each in parts:
        if isinstance(each, bytes):
            yield each
            continue
        with each.open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                yield piece


def _lowered(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def from_environment() -> Client:
    """SANDULIEU_URL (default http://127.0.0.1:8080) and SANDULIEU_TOKEN. Raises AddressWrong, TokenWrong."""
    url, token = os.environ.get("SANDULIEU_URL", "http://127.0.0.1:8080"), os.environ.get("SANDULIEU_TOKEN")
    if not url.startswith(("http://", "https://")):
        raise AddressWrong(url=url)
    if token is not None and not (token.isascii() and token.isprintable()):
        raise TokenWrong
    return Client(url.rstrip("/"), token)
