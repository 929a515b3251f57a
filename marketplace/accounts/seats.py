"""How many of one thing each organisation has at once in this process: counted before anything is waited for."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

from marketplace.errors import Problem

RETRY_AFTER_S = 5


class Seats:
    """`most` of each organisation; one more gets `refusal`, which is a 429 with Retry-After and `most`."""

    def __init__(self, most: int, refusal: type[Problem]) -> None:
        self.taken: Counter[UUID] = Counter()
        self._most, self._refusal = most, refusal

    def take(self, organisation_id: UUID) -> Seat:
        """A seat, to be left. Raises the refusal."""
        if self.taken[organisation_id] >= self._most:
            raise self._refusal(headers={"Retry-After": str(RETRY_AFTER_S)}, most=self._most)
        self.taken[organisation_id] += 1
        return Seat(self, organisation_id)


class Seat:
    """Left once, by whoever is done with it, or by nobody holding it any more: a stream that its reader never
    began runs no `finally`."""

    def __init__(self, seats: Seats, organisation_id: UUID) -> None:
        self._seats: Seats | None = seats
        self._organisation_id = organisation_id

    def leave(self) -> None:
        """Let another one have it; more than once does no harm."""
        seats, self._seats = self._seats, None
        if seats is not None:
            seats.taken[self._organisation_id] -= 1
            if not seats.taken[self._organisation_id]:
                del seats.taken[self._organisation_id]

    __del__ = leave

    def __enter__(self) -> None:
        """Left at the end."""

    def __exit__(self, *_: object) -> None:
        self.leave()
