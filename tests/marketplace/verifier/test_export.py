"""A regulator's export against the log: rows that were changed, left out, put in or told twice by the exchange."""

from __future__ import annotations

import hashlib
import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from msgspec import convert

from marketplace.audit.reads import EventView
from marketplace.audit.registry import counted_names
from marketplace.oversight.forms import FORMS
from marketplace.verifier.dataset import ENDS
from marketplace.verifier.export import USES, read_export
from marketplace.verifier.refusal import Refused
from tests.marketplace.verifier.material import AT_MS, Made
from tests.marketplace.verifier.outside import run_all

OURS, QUERY = uuid4(), uuid4()
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def log() -> Made:
    """300 leaves, so that there is a whole tile; and one that came after the export."""
    made = Made()
    for n in range(298):
        made.add(dataset_id=OURS if n % 3 else None)
    made.add("query:settle", dataset_id=OURS, query_id=QUERY, price_vnd=900, at=AT_MS - 5_000)
    made.add("query:settle", dataset_id=uuid4(), query_id=QUERY, price_vnd=100)
    made.add()
    return made


@pytest.fixture(scope="module")
def folder(log: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log.write(tmp_path_factory.mktemp("public"))


def rows_of(log: Made, size: int = 300) -> Rows:
    """As the regulator's export has them, newest first."""
    return [
        event | {"salt": salt, "leaf_index": index, "commitment": leaf["c"], "link": leaf["l"],
                 "dataset_counter": place.n if place else None, "dataset_previous": place.p if place else None,
                 "proof": f"/api/v1/audit/proof?leaf={index}"}
        for index, ((event, salt), place) in enumerate(zip(log.events[:size], log.places, strict=False))
        for leaf in [json.loads(log.leaves[index])]
    ][::-1]  # fmt: skip


def zipped(
    log: Made, rows: Iterable[dict[str, Any]], *, size: int = 300, form: str = "ndjson", **changed: Any
) -> bytes:
    lines = [json.dumps(row, ensure_ascii=False).encode() + b"\n" for row in rows]
    data = b"".join(lines) if form == "ndjson" else sheet(map(json.loads, lines))
    manifest = {
        "schema": "sandulieu-export/1", "search": {}, "view": "regulator", "organisation_id": str(uuid4()),
        "person_id": str(uuid4()), "begun_at": "2026-11-27T00:00:00Z", "events": len(lines),
        "file": f"events.{form}", "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
        "checkpoint": log.checkpoint(size), "log_key": str(log.key),
    }  # fmt: skip
    told = io.BytesIO()
    with zipfile.ZipFile(told, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"events.{form}", data)
        archive.writestr("manifest.json", json.dumps(manifest | changed))
    return told.getvalue()


def sheet(rows: Iterable[dict[str, Any]]) -> bytes:
    """The rows as the exchange writes them into a CSV."""
    sink = io.BytesIO()
    FORMS["csv"].open(sink).write(convert(list(rows), list[EventView]))
    return sink.getvalue()


def without(*indexes: int) -> Callable[[Rows], Rows]:
    return lambda rows: [row for row in rows if row["leaf_index"] not in indexes]


def with_field(index: int, **fields: Any) -> Callable[[Rows], Rows]:
    return lambda rows: [row | fields if row["leaf_index"] == index else row for row in rows]


def swapped(one: int, other: int) -> Callable[[Rows], Rows]:
    places = {one: other, other: one}
    return lambda rows: [row | {"leaf_index": places.get(row["leaf_index"], row["leaf_index"])} for row in rows]


def reordered(rows: Rows) -> Rows:
    """The last two uses of a chain change places in it, each naming the one before: no leaf of them differs."""
    uses = [row for row in rows if row["dataset_id"] == str(OURS)]
    third, second, first = sorted(uses, key=lambda row: -int(row["leaf_index"]))[:3]
    n, p = "dataset_counter", "dataset_previous"
    places = {
        second["leaf_index"]: {n: third[n], p: third["leaf_index"]},
        third["leaf_index"]: {n: second[n], p: first["leaf_index"]},
    }
    return [row | places.get(row["leaf_index"], {}) for row in rows]


def twice(log: Made, name: str, data: bytes) -> bytes:
    """A zip in which a name stands twice: which of the two is read is the reader's choice."""
    told = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(zipped(log, rows_of(log)))) as old,
        zipfile.ZipFile(told, "w") as new,
        warnings.catch_warnings(action="ignore"),
    ):
        for each, content in ((name, data), *((each, old.read(each)) for each in old.namelist())):
            new.writestr(each, content)
    return told.getvalue()


