"""The bank's files: whole or refused, and nothing in them that a spreadsheet runs."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.payouts.bank_file import (
    Instruction,
    Notice,
    notices_file,
    plain_name,
    read_notices,
    transfers_file,
)
from marketplace.payouts.errors import FileUnreadable

WORDS = st.text(st.sampled_from("ABC 019"), min_size=1, max_size=12).map(str.strip).filter(bool)
NOTICES = st.lists(
    st.builds(
        Notice,
        bank_reference=st.text(st.sampled_from("FT0123456789"), min_size=1, max_size=12),
        reference=st.text(st.sampled_from("SDL0123456789"), min_size=1, max_size=19),
        status=st.sampled_from(("PAID", "RETURNED")),
        amount_vnd=st.integers(1, 10**12),
        booked_on=st.dates(date(2025, 1, 1), date(2035, 1, 1)),
        reason=st.just("") | WORDS.map(plain_name),
    ),
    max_size=6,
)
ONE = Notice(
    bank_reference="FT1",
    reference="SDL1",
    status="PAID",
    amount_vnd=70_000,
    booked_on=date(2026, 12, 3),
    reason="",
)


@given(NOTICES)
def test_what_a_bank_writes_is_read_as_it_is(notices: list[Notice]) -> None:
    assert read_notices(notices_file("x", notices)) == tuple(notices)


@given(NOTICES.filter(bool), st.data())
def test_a_file_with_one_byte_changed_or_cut_is_refused(notices: list[Notice], data: st.DataObject) -> None:
    whole = notices_file("x", notices)
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    for broken in (changed, whole[:place]):
        with pytest.raises(FileUnreadable):
            read_notices(broken)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "cut"),
        (b"x" * (2 * 1024 * 1024 + 1), "too_long"),
        (transfers_file("x", []), "header"),
        (notices_file("x", [ONE]) + notices_file("x", [ONE]), "fields"),
        (notices_file("x", [ONE]).replace(b"PAID", b"PART"), "fields"),
        (notices_file("x", [ONE]).replace(b"70000", b"70001", 1), "seal"),
    ],
)
def test_the_reason_of_a_refusal_is_told(content: bytes, why: str) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read_notices(content)
    assert refused.value.params["why"] == why


@pytest.mark.parametrize(
    "hostile",
    [
        {"bank_reference": "F" * 201},
        {"bank_reference": "F\0T"},
        {"bank_reference": "F" * 140_000},
        {"reference": "S" * 3_000},
        {"reference": 'S"\r\nD'},
        {"amount_vnd": 10**15 + 1},
        {"amount_vnd": 0},
    ],
)
def test_a_field_that_no_table_could_hold_is_refused_with_its_file(hostile: dict[str, Any]) -> None:
    with pytest.raises(FileUnreadable) as refused:
        read_notices(notices_file("x", [msgspec.structs.replace(ONE, **hostile)]))
    assert refused.value.params["why"] == "fields"


def test_the_file_to_the_bank_is_the_documented_one() -> None:
    one = Instruction(
        reference="SDL7",
        bank_code="970436",
        account_number="0071000",
        holder='=Nguyễn Thị Đào, "A"',
        amount_vnd=5,
    )
    head, line, seal = transfers_file("b1", [one]).decode("ascii").split("\r\n")[:3]
    assert (head, line) == ("H,SDL1,b1", "D,1,SDL7,970436,0071000,NGUYEN THI DAO A,5")
    assert seal.startswith("T,1,5,")
    assert len(seal) == len("T,1,5,") + 64


@given(st.text(max_size=200))
def test_a_name_is_capital_letters_digits_and_spaces(name: str) -> None:
    plain = plain_name(name)
    assert plain == plain.strip()
    assert len(plain) <= 70
    assert all(char.isascii() and (char.isalnum() or char == " ") for char in plain)
    assert plain == plain.upper()
