"""Several rows a person become one in the jail that reads them; from there on persons are as ever."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from catalog.errors import PublicationRefused
from catalog.jailed import ingest
from catalog.storage import Store
from catalog.wire import IngestColumn, IngestOrder, IngestReply, Roll, Rolling
from tests.catalog.plain import descriptors, in_process
from tests.catalog.small import HEAD, publish_rows
from tests.examples import tried

HEADER = ["key", "day", "place", "kind", "cost", "emergency", "study", "product"]
MANIFEST = f"""{HEAD.replace("mode: rows", "mode: aggregate")}events:
  visits: {{take: count}}
  kinds: {{take: distinct, of: kind}}
  spent: {{take: sum, of: cost}}
  dearest: {{take: max, of: cost}}
  emergency: {{take: any, of: emergency}}
  place: {{take: last, of: place, by: day}}
columns:
  - {{name: key, role: identifier, personal: basic}}
  - {{name: place, role: quasi-identifier, meaning: {{vi: Nơi, en: Place}}}}
  - {{name: emergency, type: boolean, role: quasi-identifier, meaning: {{vi: Cấp cứu, en: Emergency}}}}
  - {{name: visits, type: integer, role: measure, meaning: {{vi: Lượt, en: Visits}}, transform: {{clamp: [0, 4]}}}}
  - {{name: kinds, type: integer, role: measure, meaning: {{vi: Loại, en: Kinds}}, transform: {{clamp: [0, 9]}}}}
  - {{name: spent, type: number, role: measure, meaning: {{vi: Chi, en: Spent}}, transform: {{clamp: [0, 30]}}}}
  - {{name: dearest, type: number, role: measure, meaning: {{vi: Cao nhất, en: Dearest}},
     transform: {{clamp: [0, 50]}}}}
"""
FIRST = date(2025, 1, 1)
Event = tuple[str, date | None, str, str, int | None, bool | None]

events = st.lists(
    st.tuples(
        st.sampled_from(["an", "bình", "chi", "dung"]),
        st.one_of(st.none(), st.integers(0, 4).map(lambda n: FIRST + timedelta(days=n))),
        st.sampled_from(["Huế", "Hà Nội", ""]), st.sampled_from(["x", "y", "z", ""]),
        st.one_of(st.none(), st.integers(-(2**40), 2**40)), st.sampled_from([True, False, None]),
    ),
    min_size=1, max_size=40,
)  # fmt: skip


def csv_of(rows: list[Event]) -> bytes:
    said = {True: "có", False: "không", None: "?"}
    lines = [f"{k},{d or ''},{p},{w},{'' if c is None else c},{said[b]}" for k, d, p, w, c, b in rows]
    return "\n".join(["key,day,place,kind,cost,yes", *lines, ""]).encode()


def rolled(rows: list[Event], whole_rows: int) -> dict[str, dict[str, Any]]:
    """Through the jail's own program, as a plain function."""
    column = IngestColumn
    order = IngestOrder(
        columns=(
            column(name=" kinds", type="VARCHAR", line=1, source="kind"),
            column(name=" cost", type="BIGINT", line=1, source="cost"),
            column(name=" place", type="VARCHAR", line=1, source="place"),
            column(name=" by place", type="TIMESTAMP", line=1, source="day"),
            column(name=" any", type="BOOLEAN", line=1, source="yes"),
            column(name=" day", type="DATE", line=1, source="day"),
            column(name="key", type="VARCHAR", line=1), column(name="yes", type="BOOLEAN", line=1),
        ),
        null_words=("", "?"), max_rows=100, max_bytes=100_000, max_row_group_bytes=100_000,
        rolling=Rolling(
            rolls=(
                Roll(name="n", take="count", type="BIGINT"),
                Roll(name="named", take="count", type="BIGINT", value=" kinds"),
                Roll(name="kinds", take="distinct", type="BIGINT", value=" kinds"),
                Roll(name="sum", take="sum", type="BIGINT", value=" cost"),
                Roll(name="least", take="min", type="BIGINT", value=" cost"),
                Roll(name="latest", take="max", type="DATE", value=" day"),
                Roll(name="any", take="any", type="BOOLEAN", value=" any"),
                Roll(name="place", take="last", type="VARCHAR", value=" place", by=" by place"),
            ),
            key="key", flags=("yes",),
        ),
    )  # fmt: skip
    output = io.BytesIO()
    with descriptors(csv_of(rows)) as files, mock.patch("catalog.jailed.shares.WHOLE_ROWS", whole_rows):
        reply = msgspec.msgpack.decode(ingest.main(msgspec.msgpack.encode(order), files, output), type=IngestReply)
    assert (reply.refusal, reply.events) == (None, len(rows))
    output.seek(0)
    table = pa.ipc.open_stream(output).read_all()
    assert table.num_rows == reply.rows
    found, came = table.column("key").to_pylist(), list(dict.fromkeys(r[0] for r in rows))
    assert found == came or (sorted(found) == sorted(came) and len(rows) > whole_rows)
    return {row["key"]: row for row in table.to_pylist()}


