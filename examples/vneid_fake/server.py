"""A FAKE VNeID: a real OpenID Connect provider for demos and tests, at which anybody may be any SYNTHETIC citizen.

python server.py CITIZENS.csv [--port 0] [--first 12]

The first column of the file is the citizen's id, the others describe the person. The issuer's address is printed
when it listens, on the loopback address only; keys and codes live in memory. Nothing here checks who somebody is.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import html
import secrets
import sys
import time
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

CODE_LIFETIME_S = 60
ID_TOKEN_LIFETIME_S = 300
LOOPBACK = ("127.0.0.1", "localhost", "::1")
BODY_BYTES = 64 * 1024
PAGE = """<!doctype html>
<html lang="vi"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>VNeID GIẢ (trình diễn)</title><style>
body {{ font: 1rem/1.5 system-ui, "Noto Sans", sans-serif; margin: 0 auto; max-width: 40rem; padding: 1rem;
  color: #16212b }}
.fake {{ background: #8f1d1d; color: #fff; padding: .75rem 1rem; font-weight: 700 }}
button {{ font: inherit; width: 100%; text-align: left; padding: .6rem .8rem; margin: .25rem 0; background: #fff;
  border: 1px solid #6b7a87; border-radius: 4px; cursor: pointer }}
button:focus-visible {{ outline: 3px solid #c2570c }} .id {{ font-family: monospace; font-weight: 700 }}
</style></head><body>
<p class="fake">VNeID GIẢ · FAKE VNeID.
Không phải dịch vụ của Bộ Công an; mọi công dân ở đây đều KHÔNG CÓ THẬT.</p>
<h1>Bạn muốn là ai?</h1><p>{client} xin biết mã công dân. Chọn một công dân tổng hợp.</p>
<form method="post" action="/authorize">{hidden}{citizens}
<button name="citizen" value="">Không đồng ý, quay lại / Refuse</button></form></body></html>"""


@dataclass(frozen=True)
class Grant:
    """What a code stands for until it is redeemed, once."""

    citizen: str
    client_id: str
    redirect_uri: str
    nonce: str | None
    challenge: str
    expires_at: float


class Refused(Exception):
    """A request that is not as the protocol wants it; the text is the error code."""


class Provider:
    """Citizens, the signing key, and codes that wait."""

    def __init__(self, citizens: dict[str, str]) -> None:
        self.citizens = citizens
        self.issuer = ""
        self.key = ECKey.generate_key("P-256", parameters={"kid": secrets.token_hex(4), "use": "sig"})
        self._grants: dict[str, Grant] = {}

    def discovery(self) -> dict[str, Any]:
        """The document at /.well-known/openid-configuration."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "authorization_response_iss_parameter_supported": True,
            "claims_supported": ["sub", "citizen_id"],
        }

    def jwks(self) -> dict[str, Any]:
        """The public key."""
        return {"keys": [self.key.as_dict(private=False)]}

    def check(self, asked: dict[str, str]) -> None:
        """Raises Refused unless this is an authorization request for a code with PKCE, from a loopback client."""
        target = urlsplit(asked.get("redirect_uri", ""))
        if target.scheme != "http" or target.hostname not in LOOPBACK:
            raise Refused("redirect_uri")
        if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
            raise Refused("unsupported_response_type")
        if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
            raise Refused("invalid_request")
        if not asked.get("client_id") or not asked.get("state"):
            raise Refused("invalid_request")

    def decide(self, asked: dict[str, str]) -> str:
        """Where the browser goes with a code for the chosen citizen, or with a refusal."""
        self.check(asked)
        answer = {"state": asked["state"], "iss": self.issuer}
        citizen = asked.get("citizen", "")
        if citizen in self.citizens:
            code = secrets.token_urlsafe(24)
            self._grants[code] = Grant(
                citizen, asked["client_id"], asked["redirect_uri"], asked.get("nonce"), asked["code_challenge"],
                time.monotonic() + CODE_LIFETIME_S,
            )  # fmt: skip
            answer["code"] = code
        else:
            answer["error"] = "access_denied"
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, sent: dict[str, str]) -> dict[str, Any]:
        """The answer of the token endpoint. Raises Refused."""
        grant = self._grants.pop(sent.get("code", ""), None)
        verifier = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if sent.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type")
        if grant is None or grant.expires_at < time.monotonic() or challenge != grant.challenge:
            raise Refused("invalid_grant")
        if (sent.get("client_id"), sent.get("redirect_uri")) != (grant.client_id, grant.redirect_uri):
            raise Refused("invalid_grant")
        return {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": ID_TOKEN_LIFETIME_S,
            "id_token": self.id_token(grant),
        }

    def id_token(self, grant: Grant) -> str:
        """Who signed in, signed."""
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, self.claims(grant), self.key)

    def claims(self, grant: Grant) -> dict[str, Any]:
        """What the id_token says."""
        now = int(time.time())
        return {
            "iss": self.issuer,
            "sub": hashlib.sha256(grant.citizen.encode()).hexdigest(),
            "aud": grant.client_id,
            "iat": now,
            "exp": now + ID_TOKEN_LIFETIME_S,
            "citizen_id": grant.citizen,
            **({"nonce": grant.nonce} if grant.nonce else {}),
        }


class Handler(BaseHTTPRequestHandler):
    """The five addresses of the provider."""

    provider: Provider

    def do_GET(self) -> None:
        path, query = urlsplit(self.path).path, urlsplit(self.path).query
        if path == "/.well-known/openid-configuration":
            self._json(self.provider.discovery())
        elif path == "/jwks":
            self._json(self.provider.jwks())
        elif path == "/authorize":
            self._guarded(lambda: self._choose(_flat(query)))
        else:
            self._json({"error": "not_found"}, HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        length = min(int(self.headers.get("Content-Length", "0")), BODY_BYTES)
        sent = _flat(self.rfile.read(length).decode())
        if self.path == "/authorize":
            self._guarded(lambda: self._redirect(self.provider.decide(sent)))
        elif self.path == "/token":
            self._guarded(lambda: self._json(self.provider.redeem(self._basic() | sent)))
        else:
            self._json({"error": "not_found"}, HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: addresses carry codes."""

    def _basic(self) -> dict[str, str]:
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        return {"client_id": base64.b64decode(value).decode().partition(":")[0]} if kind == "Basic" else {}

    def _choose(self, asked: dict[str, str]) -> None:
        self.provider.check(asked)
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        citizens = "".join(
            f'<button name="citizen" value="{html.escape(each)}"><span class="id">{html.escape(each)}</span>'
            f" {html.escape(about)}</button>"
            for each, about in self.provider.citizens.items()
        )
        client = html.escape(asked["client_id"])
        page = PAGE.format(client=client, hidden=hidden, citizens=citizens)
        self._send(page.encode(), "text/html; charset=utf-8")

    def _guarded(self, act: Any) -> None:
        try:
            act()
        except Refused as refused:
            self._json({"error": str(refused)}, HTTPStatus.BAD_REQUEST)

    def _redirect(self, to: str) -> None:
        self.send_response(HTTPStatus.SEE_OTHER)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: dict[str, Any], status: HTTPStatus = HTTPStatus.OK) -> None:
        self._send(msgspec.json.encode(value), "application/json", status)

    def _send(self, body: bytes, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


def read_citizens(file: Path, first: int) -> dict[str, str]:
    """Id → description of the first persons of a CSV file with a header."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        next(rows, None)
        return {row[0]: " · ".join(row[1:5]) for row in islice(rows, first)}


def serve(provider: Provider, port: int) -> None:
    """Listen until killed; the issuer's address is the first line on standard output."""
    handler = type("Bound", (Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        print(provider.issuer, flush=True)
        server.serve_forever()


def main(arguments: list[str]) -> int:
    """0 when stopped by a signal."""
    parser = argparse.ArgumentParser(description="VNeID GIẢ / a FAKE VNeID for demos and tests")
    parser.add_argument("citizens", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--first", type=int, default=12)
    chosen = parser.parse_args(arguments)
    serve(Provider(read_citizens(chosen.citizens, chosen.first)), chosen.port)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
