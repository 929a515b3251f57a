"""What a first manifest makes of spellings, days of birth, and persons with several rows."""

from __future__ import annotations

import random

from catalog.guess.writing import manifest_text
from tests.catalog.test_layout import guessed


def test_ways_to_write_a_sex_are_one_and_of_other_words_the_spellings_are_told() -> None:
    rows = "".join(
        f"{['Nam', 'NAM', 'nam ', 'Nữ', 'nữ'][i % 5]};{['Tốt', 'tốt', 'Khá'][i % 3]}\n" for i in range(300)
    )
    reply = guessed(f"giới tính;hạnh kiểm\n{rows}".encode())
    sex, conduct = reply.columns
    assert sex.transform is not None
    assert (sex.transform.hierarchy, sex.transform.level, sex.spellings) == ("sex", 1, 0)
    assert (conduct.transform, conduct.spellings) == (None, 1)
    assert "1 giá trị chỉ khác" in manifest_text(reply, slug="test")
    plain = guessed(("giới tính;nơi\n" + "Nam;x\nNữ;y\n" * 60).encode())
    assert [(c.transform, c.spellings) for c in plain.columns] == [(None, 0), (None, 0)]


def test_days_of_birth_are_shown_by_longer_spans_before_they_are_left_out() -> None:
    drawn = random.Random(5)
    rows = "".join(f"{drawn.randint(1, 28)}/3/{drawn.randint(1950, 1999)};{'ABC'[i % 3]}\n" for i in range(600))
    birth = guessed(f"ngày sinh;nhóm\n{rows}".encode()).columns[0]
    assert birth.transform is not None
    assert (birth.role, birth.reason, birth.transform.truncate) == (
        "quasi-identifier",
        "coarse_dates",
        "five_years",
    )


def test_of_persons_with_several_rows_the_latest_one_is_counted() -> None:
    # 90 persons with ten rows each: in rows of all a tenth of them would seem enough.
    rows = "".join(
        f"001{p % 2}{60 + p % 40}{p:06d};{visit + 1:02d}/01/2024;{'ABCDEFGHIJKL'[p % 12]};{'xy'[p % 2]}\n"
        for visit in range(10)
        for p in range(90)
    )
    reply = guessed(f"số cccd;ngày khám;nhóm;loại\n{rows}".encode())
    assert reply.repeated_key == "số cccd"
    shown = [c.name for c in reply.columns if c.role == "quasi-identifier"]
    assert "nhóm" not in shown
    assert reply.fine_share == 1.0


def test_codes_of_another_kind_are_no_illnesses() -> None:
    rows = "".join(f"H{i // 2:04d};{['J18.9', 'I10', 'E11'][i % 3]}\n" for i in range(200))
    household, illness = guessed(f"mã hộ;kết luận\n{rows}".encode()).columns
    assert household.transform is None
    assert illness.transform is not None
    assert illness.transform.hierarchy == "icd10"
