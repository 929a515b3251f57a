"""Laws of a price's shares."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.split import Shares, shares_permille, split, split_between
from marketplace.config import Config

DONG = st.integers(0, 10**12)
PERMILLE = st.tuples(st.integers(0, 1000), st.integers(0, 1000)).map(
    lambda cut: Shares(
        owner=min(cut), state=max(cut) - min(cut), platform=1000 - max(cut)
    )
)  # fmt: skip


@given(DONG, PERMILLE)
def test_shares_sum_to_the_amount_and_each_is_within_a_dong_of_its_permille(amount: int, permille: Shares) -> None:
    shares = split(amount, permille)
    assert shares.owner + shares.state + shares.platform == amount
    for name in ("owner", "state", "platform"):
        share, weight = getattr(shares, name), getattr(permille, name)
        assert abs(share * 1000 - amount * weight) < 1000
        assert share >= 0
        assert share == 0 or weight > 0


@given(DONG, DONG, PERMILLE)
def test_more_money_is_at_most_a_dong_less_to_anybody(amount: int, more: int, permille: Shares) -> None:
    before, after = split(amount, permille), split(amount + more, permille)
    assert all(getattr(after, name) >= getattr(before, name) - 1 for name in ("owner", "state", "platform"))


def test_left_over_dong_go_to_the_largest_remainders() -> None:
    assert split(1, shares_permille(Config())) == Shares(owner=1, state=0, platform=0)
    assert split(1_234, shares_permille(Config())) == Shares(owner=864, state=123, platform=247)
    assert split(1, Shares(owner=500, state=500, platform=0)) == Shares(owner=1, state=0, platform=0)


@pytest.mark.parametrize("permille", [(700, 100, 201), (-1, 1, 1000), (0, 0, 0)])
def test_shares_that_are_not_a_whole_are_refused(permille: tuple[int, int, int]) -> None:
    owner, state, platform = permille
    with pytest.raises(ValueError, match="1000 permille"):
        split(10, Shares(owner=owner, state=state, platform=platform))


@given(DONG, st.integers(0, 10_000))
def test_two_owners_parts_sum_to_the_share_and_are_within_half_a_dong(amount: int, lead_basis_points: int) -> None:
    lead, partner = split_between(amount, lead_basis_points)
    assert lead + partner == amount
    assert min(lead, partner) >= 0
    assert abs(lead * 10_000 - amount * lead_basis_points) <= 5_000


@pytest.mark.parametrize("wrong", [(-1, 0), (1, -1), (1, 10_001)])
def test_two_owners_parts_of_nothing_sensible_are_refused(wrong: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="basis points"):
        split_between(*wrong)
