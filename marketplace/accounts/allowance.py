"""What may be had without paying: so many points a minute of each organisation, and of each address of nobody's.

One instant a payer: when all that was taken will be made up for (the generic cell rate algorithm, ITU-T I.371). It
lives in the process, so that no request waits for a database, and nothing is counted by anybody else: two
services on one database allow twice as much.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Any, Final
from uuid import UUID

from litestar.handlers import BaseRouteHandler
from msgspec import Struct

from marketplace.accounts.csrf import SAFE
from marketplace.errors import Problem

PAGE: Final = 1
"""Points of what is read and leaves nothing."""
QUESTION: Final = 10
"""Of 2,000 characters of SQL that are understood, priced and decided."""
LASTING: Final = 40
"""Of what is written for good: a row, an event of the log."""
PAID: Final = 50
"""What a query that was paid for gives back besides: its quote, some looks at how it goes and at its answer."""
OWN_LIMIT: Final = {"points": 0}
"""`opt` of the routes of persons about themselves: each person's requests are counted where she is known."""
QUESTION_CHARACTERS: Final = 2_000
LOOK_S: Final = 10
"""Between two looks for payers who owe nothing any more, where there is no room for another."""
ELSEWHERE: Final = "elsewhere"
"""All addresses for which there was no room, together."""

Payer = UUID | str
"""An organisation, or an address."""


class AllowanceSpent(Problem):
    """Params: retry_after_s."""

    status = 429
    code = "allowance.spent"


class Rate(Struct, frozen=True):
    """Points that come back, and that may be taken at once."""

    per_minute: int
    at_once: int


class Allowance:
    """`most`: payers whose points are counted at once. Times in seconds of `clock`."""

    def __init__(
        self, tenant: Rate, address: Rate, *, most: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tenant, self._address, self._most, self._clock = tenant, address, most, clock
        self._even_at: dict[Payer, float] = {}
        self._look_at = clock()
        self.refused: Counter[Payer] = Counter()
        """Requests since somebody last looked, of as many payers as are counted."""
        self.refused_ever: Counter[str] = Counter()

    def take(self, payer: Payer, points: int) -> None:
        """Raises AllowanceSpent, which takes nothing."""
        payer, now = self._counted(payer), self._clock()
        rate = self._rate(payer)
        even_at = max(self._even_at.get(payer, now), now) + points * 60 / rate.per_minute
        # What is dearer than all that there is at once may be had by whoever has all of it.
        wait_s = even_at - now - max(rate.at_once, points) * 60 / rate.per_minute
        if wait_s > 1e-6:
            self._refuse(payer, wait_s)
        self._even_at[payer] = even_at

    def owe(self, payer: Payer, points: int) -> None:
        """Taken although there may be too few: what comes next waits for them."""
        payer, now = self._counted(payer), self._clock()
        self._even_at[payer] = max(self._even_at.get(payer, now), now) + points * 60 / self._rate(payer).per_minute

    def give_back(self, payer: Payer, points: int) -> None:
        """Nobody gets more than all that there is at once."""
        if payer in self._even_at:
            self._even_at[payer] -= points * 60 / self._rate(payer).per_minute

    def told(self) -> Counter[Payer]:
        """`refused`, which begins anew."""
        refused, self.refused = self.refused, Counter()
        return refused

    def counted(self) -> int:
        """Payers that it holds."""
        return len(self._even_at)

    def _rate(self, payer: Payer) -> Rate:
        return self._tenant if isinstance(payer, UUID) else self._address

    def _counted(self, payer: Payer) -> Payer:
        """The payer, or ELSEWHERE: there are only so many organisations, but addresses without end."""
        if payer in self._even_at or isinstance(payer, UUID):
            return payer
        now = self._clock()
        if len(self._even_at) >= self._most and now >= self._look_at:
            self._even_at = {each: at for each, at in self._even_at.items() if at > now}
            self._look_at = now + LOOK_S
        return payer if len(self._even_at) < self._most else ELSEWHERE

    def _refuse(self, payer: Payer, wait_s: float) -> None:
        retry_after_s = ceil(wait_s)
        self.refused_ever["tenant" if isinstance(payer, UUID) else "address"] += 1
        if payer in self.refused or len(self.refused) < self._most:
            self.refused[payer] += 1
        raise AllowanceSpent(retry_after_s=retry_after_s, headers={"Retry-After": str(retry_after_s)})


def question_points(sql: str) -> int:
    """Of a question that nobody has paid for yet."""
    return QUESTION * (1 + len(sql) // QUESTION_CHARACTERS)


def route_points(handler: BaseRouteHandler, method: str) -> int:
    """What a request costs whoever sends it; a route that knows better says so in its `opt`."""
    points: int = handler.opt.get("points", PAGE if method in SAFE else LASTING)
    return points


def address_of(scope: Mapping[str, Any]) -> str:
    """Whoever has an address of IPv6 has 2⁶⁴ of them."""
    host: str = (scope.get("client") or ("",))[0]
    try:
        found = ip_address(host)
    except ValueError:
        return host
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped) if found.ipv4_mapped else f"{IPv6Address(int(found) >> 64 << 64)}/64"
    return host


def charge(request: Any, payer: UUID | None) -> None:
    """Of the organisation, None: of the address, what the route costs, once a request. Raises AllowanceSpent.

    Only a whole service has an `allowance`, not its handlers alone."""
    state = request.scope["state"]
    allowance: Allowance | None = request.app.state.get("allowance")
    if allowance is None or state.get("sandulieu_charged"):
        return
    state["sandulieu_charged"] = True
    handler = request.scope.get("route_handler")
    points = route_points(handler, request.method) if handler is not None else PAGE
    if points:
        allowance.take(payer or address_of(request.scope), points)


@cache
def asks_who(handler: BaseRouteHandler) -> bool:
    """Whether what it needs tells who asks; that charges, then."""
    provided, needed = handler.resolve_dependencies(), list(handler.parsed_fn_signature.parameters)
    for name in needed:
        if name in provided:
            needed += [each for each in provided[name].parsed_fn_signature.parameters if each not in needed]
    return "presented" in needed


def charge_nobody(request: Any) -> None:
    """Before a request: of its address, where nobody will ask who it is. Raises AllowanceSpent."""
    if not asks_who(request.scope["route_handler"]):
        charge(request, None)
