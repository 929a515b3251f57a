"""Device cookies: a browser that an account has signed in from is counted by itself, whatever strangers try.

(OWASP, "Slow Down Online Guessing Attacks with Device Cookies".) It opens nothing. Whoever steals one may guess as
often as that browser may.
"""

from __future__ import annotations

import hmac
import secrets
import time
from hashlib import sha256
from typing import Final

COOKIE: Final = "sandulieu_device_"
"""And a name for the account: one browser may be several people's."""


def cookie_name(email: str) -> str:
    """Of this account."""
    return COOKIE + sha256(_folded(email)).hexdigest()[:16]


def new_device(key: bytes, email: str) -> str:
    """The cookie's value, for a browser in which this account has just signed in: instant, number, seal."""
    said = f"{int(time.time())}.{secrets.token_hex(16)}"
    return f"{said}.{_seal(key, email, said)}"


def known_device(key: bytes, email: str, value: str, *, lifetime_s: int) -> str | None:
    """By what its attempts are counted; None: of another account, too old, or made up."""
    said, _, seal = value.rpartition(".")
    if not hmac.compare_digest(seal.encode(), _seal(key, email, said).encode()):
        return None
    at, _, number = said.partition(".")
    return f"device {number}" if int(at) + lifetime_s > time.time() else None


def _seal(key: bytes, email: str, said: str) -> str:
    return hmac.new(key, b"device\0" + _folded(email) + b"\0" + said.encode(), sha256).hexdigest()


def _folded(email: str) -> bytes:
    return email.strip().lower().encode()
