"""Revisions: what was taken out is not in the files, and so not in the jail."""

from __future__ import annotations

import io
import os
import threading
from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from catalog.errors import VersionDamaged
from catalog.publish import Publication
from catalog.storage import Store
from catalog.version import Revision
from sandbox.isolation.oneshot import run_once
from sandbox.isolation.runtime import Bind
from tests.catalog.conftest import pseudonymise
from tests.catalog.small import AGGREGATE_MANIFEST, people, publish_rows


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("storage")


@pytest.fixture(scope="module")
def own(home: Path) -> Store:
    return Store(home / "store")


@pytest.fixture(scope="module")
def made(own: Store, home: Path) -> Publication:
    """Every person's illness is the person's own words, so that rows can be told apart."""
    return publish_rows(own, home, people(600))


def rows_of(revision: Revision) -> Counter[tuple[object, ...]]:
    tables = [parquet.read_table(p) for p in revision.parts]
    return Counter(tuple(r.values()) for t in tables for r in t.to_pylist())


def cohort_rows(store: Store, publication: Publication, cohort: int) -> Counter[tuple[object, ...]]:
    part, begin, end = np.load(store.private(publication.version.id) / "cohorts.npy")[cohort].tolist()
    table = parquet.read_table(store.public(publication.version.id) / publication.version.parts[part].name)
    return Counter(tuple(r.values()) for r in table.slice(begin, end - begin).to_pylist())


def test_without_exclusions_a_revision_is_the_versions_own_files(own: Store, made: Publication) -> None:
    revision = own.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)
    assert [Path(p).parent for p in revision.parts] == [own.public(made.version.id)] * len(made.version.parts)
    assert sum(rows_of(revision).values()) == made.version.rows


def test_a_purpose_sees_only_parts_that_consented_to_it(own: Store, made: Publication) -> None:
    revision = own.revision(made.version.id, purpose="product.rnd", excluded=frozenset(), number=0)
    expected = [p.name for p in made.version.parts if p.consented and "product.rnd" in p.consented]
    assert [Path(p).name for p in revision.parts] == expected
    assert 0 < len(expected) < len(made.version.parts)
    assert own.revision(made.version.id, purpose="trial.quality", excluded=frozenset(), number=0).parts == ()


def test_an_excluded_cohort_goes_whole_and_nothing_else_goes(own: Store, made: Publication) -> None:
    whole = own.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)
    excluded = frozenset({0, 3, made.version.cohorts - 1})
    revision = own.revision(made.version.id, purpose=None, excluded=excluded, number=3)
    gone = sum((cohort_rows(own, made, c) for c in excluded), Counter())
    assert rows_of(whole) - rows_of(revision) == gone
    assert sum(gone.values()) >= 3 * made.version.k
    assert revision.hash != whole.hash
    assert revision.number == 3
    again = own.revision(made.version.id, purpose=None, excluded=excluded, number=3)
    assert again == revision


def test_all_cohorts_can_go_and_the_columns_stay(own: Store, made: Publication) -> None:
    everyone = frozenset(range(made.version.cohorts))
    revision = own.revision(made.version.id, purpose=None, excluded=everyone, number=len(everyone))
    assert sum(rows_of(revision).values()) == 0
    assert {tuple(parquet.read_schema(p).names) for p in revision.parts} == {("place", "illness")}


def test_many_at_once_get_the_same_revision(own: Store, made: Publication) -> None:
    excluded = frozenset({1, 5})
    found: list[Revision] = []
    other = Store(own.root)  # as another process would have it
    threads = [
        threading.Thread(
            target=lambda s: found.append(s.revision(made.version.id, purpose=None, excluded=excluded, number=2)),
            args=(s,),
        )
        for s in (own, other) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert not list((own.root / "revisions").rglob("*.part"))


def test_the_cohort_of_a_person_is_found_and_a_stranger_has_none(own: Store, made: Publication) -> None:
    people_in = [own.cohort_of(made.version.id, p) for p in pseudonymise([r[0] for r in people(600)])]
    assert Counter(c for c in people_in if c is not None).most_common()[-1][1] >= made.version.k
    assert sum(c is not None for c in people_in) == made.version.persons
    assert own.cohort_of(made.version.id, b"\0" * 16) is None
    assert own.cohort_of(made.version.id, b"\xff" * 16) is None


def test_a_compromised_worker_finds_nothing_of_a_cohort_that_left(own: Store, made: Publication) -> None:
    """The files are read from inside the real jail, every descriptor of it: the cohort's bytes are not there."""
    subject = pseudonymise([people(600)[7][0]])[0]
    cohort = own.cohort_of(made.version.id, subject)
    assert cohort is not None
    revision = own.revision(made.version.id, purpose=None, excluded=frozenset({cohort}), number=1)
    whole = own.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)
    seen = tables_seen_inside(revision)
    assert sum((rows(t) for t in seen), Counter()) == rows_of(whole) - cohort_rows(own, made, cohort)
    assert len(seen) == len(revision.parts)


