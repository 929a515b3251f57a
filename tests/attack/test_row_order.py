"""The order of an answer's rows tells nothing of the order in which persons stood in the owner's file."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import duckdb
import pytest

from catalog.storage import Store
from tests.catalog.plain import in_process
from tests.catalog.small import AGGREGATE_MANIFEST, MANIFEST, people, publish_rows


@pytest.mark.parametrize("manifest", [MANIFEST, AGGREGATE_MANIFEST], ids=["rows", "aggregate"])
def test_a_file_sorted_by_what_is_sensitive_is_released_in_no_such_order(tmp_path: Path, manifest: str) -> None:
    last = -1 if manifest is MANIFEST else -2
    rows = sorted(people(240), key=lambda row: (row[1], row[2], int(row[3])))
    store = Store(tmp_path / "store")
    with in_process():
        made = publish_rows(store, tmp_path, rows, manifest=manifest)
    revision = store.revision(made.version.id, purpose="research.academic", excluded=frozenset(), number=0)
    with duckdb.connect() as connection:
        parts = [str(part) for part in revision.parts]
        released = connection.execute(f"select * from read_parquet({parts})").fetchall()
    for place in {row[0] for row in released}:
        shown = [row[last] for row in released if row[0] == place and row[last] is not None]
        rising = sum(a <= b for a, b in pairwise(shown))
        assert len(shown) >= 12
        assert rising < 0.8 * len(shown), "in the order of the file all would rise"
