"""Whatever is another in a dataset's events, a regulator's export, a public log or a witness's line: it does not
verify, and is refused in words. Who forges chooses values, not only bytes."""

from __future__ import annotations

import copy
import io
import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from marketplace.verifier.consistency import check_consistency
from marketplace.verifier.dataset import VIEW, check_dataset
from marketplace.verifier.export import check_export
from marketplace.verifier.folder import check_log
from marketplace.verifier.note import COSIGNATURE, VerifierKey
from marketplace.verifier.refusal import Check, holds
from marketplace.witness.cosigning import cosignature_line
from tests.examples import tried
from tests.marketplace.verifier.material import Made
from tests.marketplace.verifier.test_changed import changed, json_values
from tests.marketplace.verifier.test_export import rows_of, zipped

MANY = settings(
    max_examples=tried(30), deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
OURS, OTHERS = uuid4(), uuid4()
SIZE = 23
odd: st.SearchStrategy[Any] = (
    st.sampled_from([None, True, -1, 0, 2**53 - 1, "", "0", "\u2028", "\ud800", [], {}, [[]]]) | json_values
)


@pytest.fixture(scope="module")
def log() -> Made:
    made = Made()
    for n in range(SIZE - 1):
        made.add("query:settle", dataset_id=(OURS, OTHERS, None)[n % 3], query_id=uuid4(), price_vnd=n)
    made.add("query:void", dataset_id=OURS, query_id=uuid4())
    return made


@pytest.fixture(scope="module")
def folder(log: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return log.write(tmp_path_factory.mktemp("public"))


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in a document."""
    below = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in below:
        yield (*path, name)
        yield from places(each, (*path, name))


def mutated(data: st.DataObject, document: Any, *, within: Callable[[tuple[Any, ...]], bool]) -> Any:
    """Something is another value, is gone, or stands in another's place."""
    found, made = [each for each in places(document) if within(each)], copy.deepcopy(document)
    at, other = data.draw(st.sampled_from(found)), data.draw(st.sampled_from(found))
    holder, from_ = made, document
    for name in at[:-1]:
        holder = holder[name]
    for name in other:
        from_ = from_[name]
    how = data.draw(st.sampled_from(["value", "gone", "moved"]))
    if how == "gone":
        del holder[at[-1]]
    else:
        holder[at[-1]] = data.draw(odd) if how == "value" else copy.deepcopy(from_)
    return made


def written(*documents: Any) -> bytes:
    return b"\n".join(json.dumps(each).encode() for each in documents)


@MANY
@given(st.data())
def test_events_of_a_dataset_of_which_anything_is_another_do_not_verify(
    log: Made, folder: Path, data: st.DataObject
) -> None:
    key, views = log.completeness(OURS), log.views(OURS)
    assert holds(check_dataset(folder, written(key, {"items": views}), log.key))
    spoilt = mutated(data, views, within=lambda path: len(path) < 2 or path[1] in VIEW)
    texts, due = ([json.dumps(each, sort_keys=True) for each in some] for some in (spoilt, views))
    if set(texts) >= set(due):
        return  # the same events, in another order or one more
    erased = data.draw(st.booleans())
    found = check_dataset(folder, written(key, {"items": spoilt}), log.key, erased=erased)
    assert not holds(found) or (erased and _only_closed(spoilt, views))


def _only_closed(spoilt: list[Any], views: list[Any]) -> bool:
    """With `--erased` an event may be without its salt, and then nothing that it says is proven but its place."""
    proven = ("commitment", "leaf_index", "dataset_counter", "dataset_previous", "dataset_id")
    return [{name: each[name] for name in proven} for each in spoilt] == [
        {name: each[name] for name in proven} for each in views
    ] and all(one == other or one["salt"] is None for one, other in zip(spoilt, views, strict=True))


@MANY
@given(st.data())
def test_any_document_given_as_a_dataset_s_events_is_refused_in_words(
    log: Made, folder: Path, data: st.DataObject
) -> None:
    whole = [log.completeness(OURS), {"items": log.views(OURS)}]
    text = written(*mutated(data, whole, within=lambda _: True))
    for each in (text, changed(data, text), written(data.draw(odd), *whole), written(data.draw(odd))):
        told(check_dataset(folder, each, log.key, erased=data.draw(st.booleans())))


def told(checks: tuple[Check, ...]) -> None:
    """What does not hold says so in both languages, in text that can be written anywhere."""
    for each in checks:
        assert each.ok or (each.code and each.vi and each.en)
        json.dumps([each.detail, each.vi, each.en]).encode()
        f"{each.detail}{each.vi}{each.en}".encode()


@MANY
@given(st.data())
def test_an_export_of_which_anything_is_another_does_not_verify(
    log: Made, folder: Path, data: st.DataObject
) -> None:
    rows = rows_of(log, SIZE)
    names = {*VIEW, "link"}

    def checks(*, erased: Any = False, **more: Any) -> tuple[Check, ...]:
        with tempfile.NamedTemporaryFile(suffix=".zip") as file:
            file.write(zipped(log, more.pop("rows", rows), size=SIZE, **more))
            file.flush()
            return check_export(folder, Path(file.name), log.key, erased=erased)

    spoilt = mutated(data, rows, within=lambda path: len(path) < 2 or path[1] in names)
    proven = data.draw(st.sampled_from(["events", "file", "bytes", "sha256", "checkpoint"]))
    other = data.draw(odd)
    assert [each.name for each in checks()][-1] == "complete"
    found = checks(rows=spoilt)
    told(found)
    if sorted(map(json.dumps, spoilt)) != sorted(map(json.dumps, rows)):
        assert not holds(found)
    told(checks(rows=spoilt, erased=True))
    wrong = checks(**{proven: other})
    told(wrong)
    assert (proven, other) == ("events", SIZE) or not holds(wrong)


@MANY
@given(st.data())
def test_a_zip_with_any_byte_changed_says_the_same_or_is_refused(
    log: Made, folder: Path, data: st.DataObject
) -> None:
    export = zipped(log, rows_of(log, SIZE), size=SIZE)
    spoilt = changed(data, export)
    with tempfile.NamedTemporaryFile(suffix=".zip") as file:
        file.write(spoilt)
        file.flush()
        found = check_export(folder, Path(file.name), log.key)
    told(found)
    if holds(found):  # a date of the zip, an attribute
        with zipfile.ZipFile(io.BytesIO(export)) as one, zipfile.ZipFile(io.BytesIO(spoilt)) as other:
            assert {name: one.read(name) for name in one.namelist()} == {
                name: other.read(name) for name in other.namelist()
            }


@MANY
@given(st.data())
def test_a_public_log_of_which_any_byte_is_another_does_not_verify(
    log: Made, folder: Path, data: st.DataObject
) -> None:
    path = data.draw(st.sampled_from(sorted(each for each in folder.rglob("*") if each.is_file())))
    whole = path.read_bytes()
    try:
        path.write_bytes(changed(data, whole))
        found = check_log(folder, log.key)
    finally:
        path.write_bytes(whole)
    told(found)
    assert not holds(found)


@MANY
@given(st.integers(0, 2**64 - 1), st.data())
def test_a_cosignature_of_which_any_byte_is_another_is_none(log: Made, time_s: int, data: st.DataObject) -> None:
    signer, name = Ed25519PrivateKey.generate(), "witness.example/w1"
    witness = VerifierKey(name, signer.public_key().public_bytes_raw(), COSIGNATURE)
    note = log.checkpoint()
    text = note.rpartition("\n\n")[0] + "\n"
    line = cosignature_line(text, name, signer, time_s).encode()
    proof = log.consistency(SIZE, SIZE)

    def by_witness(line: bytes) -> tuple[Check, ...]:
        return check_consistency(note.encode(), note.encode() + line, proof, log.key, witnesses=[witness])

    assert holds(by_witness(line))
    other = cosignature_line(text.replace("23", "22"), name, signer, time_s).encode()
    junk = data.draw(st.text(max_size=12)).encode("utf-8", "surrogatepass")
    for spoilt in (b"", changed(data, line), other, junk, line[: data.draw(st.integers(0, len(line) - 1))]):
        found = by_witness(spoilt)
        told(found)
        assert not holds(found)
    told(by_witness(junk + b"\n" + line))
    told(by_witness(line + "— \u2028 AAAAAAA=\n".encode()))
