"""Publication through the real jails: shipped datasets, refusals, consent, versions that follow one another."""

from __future__ import annotations

import hashlib
import json
import resource
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import numpy as np
import pytest

from catalog import making
from catalog.check import check
from catalog.errors import PublicationRefused
from catalog.publish import Publication, publish
from catalog.storage import Store, version_hash
from catalog.version import Version
from catalog.wire import AnonymiseOrder, AnonymiseReply
from sandbox.job import SandboxFailed
from tests.catalog.conftest import EXAMPLES, LIMITS, pseudonymise
from tests.catalog.small import AGGREGATE_MANIFEST, people, publish_rows, said


def asked(sql: str) -> list[tuple[Any, ...]]:
    """The answer of an engine that took no part in making the files."""
    return duckdb.execute(sql).fetchall()


def nothing_in(store: Store) -> bool:
    return not any(p.is_file() or p.name == "part" for name in ("versions", "private", "incoming")
                   for p in (store.root / name).rglob("*"))  # fmt: skip


def test_adult_is_ten_anonymous_with_seven_in_ten_at_the_fine_level_and_nobody_left_out(
    adult: Publication,
) -> None:
    version = adult.version
    assert version.persons + version.left_out.persons == 32_561
    assert version.left_out.share <= 0.001
    assert 0.65 <= version.fine_share <= 0.8
    assert version.measured.k >= 10
    assert version.measured.l == 2
    assert version.measured.entropy_l is not None
    assert [c.name for c in version.columns][:4] == ["age", "workclass", "education", "marital_status"]
    assert adult.report.format == "csv.gz"


def test_in_adults_files_no_class_has_fewer_than_ten_persons_or_one_salary(
    adult: Publication, store: Store
) -> None:
    parts = [str(store.public(adult.version.id) / p.name) for p in adult.version.parts]
    dimensions = ", ".join(c.name for c in adult.version.columns if c.role == "quasi-identifier")
    (found,) = asked(
        f"select min(n), min(v), sum(n) from (select count(*) n, count(distinct salary_class) v "
        f"from read_parquet({parts!r}) group by {dimensions})"
    )
    assert found[0] >= 10
    assert found[1] == 2
    assert found[2] == adult.version.persons == adult.version.rows


def test_adults_sample_is_no_row_of_adult(adult: Publication, store: Store) -> None:
    parts = [str(store.public(adult.version.id) / p.name) for p in adult.version.parts]
    names = [c.name for c in adult.version.columns]
    real = set(asked(f"select {', '.join(names)} from read_parquet({parts!r})"))
    assert len(adult.sample) == 20
    assert not {tuple(row[n] for n in names) for row in adult.sample} & real


def test_the_licences_hold_one_record_a_cohort_in_parts_of_one_consent_each(
    licences: Publication, store: Store
) -> None:
    version = licences.version
    assert version.left_out.share < 0.01
    assert version.rows == version.cohorts < version.persons / 9
    assert licences.report.without_consent > 0
    assert version.persons + version.left_out.persons + licences.report.without_consent == 200_000
    assert len({p.consented for p in version.parts}) == len(version.parts) == 7
    parts = [str(store.public(version.id) / p.name) for p in version.parts]
    (found,) = asked(f"select min(n), sum(n), min(so_lan_vi_pham__count) from read_parquet({parts!r})")
    assert found[0] >= 10
    assert found[1] == version.persons
    assert found[2] >= 10
    assert "vi_pham_gan_nhat" not in {c.name for c in version.columns}
    assert version.measured.l is not None
    assert version.measured.l >= 2


