"""Whether a webhook is signed with one of our secrets, lately: `t=<unix seconds>,v1=<hex HMAC-SHA256>,…`.

Source: docs.stripe.com/webhooks/signature. The MAC is over `<t>.<raw body>`; there may be several `v1`, and while
a secret is being replaced there are several secrets.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from marketplace.payments.errors import SignatureWrong

HEADER_CHARACTERS = 4_096


def check_signature(body: bytes, header: str, *, secrets: Sequence[str], now_s: float, tolerance_s: int) -> None:
    """Raises SignatureWrong; nothing tells which part was wrong."""
    stamps, given = _parts(header)
    if len(stamps) != 1 or not stamps[0].isdecimal() or abs(now_s - int(stamps[0])) > tolerance_s:
        raise SignatureWrong
    signed = stamps[0].encode() + b"." + body
    expected = [hmac.new(secret.encode(), signed, sha256).hexdigest().encode() for secret in secrets]
    if not any(hmac.compare_digest(one, two) for one in expected for two in given):
        raise SignatureWrong


def _parts(header: str) -> tuple[list[str], list[bytes]]:
    stamps, given = [], []
    for part in header[:HEADER_CHARACTERS].split(","):
        name, _, value = part.strip().partition("=")
        if name == "t":
            stamps.append(value)
        elif name == "v1":
            given.append(value.encode())
    return [stamp for stamp in stamps if stamp.isascii() and len(stamp) < 16], given
