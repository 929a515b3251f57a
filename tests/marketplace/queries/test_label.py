"""An answer's file says which query it is the answer to, in every form, and every value stays what it was."""

from __future__ import annotations

import hashlib
import itertools
import json
import tempfile
import uuid
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.db.keys import Keys
from marketplace.queries.keeping import Answers
from marketplace.queries.label import PREFIX, Source, label_of
from tests.market import PURPOSE, SMALL_SQL, Market
from tests.marketplace.queries.test_release import FORMS, LARGE_SQL, Got

TABLE = pa.table({"số": [1, None, 3], "t": ["a", "b", None]})
LABEL = label_of(
    uuid.uuid4(),
    PURPOSE,
    [Source(dataset_id=uuid.uuid4(), dataset="adult", version_id="ab" * 32, revision=3)],
)


def _stream() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    return bytes(sink.getvalue())


@given(st.lists(st.integers(0, len(_stream())), max_size=6))
def test_however_the_stream_comes_it_is_labelled_once_and_its_hash_is_of_what_is_kept(cuts: list[int]) -> None:
    query_id, stream = uuid.uuid4(), _stream()
    edges = [0, *sorted(cuts), len(stream)]
    with tempfile.TemporaryDirectory() as folder:
        answers = Answers(Path(folder, "answers"), Keys(Path(folder, "keys")), runner=1)
        draft = answers.draft(query_id)
        draft.label = LABEL
        for start, stop in itertools.pairwise(edges):
            assert draft.write(stream[start:stop]) == stop - start
        at_rest = draft.finish()
        told = answers.open(query_id, at_rest).read()
    assert (len(told), hashlib.sha256(told).hexdigest()) == (at_rest.size_bytes, draft.sha256)
    read = pa.ipc.open_stream(told).read_all()
    assert read == TABLE
    assert read.schema.metadata == {(PREFIX + name).encode(): text.encode() for name, text in LABEL.items()}


@pytest.mark.parametrize("sql", [SMALL_SQL, LARGE_SQL])
def test_each_form_is_tied_to_its_query(market: Market, sql: str) -> None:
    query = market.client("startup").post("/api/v1/queries", market.ask(sql)).json()
    (line,) = query["lines"]
    expected = {
        "query-id": query["id"],
        "query-purpose": PURPOSE,
        "query-datasets": [
            {name: line[name] for name in ("dataset_id", "dataset", "version_id", "revision")},
        ],
    }
    for form in FORMS:
        got = Got(market, f"/api/v1/queries/{query['id']}/result", Accept=form)
        found = {name: got.headers["X-" + name.title()] for name in LABEL}
        found["query-datasets"] = json.loads(found["query-datasets"])
        assert expected.items() <= found.items()
        assert "Do not pass it on" in found["query-notice-en"]
        assert "Không được chuyển cho bên khác" in unquote(found["query-notice-vi"])
        for schema in _schemas(form, got.body):
            inside = {name: schema.metadata[(PREFIX + name).encode()].decode() for name in LABEL}
            assert "Không được chuyển cho bên khác" in inside["query-notice-vi"]
            assert expected.items() <= (inside | {"query-datasets": json.loads(inside["query-datasets"])}).items()


def _schemas(form: str, body: bytes) -> list[pa.Schema]:
    if form.endswith("arrow.stream"):
        return [pa.ipc.open_stream(body).schema]
    if form.endswith("parquet"):
        file = pa.parquet.ParquetFile(pa.BufferReader(body))
        return [file.schema_arrow, pa.schema([], file.metadata.metadata)]
    return []
