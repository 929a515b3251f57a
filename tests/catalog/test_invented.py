"""The sample of a dp dataset: what the manifest declares, and nothing of the data."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from catalog.invented import ROWS, invented_rows
from catalog.manifest import Manifest, ManifestColumn, read_manifest
from sandbox.job import Bounds

EXAMPLE = Path("examples/khao_sat_thu_nhap/manifest.yaml")


def _manifest() -> Manifest:
    return read_manifest(EXAMPLE.read_text(encoding="utf-8"))


def _of(column: ManifestColumn) -> list[object]:
    rows = invented_rows(replace(_manifest(), columns=(column,)))
    return [row[column.name] for row in rows]


def test_rows_are_what_the_manifest_declares_and_the_same_each_time() -> None:
    manifest = _manifest()
    rows = invented_rows(manifest)
    assert rows == invented_rows(manifest)
    assert len(rows) == ROWS
    for row in rows:
        assert list(row) == [column.sql_name for column in manifest.shown_columns()]
        assert row["gioi_tinh"] in ("nam", "nữ")
        assert isinstance(row["tuoi"], int)
        assert row["xa"] is None
    assert {row["co_bao_hiem"] for row in rows} == {True, False}


@given(
    lower=st.integers(-1000, 1000), steps=st.integers(0, 500), step=st.sampled_from([0.1, 0.5, 1.0, 2.5, 1000.0])
)
def test_numbers_stay_within_their_bounds_in_whole_steps(lower: int, steps: int, step: float) -> None:
    bounds = Bounds(lower=lower * step, upper=(lower + steps) * step, step=step)
    for value in _of(ManifestColumn(name="x", role="measure", type="number", bounds=bounds)):
        assert isinstance(value, float)
        assert bounds.lower - 1e-6 <= value <= bounds.upper + 1e-6
        assert abs(value / step - round(value / step)) < 1e-6
