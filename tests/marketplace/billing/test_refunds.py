"""Laws of giving back: in any sequence nobody returns more than he got, and the whole comes back whole."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.billing.refunds import REVERSED, Charge, Returned, Share, give_back
from marketplace.billing.split import split, split_between, vat_within
from marketplace.db.base import new_id
from marketplace.ledger.accounts import account_id
from tests.marketplace.billing.test_split import RATES

PLATFORM = account_id(None, "platform")
PARTS = st.lists(st.integers(1, 10**6), max_size=12)


def apply(charge: Charge, returned: Returned) -> Charge:
    """The charge after the movements, which are checked on the way."""
    given_back = {each.code: each for each in returned.movements}
    back = given_back.pop("query_refund")
    assert (back.debit, back.credit) == (PLATFORM, charge.wallet_id)
    left = []
    for share in charge.shares:
        movement = given_back.pop(REVERSED[share.code], None)
        if movement is not None:
            assert (movement.debit, movement.credit) == (share.account_id, PLATFORM)
        left.append(
            msgspec.structs.replace(share, left_vnd=share.left_vnd - ((movement.amount or 0) if movement else 0))
        )
    assert not given_back
    return msgspec.structs.replace(charge, left_vnd=charge.left_vnd - (back.amount or 0), shares=tuple(left))


@st.composite
def charges(draw: st.DrawFn) -> Charge:
    amount = draw(st.integers(1, 10**7))
    shares = split(amount, draw(RATES))
    lead, partner = split_between(shares.owner, draw(st.integers(0, 10_000)))
    parts = {"share_owner": lead, "share_partner": partner, "share_state": shares.state, "share_tax": shares.tax}
    return Charge(
        query_id=new_id(),
        dataset_id=new_id(),
        wallet_id=new_id(),
        left_vnd=amount,
        shares=tuple(Share(code, new_id(), vnd) for code, vnd in parts.items() if vnd),
    )


@given(charges(), PARTS)
def test_no_sequence_of_parts_takes_more_of_a_share_than_was_paid(charge: Charge, parts: list[int]) -> None:
    paid, returned_vnd, left = charge.left_vnd, 0, charge
    for part in parts:
        amount = min(part, left.left_vnd)
        if not amount:
            break
        returned = give_back(left, amount, reference="x")
        left = apply(left, returned)
        returned_vnd += amount
        own = left.left_vnd - sum(share.left_vnd for share in left.shares)
        assert all(share.left_vnd >= 0 for share in left.shares)
        assert own >= 0
        assert left.left_vnd == paid - returned_vnd
    if left.left_vnd:
        left = apply(left, give_back(left, left.left_vnd, reference="x"))
    assert left.left_vnd == 0
    assert all(share.left_vnd == 0 for share in left.shares)


@given(charges(), st.integers(1, 10**7))
def test_a_part_is_taken_in_proportion_within_a_dong(charge: Charge, amount: int) -> None:
    amount = min(amount, charge.left_vnd)
    after = apply(charge, give_back(charge, amount, reference="x"))
    for before, now in zip(charge.shares, after.shares, strict=True):
        returned = before.left_vnd - now.left_vnd
        assert abs(returned * charge.left_vnd - amount * before.left_vnd) < charge.left_vnd


@given(st.integers(0, 10**9), st.integers(0, 300), PARTS)
def test_tax_credited_in_parts_never_exceeds_the_tax_billed(gross: int, rate: int, parts: list[int]) -> None:
    left, credited = gross, 0
    for part in (*parts, gross):
        amount = min(part, left)
        tax = vat_within(left, rate) - vat_within(left - amount, rate)
        assert 0 <= tax <= amount
        credited, left = credited + tax, left - amount
    assert credited == vat_within(gross, rate)


@pytest.mark.parametrize("amount", [0, -1, 101])
def test_nothing_and_more_than_is_left_are_not_given_back(amount: int) -> None:
    charge = Charge(query_id=new_id(), dataset_id=new_id(), wallet_id=new_id(), left_vnd=100, shares=())
    with pytest.raises(ValueError, match="of 100"):
        give_back(charge, amount, reference="x")