def test_a_date_of_birth_is_refused_and_the_refusal_says_that_it_is_the_date_of_birth(
    register: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    text = (EXAMPLES / "giay_phep_lai_xe" / "too_identifying.yaml").read_text(encoding="utf-8")
    with pytest.raises(PublicationRefused) as refused:
        publish(
            text, register, store=store, pseudonymise=pseudonymise, consents=None, previous=None, limits=LIMITS
        )
    assert refused.value.code == "publication.too_identifying"
    assert refused.value.params["column"] == "ngay_sinh"
    assert refused.value.params["share"] > 90
    assert nothing_in(store)


def test_a_version_is_named_by_its_content_and_cannot_be_written_again(adult: Publication, store: Store) -> None:
    folder = store.public(adult.version.id)
    version = msgspec.json.decode((folder / "version.json").read_bytes(), type=Version)
    assert version == adult.version
    assert version_hash(version) == version.id == folder.name
    fields = {k: v for k, v in json.loads((folder / "version.json").read_text()).items() if k != "id"}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert hashlib.sha256(canonical.encode()).hexdigest() == version.id
    for part in version.parts:
        file = folder / part.name
        assert hashlib.sha256(file.read_bytes()).hexdigest() == part.sha256
        assert file.stat().st_mode & 0o777 == 0o444


def test_what_is_private_can_be_read_by_nobody_else(licences: Publication, store: Store) -> None:
    folder = store.private(licences.version.id)
    assert folder.stat().st_mode & 0o077 == 0
    assert {f.name for f in folder.iterdir()} >= {"subjects.bin", "cohorts.npy"}
    assert all(f.stat().st_mode & 0o077 == 0 for f in folder.iterdir())


def test_persons_with_several_rows_are_refused_with_how_many(tmp_path: Path) -> None:
    rows = people()
    rows += [rows[3], rows[3], rows[8]]
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(Store(tmp_path / "s"), tmp_path, rows)
    assert (refused.value.code, refused.value.params["persons"], refused.value.params["rows"]) == (
        "ingest.subject_twice", 2, 3,
    )  # fmt: skip
    assert nothing_in(Store(tmp_path / "s"))


def test_persons_without_a_key_are_refused_with_how_many(tmp_path: Path) -> None:
    rows = people()
    rows[5][0] = rows[6][0] = " "
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(Store(tmp_path / "s"), tmp_path, rows)
    assert (refused.value.code, refused.value.params["rows"]) == ("ingest.subject_missing", 2)


def test_columns_that_the_file_lacks_are_named_with_the_manifests_lines(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    manifest = AGGREGATE_MANIFEST.replace("name: visits", "name: vists").replace(
        "product.rnd: product", "product.rnd: prod"
    )
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(store, tmp_path, people(), manifest=manifest)
    lines = manifest.splitlines()
    assert refused.value.code == "ingest.columns_absent"
    for name, start in (("vists", "- {name: vists"), ("prod", "consent:")):
        line = next(i for i, text in enumerate(lines, 1) if text.strip().startswith(start))
        assert f"{name} (dòng/line {line})" in refused.value.params["columns"]


def test_a_jail_that_may_use_too_little_memory_is_a_failure_and_leaves_nothing(
    register: Path, tmp_path: Path
) -> None:
    store = Store(tmp_path)
    text = (EXAMPLES / "giay_phep_lai_xe" / "manifest.yaml").read_text(encoding="utf-8")
    small = msgspec.structs.replace(LIMITS, deadline_ms=100)
    with pytest.raises(SandboxFailed) as failed:
        publish(text, register, store=store, pseudonymise=pseudonymise, consents=None, previous=None, limits=small)
    assert failed.value.code == "sandbox.deadline"
    assert nothing_in(store)


FULL_DISK = """
import resource, sys
from pathlib import Path
from catalog.errors import PublicationRefused
from catalog.storage import Store
from tests.catalog.small import people, publish_rows
folder = Path(sys.argv[1])
store = Store(folder / "store")
rows = people(3000)
publish_rows(Store(folder / "warm"), folder, rows)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
import tests.catalog.small as small
small.write = lambda path, rows, header: path
try:
    publish_rows(store, folder, rows)
except PublicationRefused as refused:
    print(refused.code)
"""


@pytest.mark.parametrize("bytes_", [1024, 20_000])
def test_a_full_disk_refuses_and_leaves_nothing_half(tmp_path: Path, bytes_: int) -> None:
    """A limit on the size of files stands for the full disk: 1 KB hits the persons, 20 KB what comes after."""
    assert resource.RLIMIT_FSIZE
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path), str(bytes_)], capture_output=True, text=True,
        cwd=Path(__file__).parents[2], check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "publication.disk_full", done.stderr
    assert nothing_in(Store(tmp_path / "store"))


