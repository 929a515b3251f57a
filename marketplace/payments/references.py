"""Reference codes of bank transfers: short, without look-alikes, and a wrong one is told from an unknown one.

`SDL`, seven random symbols, one check symbol: the sum of place × value is 0 modulo the prime 31, so that every
single wrong symbol and every swap of two is found.
"""

from __future__ import annotations

import secrets

PREFIX = "SDL"
SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXY"
LENGTH = 8
LOOK_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})
_PRIME = len(SYMBOLS)
_INVERSE = pow(LENGTH, -1, _PRIME)


def new_reference() -> str:
    """A code that nobody can guess to be another's: 31⁷ of them."""
    body = "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH - 1))
    return PREFIX + body + SYMBOLS[-_weighted(body) * _INVERSE % _PRIME]


def find_reference(memo: str) -> str | None:
    """The one valid code in what the payer wrote and the bank made of it; None: none, or more than one."""
    text = "".join(symbol for symbol in memo.upper() if symbol.isascii() and symbol.isalnum())
    found = set()
    place = text.find(PREFIX)
    while place >= 0:
        body = text[place + len(PREFIX) : place + len(PREFIX) + LENGTH].translate(LOOK_ALIKE)
        if len(body) == LENGTH and all(s in SYMBOLS for s in body) and _weighted(body) % _PRIME == 0:
            found.add(PREFIX + body)
        place = text.find(PREFIX, place + 1)
    return found.pop() if len(found) == 1 else None


def _weighted(body: str) -> int:
    return sum(place * SYMBOLS.index(symbol) for place, symbol in enumerate(body, start=1))
