"""What may be had without paying: exact over time, whoever asks, and in bounded memory."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.allowance import (
    ELSEWHERE,
    LOOK_S,
    PAGE,
    QUESTION,
    Allowance,
    AllowanceSpent,
    Rate,
    address_of,
    question_points,
)
from marketplace.config import Config

TENANT, OTHER = uuid4(), uuid4()


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def counting(clock: Clock, *, per_minute: int = 60, at_once: int = 10, most: int = 100) -> Allowance:
    rate = Rate(per_minute, at_once)
    return Allowance(rate, rate, most=most, clock=clock)


def taken(allowance: Allowance, payer: UUID | str, points: int = 1, tries: int = 1_000) -> int:
    """How often it was given."""
    count = 0
    for _ in range(tries):
        try:
            allowance.take(payer, points)
            count += 1
        except AllowanceSpent:
            break
    return count


def test_all_at_once_then_as_it_comes_back_and_nobody_pays_for_another() -> None:
    clock = Clock()
    allowance = counting(clock)
    assert taken(allowance, TENANT) == 10
    with pytest.raises(AllowanceSpent) as refused:
        allowance.take(TENANT, 3)
    assert (refused.value.status, refused.value.headers["Retry-After"]) == (429, "3")
    clock.now_s += 3
    allowance.take(TENANT, 3)
    assert (taken(allowance, TENANT), taken(allowance, OTHER)) == (0, 10)
    assert (allowance.told()[TENANT], allowance.told()[TENANT]) == (3, 0)


def test_what_is_owed_is_made_up_for_and_what_was_paid_for_comes_back() -> None:
    clock = Clock()
    allowance = counting(clock)
    allowance.owe(TENANT, 25)
    assert taken(allowance, TENANT) == 0
    clock.now_s += 15
    assert taken(allowance, TENANT) == 0
    allowance.give_back(TENANT, 4)
    assert taken(allowance, TENANT) == 4
    allowance.give_back(TENANT, 10_000)
    allowance.give_back(OTHER, 10_000)
    assert (taken(allowance, TENANT), taken(allowance, OTHER)) == (10, 10)


def test_what_is_dearer_than_all_there_is_goes_to_whoever_has_all_of_it() -> None:
    clock = Clock()
    allowance = counting(clock)
    allowance.take(TENANT, 50)
    clock.now_s += 49
    assert taken(allowance, TENANT, 50) == 0
    clock.now_s += 1
    assert taken(allowance, TENANT, 50) == 1


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(1, 12)), max_size=60))
def test_no_stretch_of_time_gives_more_than_lay_there_and_came_back(asked: list[tuple[float, int]]) -> None:
    clock = Clock()
    allowance, given_at = counting(clock), []
    for pause_s, points in asked:
        clock.now_s += pause_s
        if taken(allowance, TENANT, points, tries=1):
            given_at.append((clock.now_s, points))
    for first in range(len(given_at)):
        total = 0
        for at, points in given_at[first:]:
            total += points
            assert total <= 12 + (at - given_at[first][0]) + 1e-3


def test_addresses_without_end_take_bounded_memory_and_leave_tenants_alone() -> None:
    clock = Clock()
    allowance = counting(clock, most=100)
    got = sum(taken(allowance, f"10.0.{place // 250}.{place % 250}", tries=1) for place in range(10_000))
    assert got == 110  # each of a hundred had one, and the others together what one may have at once
    assert allowance.counted() <= 101
    assert taken(allowance, TENANT) == 10
    clock.now_s += LOOK_S
    assert taken(allowance, "192.0.2.1") == 10  # there is room again
    assert allowance.counted() < 10
    assert allowance.refused[ELSEWHERE] == 10_000 - got


@pytest.mark.parametrize(
    ("client", "address"),
    [
        (("192.0.2.7", 4), "192.0.2.7"),
        (("::ffff:192.0.2.7", 4), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 4), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::9", 4), "2001:db8:1:2::/64"),
        (("unix", 0), "unix"),
        (None, ""),
    ],
)
def test_an_address_is_who_may_have_it(client: tuple[str, int] | None, address: str) -> None:
    assert address_of({"client": client}) == address


def test_a_longer_question_is_dearer() -> None:
    assert [question_points("x" * each) for each in (0, 1_999, 2_000, 65_536)] == [10, 10, 20, 330]


STUDENTS = 30
ANALYST = [PAGE] * 60 + [PAGE + QUESTION] * 200
"""Thirty datasets looked at, each twice, and two hundred prices asked for, of which nothing is bought."""
PAGES = [PAGE] * 60 + [QUESTION]
"""Of one student who is not signed in: an hour's pages in a minute, typed searches with them, and a sign-in."""
TILES = [PAGE + QUESTION, PAGE] * 50
"""Of a dashboard, each minute: a query that costs nothing, and its answer."""


@pytest.mark.parametrize(
    ("payer", "minutes"),
    [
        (TENANT, [ANALYST]),
        (TENANT, [ANALYST, *[TILES] * 600]),
        (TENANT, [(PAGES + [PAGE + QUESTION] * 8) * STUDENTS, *[[PAGE + QUESTION] * 3 * STUDENTS] * 90]),
        ("192.0.2.1", [PAGES * STUDENTS, *[[PAGE] * 20 * STUDENTS] * 90]),
    ],
    ids=["a notebook", "a notebook and a dashboard", "a class of one organisation", "a class behind one address"],
)
def test_honest_people_are_not_refused_with_what_is_usual(payer: UUID | str, minutes: list[list[int]]) -> None:
    """All that belongs to a minute comes at its beginning, at once."""
    clock, usual = Clock(), Config()
    tenant = Rate(usual.tenant_free_points_per_minute, usual.tenant_free_points_at_once)
    address = Rate(usual.address_free_points_per_minute, usual.address_free_points_at_once)
    allowance = Allowance(tenant, address, most=usual.free_payers_max, clock=clock)
    for minute in minutes:
        for points in minute:
            allowance.take(payer, points)
        clock.now_s += 60
    assert not allowance.refused_ever
