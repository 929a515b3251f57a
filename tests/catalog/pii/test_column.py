"""Columns of the generators: a small draw of what `make bench` measures, and what is never personal."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.pii import register
from bench.pii.labelled import KINDS, score
from bench.pii.ours import ours
from catalog.pii.column import judge
from catalog.pii.names import strength
from catalog.pii.provinces import CURRENT, NEW, current_province
from catalog.pii.within import inside


def test_recall_and_precision_hold_on_a_draw_of_their_own() -> None:
    columns = [column for place, column in enumerate(register.columns(77)) if place % 3 == 0]
    scores = score(columns, ours)
    for kind in KINDS:
        cells = scores.cells[kind]
        assert cells.recall >= 0.98, (kind, cells, scores.errors)
        assert cells.precision >= 0.95, (kind, cells, scores.errors)


@settings(max_examples=30)
@given(st.lists(st.text(max_size=80), max_size=25), st.text(max_size=40))
def test_no_column_breaks_it(cells: list[str], header: str) -> None:
    judged = judge(header, cells, year=2026)
    assert len(judged.cells) == len(cells)
    assert all(0 <= confidence <= 1 for confidence in judged.confidence.values())


@pytest.mark.parametrize(
    "name", ["Nguyễn Văn An", "tran thi bich ngoc", "LÊ HOÀNG NAM", "Bà Phạm Thị Hương", "Vàng A Páo"]
)
def test_a_name_is_known_whatever_its_spelling(name: str) -> None:
    assert strength(name) in ("strong", "likely")


@pytest.mark.parametrize("name", ["Công ty TNHH Trần Gia", "Trần Châu Đường Đen", "Hà Nội", "không có", "A1", ""])
def test_a_firm_a_dish_and_a_town_are_no_names(name: str) -> None:
    assert strength(name) not in ("strong", "likely")


def test_texts_are_read_in_the_middle() -> None:
    text = (
        "Anh Nguyễn Văn Nam, sđt 0912.345.678, đơn hàng 0987654321, MST 0100109106, "
        "ở 12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"
    )
    found = {match.kind: text[match.start : match.end] for match in inside(text, year=2026)}
    assert found["phone"] == "0912.345.678", "the order's number is none"
    assert found["tax_code"] == "0100109106"
    assert found["person_name"] == "Nguyễn Văn Nam"
    assert found["address"].startswith("12 Lê Lợi")


def test_each_old_province_has_become_one_of_the_34() -> None:
    assert len(NEW) == 34
    assert set(CURRENT.values()) == NEW
    assert [current_province(name) for name in ("Tỉnh Hà Giang", "bình dương", "TP.HCM", "Kon Tum", "Mars")] == [
        "Tuyên Quang", "Hồ Chí Minh", "Hồ Chí Minh", "Quảng Ngãi", None,
    ]  # fmt: skip


def test_a_counter_is_no_series_of_telephones() -> None:
    draw = random.Random(3)
    invoices = [f"0912{345_000 + 2 * i:06d}" for i in range(100)]
    assert not judge("c1", invoices, year=2026).confidence
    assert "phone" in judge("c1", [register.phone(draw) for _ in range(100)], year=2026).confidence


def test_what_says_nothing_says_nothing_of_the_other_cells() -> None:
    names = ["Trần Quang Tuấn", "Lý Thu Tâm", "Nguyễn Văn Hùng", "Phạm Thị Lan", "Đỗ Minh Đức", "Vũ Ngọc Mai"]
    mixed = [name for name in names for _ in range(3)] + ["Không", "N/A", "chưa rõ", "-", "Có", "…"] * 9
    assert "person_name" in judge("khác", mixed, year=2026).confidence
    days = [f"{i % 28 + 1}/{i % 12 + 1}/{1940 + i}" for i in range(60)] + ["chưa có", "không"] * 60
    assert "birth_date" in judge("dữ liệu", days, year=2026).confidence
    assert not judge("đồng ý", ["Có", "Không"] * 50, year=2026).confidence


def test_a_birth_with_its_hour_and_a_name_after_how_one_is_called_are_known() -> None:
    hours = [f"{1940 + i}-03-10T00:00:00Z" for i in range(40)]
    assert "birth_date" in judge("DateOfBirth", hours, year=2026).confidence
    called = ["cô Tâm", "chú Hùng", "chị Lan", "anh Đức", "Cô Ngân"] * 4
    assert "person_name" in judge("phụ huynh", called, year=2026).confidence
