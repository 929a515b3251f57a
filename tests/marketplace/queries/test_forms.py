"""The forms of an answer: each says the same, in pieces, and none runs in a spreadsheet."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
import tempfile
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.db.keys import Keys
from marketplace.queries import forms
from marketplace.queries.keeping import Answer, Answers

SCHEMA = pa.schema(
    [
        ("n", pa.int64()),
        ("x", pa.float64()),
        ("big", pa.decimal128(38, 0)),
        ("t", pa.string()),
        ("d", pa.date32()),
        ("l", pa.list_(pa.string())),
    ]
)


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with tempfile.TemporaryDirectory() as folder:
        yield Answers(Path(folder, "answers"), Keys(Path(folder, "keys")), runner=1)


def kept(answers: Answers, table: pa.Table, batch_rows: int = 1000) -> Answer:
    query_id = uuid.uuid4()
    draft = answers.draft(query_id)
    with pa.ipc.new_stream(pa.PythonFile(draft, mode="w"), table.schema) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    at_rest = draft.finish()
    if draft.large:
        draft.keep()
    return answers.open(query_id, at_rest)


def rows(count: int) -> list[dict[str, Any]]:
    day = dt.date(2026, 1, 1)
    return [
        {"n": -i, "x": i / 3, "big": Decimal(10**30 + i), "t": f"é{i}", "d": day, "l": ["a", None]}
        for i in range(count)
    ]


@pytest.mark.parametrize("count", [0, 1, 5000])
def test_every_form_says_the_same(answers: Answers, count: int) -> None:
    table = pa.Table.from_pylist(rows(count), SCHEMA)
    answer = kept(answers, table)
    told = {name: b"".join(form.pieces(answer)) for name, form in forms.FORMS.items()}
    assert pa.ipc.open_stream(told["application/vnd.apache.arrow.stream"]).read_all() == table
    assert pa.parquet.read_table(pa.BufferReader(told["application/vnd.apache.parquet"])) == table
    found = json.loads(told["application/json"])
    assert [(row["n"], row["t"], row["l"]) for row in found] == [(r["n"], r["t"], r["l"]) for r in rows(count)]
    assert [row["big"] for row in found] == [str(r["big"]) for r in rows(count)]
    lines = list(csv.DictReader(io.StringIO(told["text/csv"].decode())))
    assert [(int(line["n"]), line["t"]) for line in lines] == [(r["n"], r["t"]) for r in rows(count)]


@pytest.mark.parametrize("media_type", list(forms.FORMS))
def test_a_form_made_again_is_the_same_bytes_in_small_pieces(answers: Answers, media_type: str) -> None:
    """A range of what is made anew each time must fit the ranges fetched before."""
    answer = kept(answers, pa.Table.from_pylist(rows(20_000), SCHEMA))
    pieces = list(forms.FORMS[media_type].pieces(answer))
    assert b"".join(pieces) == b"".join(forms.FORMS[media_type].pieces(answer))
    assert max(len(piece) for piece in pieces) < 512 * 1024


@settings(deadline=None)
@given(
    st.lists(
        st.text(max_size=6)
        | st.text(alphabet=[*forms.FORMULA, ";", '"', " ", "a"], max_size=8)
        | st.sampled_from(forms.FORMULA).map(lambda c: f"a;{c}cmd|' /C calc'!A0")
    )
)
def test_no_cell_of_text_begins_as_a_formula_and_taking_the_apostrophe_off_gives_it_back(texts: list[str]) -> None:
    """Wherever a spreadsheet splits it: some locales have `;` between columns, and some programs a tab."""
    texts = [text for text in texts if "\r" not in text and "\0" not in text]
    with tempfile.TemporaryDirectory() as folder:
        answers = Answers(Path(folder, "answers"), Keys(Path(folder, "keys")), runner=1)
        written = b"".join(forms.csv(kept(answers, pa.table({"=t": pa.array(texts, pa.string())}))))
    (name,), *cells = csv.reader(io.StringIO(written.decode(), newline=""), strict=True)
    assert name == "'=t"
    for (cell,), text in zip(cells, texts, strict=True):
        assert not cell.startswith(forms.FORMULA)
        for part in re.split("[;\t\r\n]", cell)[1:]:
            assert not part.lstrip(' "').startswith(forms.FORMULA)
        assert _without_apostrophes(cell) == _without_apostrophes(text)


def _without_apostrophes(text: str) -> str:
    """Before what would begin a formula."""
    begins = "[" + re.escape("".join(forms.FORMULA)) + "]"
    return re.sub(f"(?:(?<![^;\t\r\n])'(?=[ \"]*{begins}))", "", text)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a;=cmd|' /C calc'!A0", "a;'=cmd|' /C calc'!A0"),
        ("a\t-1+1", "a\t'-1+1"),
        ("a\n@SUM(A1)", "a\n'@SUM(A1)"),
        ('a;" ＝1', "a;'\" ＝1"),
        ("a;b; c", "a;b; c"),
        ("1=1, 2-1", "1=1, 2-1"),
    ],
)
def test_a_formula_behind_what_may_part_columns_is_neutralised_and_all_else_is_left(
    answers: Answers, text: str, written: str
) -> None:
    told = b"".join(forms.csv(kept(answers, pa.table({"t": [text]})))).decode()
    assert [row[0] for row in csv.reader(io.StringIO(told, newline=""))] == ["t", written]


def test_a_list_is_json_whose_semicolons_begin_no_formula(answers: Answers) -> None:
    table = pa.table({"l": pa.array([["a;=1", "b;c"]], pa.list_(pa.string()))})
    told = b"".join(forms.csv(kept(answers, table))).decode()
    (cell,) = list(csv.reader(io.StringIO(told)))[1]
    assert ";=" not in cell
    assert json.loads(cell) == ["a;=1", "b;c"]


def test_what_is_no_finite_number_is_told_from_null_in_every_form(answers: Answers) -> None:
    values = [1.5, math.inf, -math.inf, math.nan, None]
    table = pa.table({"x": values, "l": pa.array([[each] for each in values], pa.list_(pa.float64()))})
    answer = kept(answers, table)
    named = [1.5, "Infinity", "-Infinity", "NaN", None]
    assert json.loads(b"".join(forms.json(answer))) == [{"x": each, "l": [each]} for each in named]
    assert forms.first_rows(answer, 9) == [{"x": each, "l": [each]} for each in named]
    lines = list(csv.reader(io.StringIO(b"".join(forms.csv(answer)).decode())))[1:]
    assert [line[0] for line in lines] == ["1.5", "inf", "-inf", "nan", ""]
    assert [json.loads(line[1]) for line in lines] == [[each] for each in named]
    for kept_whole in (
        pa.ipc.open_stream(b"".join(forms.arrow(answer))).read_all(),
        pa.parquet.read_table(io.BytesIO(b"".join(forms.parquet(answer)))),
    ):
        assert [str(each) for each in kept_whole["x"].to_pylist()] == ["1.5", "inf", "-inf", "nan", "None"]


def test_numbers_stay_numbers(answers: Answers) -> None:
    table = pa.table({"n": [-1], "x": [-0.5], "big": pa.array([Decimal(-3)], pa.decimal128(38, 0))})
    assert b"".join(forms.csv(kept(answers, table))).splitlines()[1] == b"-1,-0.5,-3"


def test_the_first_rows_need_no_more_of_the_answer_than_they_are(answers: Answers) -> None:
    answer = kept(answers, pa.Table.from_pylist(rows(20_000), SCHEMA))
    assert [row["n"] for row in forms.first_rows(answer, 3)] == [0, -1, -2]
    assert answer.tell() < answer.size_bytes / 4


HEADS = ('a"b', "a,b", "=1+1", "@x", "＝x", "-1", "a;=b", "'", "<b>", "%0d%0a", "a.b", "{0}", "đ")
"""Names that a column may be given: what is not printable is none (`tests/sandbox/plan/test_plan.py`)."""


def test_the_names_of_columns_run_nothing_and_break_no_form(answers: Answers) -> None:
    """The analyst chooses them, and somebody else opens the file."""
    table = pa.table({name: [place] for place, name in enumerate(HEADS)})
    answer = kept(answers, table)
    told = {name: b"".join(form.pieces(answer)) for name, form in forms.FORMS.items()}
    assert json.loads(told["application/json"]) == table.to_pylist()
    assert pa.ipc.open_stream(told["application/vnd.apache.arrow.stream"]).read_all() == table
    assert pa.parquet.read_table(pa.BufferReader(told["application/vnd.apache.parquet"])) == table
    head, cells = csv.reader(io.StringIO(told["text/csv"].decode()))
    assert cells == [str(place) for place in range(len(HEADS))]
    assert [name.replace(";'", ";").removeprefix("'") for name in head] == [
        name.removeprefix("'") for name in HEADS
    ]
    assert not any(name.startswith(("=", "@", "＝", "-")) or ";=" in name for name in head)


def test_names_that_differ_by_the_apostrophe_alone_stay_two(answers: Answers) -> None:
    names = ["=a", "'=a", "''=a", "'a"]
    answer = kept(answers, pa.table({name: [1] for name in names}))
    head, _ = csv.reader(io.StringIO(b"".join(forms.csv(answer)).decode()))
    assert head == ["'=a", "''=a", "'''=a", "'a"]
