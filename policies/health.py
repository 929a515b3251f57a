"""Whether an engine would decide now, and what it would decide with."""

from __future__ import annotations

from msgspec import Struct


class Health(Struct, frozen=True, kw_only=True):
    """`code`: of the denial that every question would get, None when it decides.

    `age_s`: since the bundle was signed; None for a module in this process, whose sources are compared instead."""

    revision: str
    code: str | None = None
    age_s: int | None = None

    @property
    def healthy(self) -> bool:
        return self.code is None