def rows(table: pa.Table) -> Counter[tuple[object, ...]]:
    return Counter(tuple(r.values()) for r in table.to_pylist())


def tables_seen_inside(revision: Revision) -> list[pa.Table]:
    here = Path(__file__).parent / "inside_jail.py"
    files = [os.open(p, os.O_RDONLY) for p in revision.parts]
    try:
        done = run_once(
            "inside_jail:main", b"", files, consume=lambda s: s.read(), deadline_ms=20_000, memory_bytes=2**29,
            max_output_bytes=2**29, extra=(Bind(str(here), "/app/inside_jail.py"),),
        )  # fmt: skip
    finally:
        for file in files:
            os.close(file)
    content, tables = io.BytesIO(done.value), []
    while head := content.read(8):
        body = content.read(int.from_bytes(head, "big"))
        if body:
            tables.append(parquet.read_table(io.BytesIO(body)))
    return tables


def test_a_part_that_was_changed_on_disk_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    made = publish_rows(store, tmp_path, people(), manifest=AGGREGATE_MANIFEST)
    part = store.public(made.version.id) / made.version.parts[0].name
    part.chmod(0o644)
    with part.open("r+b") as file:
        file.seek(40)
        file.write(b"\0\1\2")
    with pytest.raises(VersionDamaged):
        store.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)
    manifest = store.public(made.version.id) / "version.json"
    manifest.chmod(0o644)
    manifest.write_bytes(manifest.read_bytes().replace(b'"k":5', b'"k":2').replace(b'"k": 5', b'"k": 2'))
    with pytest.raises(VersionDamaged):
        Store(tmp_path / "s").version(made.version.id)


@pytest.mark.parametrize("harm", ["hash lost", "part cut", "part gone", "both gone"])
def test_a_revision_that_a_crash_left_half_is_made_again(own: Store, made: Publication, harm: str) -> None:
    """After power loss a file may be empty: what can be made again from the version must not stop queries."""
    cohort = ["hash lost", "part cut", "part gone", "both gone"].index(harm) + 7
    excluded = frozenset({cohort})
    before = own.revision(made.version.id, purpose=None, excluded=excluded, number=1)
    (rewritten,) = [Path(p) for p in before.parts if Path(p).is_relative_to(own.root / "revisions")]
    recorded = rewritten.with_suffix(".sha256")
    if harm == "hash lost":
        recorded.write_text("")
    elif harm == "part cut":
        rewritten.chmod(0o644)
        rewritten.write_bytes(rewritten.read_bytes()[:20])
    else:
        rewritten.unlink()
        if harm == "both gone":
            recorded.unlink()
    again = Store(own.root).revision(made.version.id, purpose=None, excluded=excluded, number=1)
    assert again == before
    assert rows_of(again) == rows_of(before)


def test_a_part_that_was_replaced_while_the_service_runs_is_not_read(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    made = publish_rows(store, tmp_path, people(), manifest=AGGREGATE_MANIFEST)
    store.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)
    part = store.public(made.version.id) / made.version.parts[0].name
    other = tmp_path / "other"
    other.write_bytes(part.read_bytes() + b"x")
    other.rename(part)
    with pytest.raises(VersionDamaged):
        store.revision(made.version.id, purpose=None, excluded=frozenset(), number=0)


@pytest.mark.parametrize("name", ["", "../x", "a" * 63, "A" * 64, "a" * 64])
def test_a_version_that_is_not_here_is_told_so_and_no_path_is_followed(own: Store, name: str) -> None:
    with pytest.raises(VersionDamaged):
        own.version(name)
