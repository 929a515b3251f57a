"""The purposes that a question may have, as `policies/data/purposes.json` tells them."""

from __future__ import annotations

import functools

import msgspec
from msgspec import Struct

from policies.sources import data


class Purpose(Struct, frozen=True, kw_only=True):
    """`within`: the groups that it is of. `dpv`: its term of W3C DPV."""

    within: tuple[str, ...]
    dpv: str


@functools.cache
def known() -> dict[str, Purpose]:
    """By id, in the order of the file."""
    return msgspec.convert(data()["purposes"]["known"], dict[str, Purpose])


@functools.cache
def never() -> tuple[str, ...]:
    """Those that nobody may ask for."""
    return tuple(data()["purposes"]["never"])
