"""The synthetic registers, at a thousandth of their size: related, skewed, wrong where the truth file says so."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from catalog.publish import publish
from catalog.registers.registers import REGISTERS, Register
from catalog.registers.writing import ERROR_SHARES, Written, write_registers
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.plain import in_process

SCALE = 0.001
EACH = pytest.mark.parametrize("register", REGISTERS, ids=[r.name for r in REGISTERS])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Written]:
    return {w.name: w for w in write_registers(tmp_path_factory.mktemp("registers"), scale=SCALE)}


def rows_of(register: Written) -> str:
    return f"read_parquet({[str(p) for p in register.parts]}, file_row_number = true)"


def asked(sql: str) -> list[tuple[Any, ...]]:
    return duckdb.execute(sql).fetchall()


def truth_of(register: Written) -> Iterator[tuple[int, str, str]]:
    with (register.folder / "truth.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield int(row["row"]), row["column"], row["kind"]


@EACH
def test_the_errors_that_can_be_found_are_those_of_the_truth_file(
    register: Register, written: dict[str, Written]
) -> None:
    made = written[register.name]
    found = [
        (row, column, kind)
        for kind, column, wrong in (
            ("date", register.date, f"year({register.date}) NOT BETWEEN 1900 AND 2026"),
            ("code", register.code, f"{register.code} NOT BETWEEN 1 AND 34"),
            ("duplicate", register.document, f"{register.document} = before"),
        )
        for (row,) in asked(
            f"SELECT file_row_number FROM (SELECT *, lag({register.document}) OVER (ORDER BY file_row_number) "
            f"AS before FROM {rows_of(made)}) WHERE {wrong}"
        )
    ]
    told = list(truth_of(made))
    assert sorted(found) == sorted(told)
    assert {kind: sum(k == kind for _, _, k in told) for kind in ERROR_SHARES} == made.errors
    assert 0.5 < len(told) / (made.rows * sum(ERROR_SHARES.values())) < 1.5


@EACH
def test_a_register_has_its_share_of_rows_and_people_of_all_provinces_a_few_large(
    register: Register, written: dict[str, Written]
) -> None:
    made = written[register.name]
    assert made.rows == round(register.rows * SCALE)
    found = asked(f"SELECT tinh, count(*) FROM {rows_of(made)} GROUP BY 1 ORDER BY 2 DESC")
    assert (sum(n for _, n in found), len(found)) == (made.rows, 34)
    assert found[0][0] == "Thành phố Hồ Chí Minh"
    assert found[0][1] > 5 * found[-1][1]


def test_a_person_is_the_same_in_every_register(written: dict[str, Written]) -> None:
    everybody = rows_of(written["ho_tich"])
    (counted,) = asked(f"SELECT count(*), count(DISTINCT ma_so) FROM {everybody}")
    assert counted == (107_000, 107_000)
    for name, least in (("giay_phep_lai_xe", 35_100), ("thua_dat", 35_000), ("bao_hiem", 100_000)):
        same = "a.tuoi = b.tuoi AND a.tinh = b.tinh AND a.gioi_tinh = b.gioi_tinh AND a.ho_ten = b.ho_ten"
        (joined,) = asked(
            f"SELECT count(DISTINCT ma_so), bool_and({same}), count(*) FROM {rows_of(written[name])} a "
            f"JOIN {everybody} b USING (ma_so)"
        )
        assert joined[0] >= least
        assert joined[1:] == (True, written[name].rows)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_people(tmp_path: Path) -> None:
    def made(folder: str, seed: int) -> Written:
        (one,) = write_registers(tmp_path / folder, scale=0.0002, seed=seed, names=("giay_phep_lai_xe",))
        return one

    first, again, other = made("first", 7), made("again", 7), made("other", 8)
    for name in ("part-00000.parquet", "truth.csv", "manifest.yaml"):
        assert (first.folder / name).read_bytes() == (again.folder / name).read_bytes()
    assert first.parts[0].read_bytes() != other.parts[0].read_bytes()


@EACH
def test_its_manifest_publishes_it(register: Register, written: dict[str, Written], tmp_path: Path) -> None:
    made = written[register.name]
    with in_process():
        done = publish(
            (made.folder / "manifest.yaml").read_text(encoding="utf-8"), made.parts[0], store=Store(tmp_path),
            pseudonymise=pseudonymise, consents=None, previous=None, limits=LIMITS,
        )  # fmt: skip
    assert max(done.report.rows_read, done.report.events_read) == made.rows
    assert done.version.measured.k >= 10
    assert done.version.left_out.share < 0.05