DISHONEST: dict[str, tuple[str, Callable[[Rows], Rows]]] = {
    "a row left out": ("export.left_out", without(6)),
    "a use left out": ("export.chain", without(295)),
    "the newest use left out": ("export.left_out", without(298)),
    "a row changed": ("dataset.leaf", with_field(298, price_vnd=1)),
    "a row with another's link": ("dataset.leaf", with_field(5, link="ab" * 32)),
    "two rows in each other's place": ("dataset.leaf", swapped(3, 6)),
    "a row put in": ("export.twice", lambda rows: [*rows, rows[0] | {"id": str(uuid4())}]),
    "a row of no leaf": ("export.row", with_field(4, leaf_index=None)),
    "a row above the head": ("export.row", with_field(4, leaf_index=300)),
    "a row that is not opened": ("export.closed", with_field(4, salt=None)),
    "a use outside the chain": ("export.uncounted", with_field(298, dataset_counter=None, dataset_previous=None)),
    "a chain told in another order": ("export.chain", reordered),
    "a row whose id writes to the terminal": ("export.row", with_field(4, leaf_index=None, id="\x1b[2J")),
    "a field more": ("form.field", with_field(4, more=1)),
}


def test_what_a_dishonest_exchange_does_to_an_export_is_named(log: Made, folder: Path, tmp_path: Path) -> None:
    given = [zipped(log, change(rows_of(log))) for _, change in DISHONEST.values()]
    given += [
        zipped(log, rows_of(log), events=299), zipped(log, rows_of(log), sha256="ab" * 32),
        zipped(log, rows_of(log), file="events.csv"), zipped(log, rows_of(log), file="other.ndjson"),
        zipped(log, rows_of(log), log_key=str(Made().key)),
        zipped(log, rows_of(log), checkpoint=Made().checkpoint(0)), zipped(log, rows_of(log))[:-40], b"PK",
        twice(log, "events.ndjson", b"another\n"), twice(log, "manifest.json", b"{}"),
        zipped(log, rows_of(log)[:-1], search={"name": "test:event"}), zipped(log, rows_of(log)),
    ]  # fmt: skip
    codes = [code for code, _ in DISHONEST.values()]
    codes += (
        ["export.manifest"] * 2
        + ["export.zip"] * 2
        + ["export.key", "note.unsigned"]
        + ["export.zip"] * 4
        + [""] * 2
    )
    runs = run_exports(log, folder, tmp_path, given)
    assert [(said.codes, said.exit_code) for said in runs] == [([code], 1) if code else ([], 0) for code in codes]
    assert not [said for said in runs if "\x1b" in said.document["checks"][-1]["detail"]]
    assert runs[-2].document["checks"][-1]["name"] == "part", "it does not pass for whole"
    rows, complete = runs[-1].document["checks"][-2:]
    assert complete["detail"] == "300 / 300"
    assert rows["detail"] == "300, không mở / closed: 0; giờ lùi / times run back by at most: 5000 ms"