@settings(max_examples=tried(20), deadline=None)
@given(rows=events, whole_rows=st.sampled_from([5, 1_000]))
def test_a_persons_values_are_made_of_all_her_rows(rows: list[Event], whole_rows: int) -> None:
    """Whether all rows were kept together or, being too many, dealt into shares."""
    mine: dict[str, list[Event]] = defaultdict(list)
    for row in rows:
        mine[row[0]].append(row)
    found = rolled(rows, whole_rows)
    for key, every in mine.items():
        kinds, costs = [r[3] for r in every if r[3]], [r[4] for r in every if r[4] is not None]
        days, said = [r[1] for r in every if r[1]], [r[5] for r in every if r[5] is not None]
        last = max(((r[1], r[2]) for r in every if r[1] and r[2]), default=(None, None))
        assert found[key] == {
            "key": key, "n": len(every), "named": len(kinds), "kinds": len(set(kinds)),
            "sum": sum(costs) if costs else None, "least": min(costs, default=None),
            "latest": max(days, default=None), "any": any(said) if said else None, "place": last[1],
            "yes": all(r[5] is True for r in every),
        }  # fmt: skip


def rows_of(persons: int) -> list[list[str]]:
    """One to seven rows of each; one row says no to research, of every ninth person."""
    return [
        [f"P{i:04d}", f"2025-01-{1 + v:02d}", ["Huế", "Hà Nội"][i % 2] if v == i % 7 else "nơi khác", "abc"[v % 3],
         str(10 + v), "có" if v == 6 else "không", "không" if i % 9 == 0 and v == 0 else "có", "có"]
        for i in range(persons) for v in range(i % 7 + 1)
    ]  # fmt: skip


def test_a_version_is_made_of_persons_not_of_rows(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    made = publish_rows(store, tmp_path, rows_of(315), manifest=MANIFEST, header=HEADER)
    version = made.version
    assert (made.report.rows_read, made.report.events_read) == (315, len(rows_of(315)))
    research = [p for p in version.parts if p.consented and "research.academic" in p.consented]
    table = pa.concat_tables([parquet.read_table(store.public(version.id) / p.name) for p in research])
    inside = [i for i in range(315) if i % 9]
    assert sum(table.column("n").to_pylist()) == len(inside)
    assert set(table.column("place").to_pylist()) == {"Huế", "Hà Nội"}
    assert sum(table.column("visits__sum").to_pylist()) == sum(min(i % 7 + 1, 4) for i in inside)
    spent = [min(sum(10 + v for v in range(i % 7 + 1)), 30) for i in inside]
    assert sum(table.column("spent__sum").to_pylist()) == sum(spent)
    assert sum(table.column("dearest__sum").to_pylist()) == sum(10 + i % 7 for i in inside)


def test_rows_of_nobody_are_refused(tmp_path: Path) -> None:
    rows = [*rows_of(40), ["", *rows_of(1)[0][1:]]]
    with in_process(), pytest.raises(PublicationRefused) as refused:
        publish_rows(Store(tmp_path / "store"), tmp_path, rows, manifest=MANIFEST, header=HEADER)
    assert refused.value.code == "ingest.subject_missing"


def test_a_wrong_cell_is_told_by_the_files_own_column_and_line(tmp_path: Path) -> None:
    rows = rows_of(40)
    rows[4][4] = "dear"
    with in_process(), pytest.raises(PublicationRefused) as refused:
        publish_rows(Store(tmp_path / "store"), tmp_path, rows, manifest=MANIFEST, header=HEADER)
    assert refused.value.code == "ingest.wrong_type"
    assert "cost (DOUBLE): 1 — 6" in refused.value.params["columns"]
