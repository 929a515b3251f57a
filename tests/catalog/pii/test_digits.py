"""Check digits and forms: every number made by its rule is known, and one that breaks the rule is not."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from bench.pii import register as made
from catalog.pii import digits
from catalog.pii.contacts import could_be_phone, is_email, is_phone
from catalog.pii.times import is_birth, is_place

SEEDS = st.integers(0, 2**32).map(random.Random)
SIGNS = st.sampled_from(["", " ", ".", "-"])


@given(SEEDS, SIGNS)
def test_what_the_rules_give_out_is_known_however_it_is_grouped(r: random.Random, sign: str) -> None:
    def grouped(text: str) -> str:
        return sign.join(text[place : place + 3] for place in range(0, len(text), 3))

    assert digits.is_citizen_id(grouped(made.citizen(r)), year=2026)
    assert digits.is_tax_code(grouped(made.tax(r)))
    assert digits.is_bank_card(grouped(made.card(r)))
    assert could_be_phone(grouped(made.phone(r)))
    assert is_phone(made.landline(r))
    assert digits.is_plate(made.plate(r))
    assert digits.is_passport(made.passport(r))
    assert is_email(made.email(r))
    assert is_place(made.point(r))
    assert is_birth(made.birth(r), year=2026)


@given(SEEDS, st.integers(0, 9), st.integers(1, 9))
def test_one_wrong_digit_breaks_a_tax_code_and_a_card(r: random.Random, place: int, step: int) -> None:
    def wrong(text: str) -> str:
        return f"{text[:place]}{(int(text[place]) + step) % 10}{text[place + 1 :]}"

    assert not digits.is_tax_code(wrong(made.tax(r)))
    assert not digits.luhn(wrong(made.card(r)))


@given(st.text(max_size=60))
def test_no_text_breaks_a_recogniser(text: str) -> None:
    for check in (
        digits.is_tax_code, digits.is_bank_card, digits.is_plate, digits.is_passport, digits.is_health_card,
        digits.is_social_insurance, digits.is_old_citizen_id, is_phone, is_email, is_place,
    ):  # fmt: skip
        assert check(text) in (True, False)
    assert digits.is_citizen_id(text, year=2026) in (True, False)


def test_a_citizen_id_has_a_province_and_a_birth_that_can_be() -> None:
    assert digits.is_citizen_id("001090012345", year=2026)
    assert digits.is_citizen_id("1090012345".zfill(11), year=2026), "a spreadsheet took the zero away"
    for wrong in ("003090012345", "001340012345", "001690012345", "101090012345", "00109001234"):
        assert not digits.is_citizen_id(wrong, year=2026), wrong