def test_a_csv_opens_the_leaves_as_well_and_what_was_done_to_it_is_named(tmp_path: Path) -> None:
    """Cells that a spreadsheet would run have an apostrophe, others an apostrophe of their own."""
    odd = Made()
    for purpose in ("=1+1", "'=1+1", "a;=b", "a;'=b", 'say "x",\r\n=y', None):
        odd.add("query:settle", dataset_id=OURS, query_id=uuid4(), price_vnd=9, purpose=purpose)
    odd.add(body={"a": ";=é"})
    count, public = len(odd.leaves), odd.write(tmp_path / "odd")
    rows = rows_of(odd, count)
    given = [zipped(odd, rows, size=count, form="csv")]
    given += [zipped(odd, with_field(2, price_vnd=1)(rows), size=count, form="csv")]
    given += [zipped(odd, rows[1:], size=count, form="csv")]
    given += [zipped(odd, with_field(2, at=AT_MS + 1)(rows), size=count, form="csv")]
    given += [zipped(odd, [*rows, rows[0]], size=count, form="csv")]
    given += [zipped(odd, rows, size=count, form="parquet")]
    held, *codes = [said.codes for said in run_exports(odd, public, tmp_path, given)]
    assert held == []
    named = ["dataset.leaf", "export.left_out", "dataset.leaf", "export.twice", "export.form"]
    assert codes == [[each] for each in named]


def test_a_form_that_cannot_be_read_is_not_told_as_a_forgery(tmp_path: Path) -> None:
    small = Made()
    small.add()
    path = tmp_path / "parquet.zip"
    path.write_bytes(zipped(small, rows_of(small, 1), size=1, form="parquet"))
    (said,) = run_all([["export", small.write(tmp_path / "public"), path, "--key", small.key]])
    assert said.exit_code == 2
    assert "NDJSON and CSV" in said.err
    assert "Do not trust" not in said.err


def run_exports(log: Made, folder: Path, tmp_path: Path, given: list[bytes], *more: str) -> Any:
    paths = [tmp_path / f"{n}.zip" for n in range(len(given))]
    for path, data in zip(paths, given, strict=True):
        path.write_bytes(data)
    return run_all([["export", folder, path, "--key", log.key, "--json", *more] for path in paths])


def test_no_byte_of_the_zip_can_be_changed_unnoticed_or_ends_in_a_trace(tmp_path: Path) -> None:
    """But those that say nothing: when a file was written, by what, with which rights."""
    small = Made()
    for _ in range(2):
        small.add(dataset_id=OURS)
    whole, path = zipped(small, rows_of(small, 2), size=2), tmp_path / "changed.zip"
    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
        with suppress(Refused):
            rows, note = read_export(path, small.key, erased=False)
            assert (rows.count, rows.whole, note) == (2, True, small.checkpoint(2))
            rows.look(0, small.leaves, b"")


def test_of_what_was_erased_the_place_is_taken_if_asked(log: Made, folder: Path, tmp_path: Path) -> None:
    closed = with_field(4, salt=None)(rows_of(log))
    forged = with_field(4, salt=None, commitment="ab" * 32)(rows_of(log))
    held, refused = run_exports(log, folder, tmp_path, [zipped(log, closed), zipped(log, forged)], "--erased")
    assert "closed: 1" in held.document["checks"][-2]["detail"]
    assert (held.exit_code, refused.codes) == (0, ["dataset.leaf"])


def test_one_query_that_ends_twice_is_found_by_regulator_and_owner(tmp_path: Path) -> None:
    """One receipt for the startup and another for the owner: each holds by itself, both are in the log."""
    twice = Made()
    for price in (900, 100):
        twice.add("query:settle", dataset_id=OURS, query_id=QUERY, price_vnd=price)
    folder = twice.write(tmp_path / "public")
    (regulator,) = run_exports(twice, folder, tmp_path, [zipped(twice, rows_of(twice, 2), size=2)])
    events = tmp_path / "events"
    events.write_text("\n".join(map(json.dumps, [twice.completeness(OURS), *twice.views(OURS)])))
    (owner,) = run_all([["dataset", folder, events, "--key", twice.key, "--json"]])
    assert regulator.codes == owner.codes == ["dataset.ended_twice"]
    assert str(QUERY) in owner.out


def test_what_is_taken_for_a_use_or_an_end_is_declared_as_one() -> None:
    assert {*USES, *ENDS} <= set(counted_names())