def test_checking_says_beforehand_what_publishing_would_say(tmp_path: Path) -> None:
    folder = EXAMPLES / "adult"
    text = (folder / "manifest.yaml").read_text(encoding="utf-8")
    report = check(folder / "adult.csv.gz", text, limits=LIMITS)
    assert report.ok
    assert report.version is not None
    assert report.version.measured.k >= 10
    assert [e.code for e in check(folder / "adult.csv.gz", "k: 1").errors][:1] == ["manifest.missing_key"]
    broken = tmp_path / "broken.csv"
    broken.write_text("age\n1\n")
    refused = check(broken, text, limits=LIMITS).refusal
    assert refused is not None
    assert refused.code == "ingest.columns_absent"


def consents(publication: Publication, store: Store, key: str) -> tuple[str, ...] | None:
    """The purposes of the part in which a person stands, None if nowhere."""
    cohort = store.cohort_of(publication.version.id, pseudonymise([key])[0])
    if cohort is None:
        return None
    part = np.load(store.private(publication.version.id) / "cohorts.npy")[cohort, 0]
    return publication.version.parts[int(part)].consented


def test_consent_is_by_file_and_register_and_a_withdrawal_outweighs_the_file(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    rows = people()
    silent, giver, quitter = rows[0], rows[2], rows[4]
    for row in rows[:2]:
        row[4] = row[5] = "không"
    assert giver[5] == "không"
    crowd = frozenset(pseudonymise([r[0] for r in rows[2:60:2]]))
    made = publish_rows(
        store, tmp_path, rows, consents=said(
            given={"product.rnd": crowd},
            withdrawn={"research.academic": crowd - frozenset(pseudonymise([giver[0]]))},
        ),
    )  # fmt: skip
    assert consents(made, store, silent[0]) is None
    assert made.report.without_consent == 2
    assert consents(made, store, quitter[0]) == ("product.rnd",)
    assert consents(made, store, giver[0]) in (("research.academic", "product.rnd"), None)


@pytest.mark.parametrize(("said", "part", "held"), [(1, 0, True), (3, 0, False), (1, 7, False), (1, -1, False)])
def test_a_jails_word_on_who_consented_is_not_taken(tmp_path: Path, said: int, part: int, held: bool) -> None:
    """Ten persons who consented to the first purpose only, in a part that the jail gives to `said`."""
    order = AnonymiseOrder(
        columns=(), hierarchies={}, mode="rows", k=5, l=2, max_left_out_share=0.5, followed=True, seed=b"",
        part_rows=100, row_group_rows=100,
    )  # fmt: skip
    taker = making._Taker(tmp_path, order, None)
    taker.parts = [making.MadePart(path=tmp_path / "part", sha256="", rows=10, mask=said)]
    taker.arrays = {
        kind: bytearray(np.array(values, dtype=dtype).tobytes())
        for kind, values, dtype in (
            (b"COHO", [0] * 10, np.int32), (b"DIGE", [0] * 10, np.uint64), (b"RNGE", [part, 0, 10], np.int64),
            (b"CLAS", [1], np.uint64), (b"LEVL", [False], np.bool_), (b"VALU", [], np.uint32),
            (b"HAVE", [], np.bool_), (b"GIVE", [], np.bool_),
        )
    } | {b"SEEN": bytearray(msgspec.msgpack.encode({}))}  # fmt: skip
    reply = AnonymiseReply(persons=10, cohorts=1, rows=10)
    with nullcontext() if held else pytest.raises(PublicationRefused):
        taker.made(reply, np.ones(10, dtype=np.int32))
