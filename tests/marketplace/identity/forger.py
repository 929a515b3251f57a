"""The fake VNeID with a second face: who signs in as one of the forgeries gets an id_token that proves nothing.

Run as a process: python -m tests.marketplace.identity.forger CITIZENS.csv
"""

from __future__ import annotations

import base64
import hmac
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from examples.vneid_fake.server import Grant, Provider, read_citizens, serve

DAY_S = 86_400
NEW_KEY = "079099999999"
"""A citizen before whom the provider changes its key."""
Forge = Callable[["Forger", dict[str, Any]], str]


class Forger(Provider):
    """Signs rightly for citizens, wrongly for forgeries."""

    def id_token(self, grant: Grant) -> str:
        if grant.citizen == NEW_KEY:
            self.key = ECKey.generate_key("P-256", parameters={"kid": "new", "use": "sig"})
        forge = FORGERIES.get(grant.citizen)
        return forge(self, self.claims(grant)) if forge else super().id_token(grant)

    def signed(self, claims: dict[str, Any]) -> str:
        return jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key)


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _other_key(forger: Forger, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "ES256", "kid": forger.key.kid}, claims, ECKey.generate_key("P-256"))


def _unsigned(forger: Forger, claims: dict[str, Any]) -> str:
    parts = (msgspec.json.encode({"alg": "none"}), msgspec.json.encode(claims), b"")
    return ".".join(_encoded(each) for each in parts)


def _public_key_as_secret(forger: Forger, claims: dict[str, Any]) -> str:
    header = _encoded(msgspec.json.encode({"alg": "HS256", "kid": forger.key.kid}))
    signed = f"{header}.{_encoded(msgspec.json.encode(claims))}"
    return f"{signed}.{_encoded(hmac.digest(forger.key.as_pem(private=False), signed.encode(), 'sha256'))}"


def _changed_after_signing(forger: Forger, claims: dict[str, Any]) -> str:
    header, _, signature = forger.signed(claims).split(".")
    changed = _encoded(msgspec.json.encode(claims | {"citizen_id": "079000000001"}))
    return f"{header}.{changed}.{signature}"


def _with(**changed: Any) -> Forge:
    return lambda forger, claims: forger.signed(claims | changed)


def _without(name: str) -> Forge:
    return lambda forger, claims: forger.signed({key: value for key, value in claims.items() if key != name})


FORGERIES: dict[str, Forge] = {
    "another key": _other_key,
    "no signature": _unsigned,
    "the public key as a secret": _public_key_as_secret,
    "changed after signing": _changed_after_signing,
    "not a token": lambda forger, claims: "a.b",
    "another audience": _with(aud="somebody-else"),
    "two audiences, for the other": _with(aud=["sandulieu", "somebody-else"], azp="somebody-else"),
    "another issuer": _with(iss="https://issuer.example"),
    "expired": lambda forger, claims: forger.signed(claims | {"exp": claims["exp"] - DAY_S}),
    "from tomorrow": lambda forger, claims: forger.signed(claims | {"nbf": claims["iat"] + DAY_S}),
    "no end": _without("exp"),
    "no nonce": _without("nonce"),
    "another nonce": _with(nonce="replayed"),
    "no citizen": _without("citizen_id"),
    "a number for a citizen": _with(citizen_id=79),
    "a blank citizen": _with(citizen_id=" "),
    "an endless citizen": _with(citizen_id="7" * 257),
}


def main(arguments: list[str]) -> int:
    """Until killed, or until nobody holds the other end of standard input: whoever started us was killed."""
    threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
    citizens = read_citizens(Path(arguments[0]), first=1_000)
    serve(Forger(citizens | dict.fromkeys((*FORGERIES, NEW_KEY), "")), 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
