"""Versions that follow one another: cohorts carried, kept out, back again; newcomers that wait."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from pyarrow import parquet

from catalog.coding import coding_digest
from catalog.errors import PublicationRefused
from catalog.history import read_history
from catalog.manifest import read_manifest
from catalog.publish import Publication
from catalog.storage import Store
from tests.catalog.conftest import pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import AGGREGATE_MANIFEST, MANIFEST, ROW_MANIFEST, Row, people, publish_rows, said

K = 5


@pytest.fixture
def jails() -> None:
    """Asked for by the tests that run through the real ones."""


@pytest.fixture(autouse=True)
def _without_jails(request: pytest.FixtureRequest) -> Iterator[None]:
    """The jailed programs as functions, but for the tests that ask for jails: one each would take minutes."""
    if "jails" in request.fixturenames:
        yield
        return
    with in_process():
        yield


def next_rows(rows: list[Row], *, leave: int = 0, come: int = 0, change: int = 0) -> list[Row]:
    """The next state of the register; all that happens is in one class."""
    hue = [r for r in rows if r[1] == "Huế" and r[5] == "có"]
    after = [list(r) for r in rows if r not in hue[:leave]]
    after += [[f"N{i:05d}", "Huế", ["cúm", "sởi"][i % 2], "1", "có", "có"] for i in range(come)]
    for row in [r for r in after if r in hue][:change]:
        row[2] = "lao" if row[2] != "lao" else "cúm"
    return after


def shown(store: Store, publication: Publication, rows: list[Row]) -> dict[str, int]:
    """Key → cohort, of everybody whom a version shows."""
    found = {r[0]: store.cohort_of(publication.version.id, pseudonymise([r[0]])[0]) for r in rows}
    return {key: cohort for key, cohort in found.items() if cohort is not None}


def together(cohorts: dict[str, int]) -> set[frozenset[str]]:
    """Who stands with whom."""
    return {frozenset(key for key in cohorts if cohorts[key] == one) for one in set(cohorts.values())}


def waiting(publication: Publication) -> dict[str, tuple[int, int]]:
    return {w.reason: (w.persons, w.cohorts) for w in publication.report.waiting}


def test_what_did_not_change_keeps_its_cohorts_though_the_file_is_ordered_otherwise(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    second = publish_rows(store, tmp_path, rows[::-1], previous=first.version.id)
    assert second.version.parent == first.version.id
    assert together(shown(store, second, rows)) == together(shown(store, first, rows))
    assert second.report.waiting == ()


def test_one_who_leaves_takes_the_cohort_out_and_the_report_says_so(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    after = next_rows(rows, leave=1)
    second = publish_rows(store, tmp_path, after, previous=first.version.id)
    before, now = together(shown(store, first, rows)), together(shown(store, second, rows))
    (gone,) = before - now
    assert now < before
    assert waiting(second) == {"left": (len(gone) - 1, 1)}
    again = publish_rows(store, tmp_path, rows, previous=second.version.id)
    assert together(shown(store, again, rows)) == before, "who comes back unchanged completes the cohort"


def test_a_changed_person_is_a_newcomer_and_the_cohort_is_out(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    second = publish_rows(store, tmp_path, next_rows(rows, change=1), previous=first.version.id)
    (gone,) = together(shown(store, first, rows)) - together(shown(store, second, rows))
    assert waiting(second) == {"moved": (1, 0), "changed": (len(gone) - 1, 1)}


def test_newcomers_wait_until_k_of_them_can_stand_together(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    second = publish_rows(store, tmp_path, next_rows(rows, come=4), previous=first.version.id)
    assert shown(store, second, next_rows(rows, come=4)).keys() == shown(store, first, rows).keys()
    (told,) = second.report.waiting
    assert (told.reason, told.persons, told.since_ms) == ("few", 4, second.version.created_at_ms)
    third = publish_rows(store, tmp_path, next_rows(rows, come=4), previous=second.version.id)
    assert third.report.waiting == (told,), "and since when"
    last = publish_rows(store, tmp_path, next_rows(rows, come=5), previous=third.version.id)
    assert last.report.waiting == ()
    assert together(shown(store, last, next_rows(rows, come=5))) - together(shown(store, first, rows)) == {
        frozenset(f"N{i:05d}" for i in range(5))
    }


def one_of_each_cohort(store: Store, publication: Publication, rows: list[Row], count: int) -> set[str]:
    """Keys of `count` persons of one class, each from another cohort."""
    hue = {r[0] for r in rows if r[1] == "Huế" and r[5] == "có"}
    cohorts = {k: c for k, c in shown(store, publication, rows).items() if k in hue}
    return {next(k for k in sorted(cohorts) if cohorts[k] == c) for c in sorted(set(cohorts.values()))[:count]}


@pytest.mark.usefixtures("jails")
def test_touched_cohorts_come_back_without_who_left_once_k_have_left(tmp_path: Path) -> None:
    manifest = AGGREGATE_MANIFEST
    store, rows = Store(tmp_path / "s"), people(480)
    first = publish_rows(store, tmp_path, rows, manifest=manifest)
    leavers = one_of_each_cohort(store, first, rows, K)
    assert len(leavers) == K
    few = [r for r in rows if r[0] not in sorted(leavers)[1:]]
    second = publish_rows(store, tmp_path, few, manifest=manifest, previous=first.version.id)
    assert waiting(second)["left"][1] == K - 1
    rest = [r for r in rows if r[0] not in leavers]
    third = publish_rows(store, tmp_path, rest, manifest=manifest, previous=second.version.id)
    assert third.report.waiting == ()
    assert shown(store, third, rows).keys() == shown(store, first, rows).keys() - leavers
    (back,) = together(shown(store, third, rows)) - together(shown(store, first, rows))
    assert len(back) >= K * (K - 1)


def test_a_cohort_goes_from_the_purpose_that_one_of_it_takes_back_and_stays_for_the_other(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    (one,) = one_of_each_cohort(store, first, rows, 1)
    name = frozenset(pseudonymise([one]))
    second = publish_rows(
        store, tmp_path, rows, previous=first.version.id, consents=said(withdrawn={"product.rnd": name})
    )
    assert together(shown(store, second, rows)) == together(shown(store, first, rows))
    ranges = np.load(store.private(second.version.id) / "cohorts.npy")
    part = second.version.parts[ranges[shown(store, second, rows)[one], 0]]
    assert part.consented == ("research.academic",)
    third = publish_rows(store, tmp_path, rows, previous=second.version.id)
    assert together(shown(store, third, rows)) == together(shown(store, first, rows))
    third_part = np.load(store.private(third.version.id) / "cohorts.npy")[shown(store, third, rows)[one], 0]
    assert third.version.parts[third_part].consented == ("research.academic", "product.rnd")


def test_who_gives_consent_to_more_is_shown_for_it_once_k_have(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    givers = [r[0] for r in rows if r[1] == "Huế" and r[5] == "không"]
    for count, counted in ((4, False), (20, True)):
        names = frozenset(pseudonymise(givers[:count]))
        given = said(given={"product.rnd": names})
        second = publish_rows(store, tmp_path, rows, previous=first.version.id, consents=given)
        assert second.report.waiting == (), "nobody is lost by a consent"
        ranges = np.load(store.private(second.version.id) / "cohorts.npy")
        places = shown(store, second, rows)
        for_product = {
            k for k in givers if "product.rnd" in (second.version.parts[ranges[places[k], 0]].consented or ())
        }
        assert for_product == (set(givers[:count]) if counted else set())


def test_with_unit_row_records_that_are_alike_stand_for_one_another(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows, manifest=ROW_MANIFEST)
    renamed = [[f"Q{r[0]}", *r[1:]] for r in rows]
    second = publish_rows(store, tmp_path, renamed, manifest=ROW_MANIFEST, previous=first.version.id)
    assert second.version.persons == first.version.persons
    third = publish_rows(
        store, tmp_path, next_rows(rows, come=4), manifest=ROW_MANIFEST, previous=second.version.id
    )
    assert third.version.persons == first.version.persons
    assert waiting(third) == {"few": (4, 0)}
    fourth = publish_rows(
        store, tmp_path, next_rows(rows, leave=1), manifest=ROW_MANIFEST, previous=second.version.id
    )
    (told,) = fourth.report.waiting
    assert (told.reason, told.cohorts) == ("changed", 1)
    assert fourth.version.persons == first.version.persons - told.persons - 1


def test_a_rare_value_that_was_blanked_stays_blank_when_a_newcomer_has_it_too(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    for row in rows[:4]:
        row[2] = "dịch hạch"
    first = publish_rows(store, tmp_path, rows)
    assert first.report.rare_values_blanked == 4
    after = [*rows, ["N1", "Huế", "dịch hạch", "1", "có", "có"]]
    second = publish_rows(store, tmp_path, after, previous=first.version.id)
    assert second.report.rare_values_blanked == 5
    assert second.version.persons == first.version.persons


def test_a_version_in_which_everybody_would_wait_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path / "s")
    rows = [[f"P{i:05d}", "Huế", ["cúm", "sởi"][i // 2 % 2], "1", "có", "có"] for i in range(20)]
    first = publish_rows(store, tmp_path, rows)
    leavers = one_of_each_cohort(store, first, rows, 9)
    assert len(leavers) == 4
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(store, tmp_path, [r for r in rows if r[0] not in leavers], previous=first.version.id)
    assert refused.value.code == "publication.all_wait"


def lose_the_book(store: Store, publication: Publication, how: str = "gone") -> str:
    file = store.private(publication.version.id) / "history.npz"
    if how == "gone":
        file.unlink()
    else:
        file.write_bytes(b"PK")
    return publication.version.id


@pytest.mark.parametrize("how", ["gone", "damaged"])
@pytest.mark.parametrize("manifest", [MANIFEST, AGGREGATE_MANIFEST, ROW_MANIFEST], ids=["rows", "sums", "records"])
def test_a_first_version_whose_book_is_lost_is_followed_once_it_was_made_again(
    tmp_path: Path, how: str, manifest: str
) -> None:
    """As versions are that were made before there were books."""
    store, rows = Store(tmp_path / "s"), people()
    release = partial(publish_rows, store, tmp_path, manifest=manifest)
    first = lose_the_book(store, release(rows), how)
    there = sorted(store.root.rglob("*"))
    with pytest.raises(PublicationRefused) as refused:
        release(rows[1:], previous=first)
    assert (refused.value.code, refused.value.params["version"]) == ("publication.book_differs", first[:12])
    assert sorted(store.root.rglob("*")) == there
    again = release(rows, previous=first)
    assert again.version.parts == store.version(first).parts
    after = release(rows[1:], previous=again.version.id)
    assert [w.cohorts for w in after.report.waiting] == [1]


def test_the_same_files_with_other_persons_in_them_give_no_book(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = lose_the_book(store, publish_rows(store, tmp_path, rows))
    others = [[f"Q{row[0]}", *row[1:]] for row in rows]
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(store, tmp_path, others, previous=first)
    assert refused.value.code == "publication.book_differs"


def test_a_lineage_that_has_older_versions_does_not_go_on_without_its_book(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows)
    second = lose_the_book(store, publish_rows(store, tmp_path, rows, previous=first.version.id))
    with pytest.raises(PublicationRefused) as refused:
        publish_rows(store, tmp_path, rows, previous=second)
    assert (refused.value.code, refused.value.params["version"]) == ("publication.book_lost", second[:12])


@pytest.mark.parametrize("manifest", [MANIFEST, AGGREGATE_MANIFEST], ids=["rows", "aggregate"])
def test_where_k_is_raised_cohorts_that_are_too_small_by_now_stand_together(tmp_path: Path, manifest: str) -> None:
    store, rows = Store(tmp_path / "s"), people()
    first = publish_rows(store, tmp_path, rows, manifest=manifest)
    assert first.version.measured.k < 9
    second = publish_rows(
        store, tmp_path, rows, manifest=manifest.replace("k: 5", "k: 9"), previous=first.version.id
    )
    assert second.version.measured.k >= 9
    assert second.version.persons == first.version.persons
    for cohort in together(shown(store, second, rows)):
        assert all(old <= cohort or not old & cohort for old in together(shown(store, first, rows)))


@pytest.mark.parametrize("manifest", [MANIFEST, AGGREGATE_MANIFEST], ids=["rows", "aggregate"])
def test_where_k_is_raised_a_cohort_that_nobody_can_stand_with_waits_and_the_version_is_made(
    tmp_path: Path, manifest: str
) -> None:
    """Five go who were five before: that is what was promised of them, and no broken promise."""
    store = Store(tmp_path / "s")
    rows = [*people(), *([f"D{i}", "Đà Lạt", ["cúm", "sởi"][i % 2], "1", "có", "có"] for i in range(5))]
    first = publish_rows(store, tmp_path, rows, manifest=manifest)
    higher = manifest.replace("k: 5", "k: 9")
    second = publish_rows(store, tmp_path, rows, manifest=higher, previous=first.version.id)
    assert waiting(second) == {"short": (5, 1)}
    assert second.version.persons == first.version.persons - 5
    third = publish_rows(store, tmp_path, rows, manifest=manifest, previous=second.version.id)
    assert (third.version.persons, third.report.waiting) == (first.version.persons, ())


def test_a_measure_that_one_of_them_withheld_is_withheld_by_the_cohort_of_both(tmp_path: Path) -> None:
    """Else what the two showed before, subtracted, would be the few values of the one that did not."""
    store = Store(tmp_path / "s")
    rows = [
        [f"P{i:05d}", "Huế", ["cúm", "sởi"][i % 2], "34"[i % 2] if i > 2 else "", "có", "có"] for i in range(20)
    ]
    first = publish_rows(store, tmp_path, rows, manifest=AGGREGATE_MANIFEST)
    told = counts(store, first)
    assert None in told
    assert 5 in told, "three without a visit are in at most three of the four cohorts"
    higher = AGGREGATE_MANIFEST.replace("k: 5", "k: 9")
    second = publish_rows(store, tmp_path, rows, manifest=higher, previous=first.version.id)
    assert (second.version.persons, counts(store, second)) == (20, [None])


def counts(store: Store, publication: Publication) -> list[int | None]:
    folder = store.public(publication.version.id)
    return [
        n
        for p in publication.version.parts
        for n in parquet.read_table(folder / p.name)["visits__count"].to_pylist()
    ]


CODED = AGGREGATE_MANIFEST.replace("transform: {clamp: [0, 50]}", "transform: {clamp: [0, 50]}, bands: [3, 6]")
OTHERWISE_CODED = [
    ("bands: [3, 6]", "bands: [3, 7]"),
    ("clamp: [0, 50]", "clamp: [0, 8]"),
    ("fallback: {drop: true}", "fallback: [{groups: {miền: [Huế, Hà Nội, Cần Thơ]}}, {drop: true}]"),
    ("name: place, role", "name: place, as: town, role"),
    ("  - {name: illness, role: sensitive, ", "  - {name: illness, role: drop, "),
]


def test_the_same_persons_under_another_coding_are_refused(tmp_path: Path) -> None:
    """Dealt afresh across the old cohorts they could be told by subtracting, in whichever of its datasets."""
    store, rows = Store(tmp_path / "s"), people()
    release = partial(publish_rows, store, tmp_path, rows)
    first = release(manifest=CODED)
    there = sorted(store.root.rglob("*"))
    for was, becomes in OTHERWISE_CODED:
        for slug in ("small", "beside"):
            other = CODED.replace("slug: small", f"slug: {slug}").replace(was, becomes)
            assert becomes in other
            with pytest.raises(PublicationRefused) as refused:
                release(manifest=other, previous=first.version.id)
            assert refused.value.code == "publication.coding_changed"
            assert refused.value.params == {"version": first.version.id[:12]}
    assert sorted(store.root.rglob("*")) == there
    again = CODED.replace("slug: small", "slug: beside").replace("en: Place", "en: Town")
    assert release(manifest=again, previous=first.version.id).version.persons == first.version.persons


def test_a_book_kept_before_it_held_the_coding_is_judged_by_what_its_version_says(tmp_path: Path) -> None:
    store, rows = Store(tmp_path / "s"), people()
    release = partial(publish_rows, store, tmp_path, rows)
    first = release(manifest=CODED)
    file = store.private(first.version.id) / "history.npz"
    with np.load(file) as book:
        arrays = {name: book[name] for name in book.files if name != "coding"}
    np.savez(file, **arrays)
    for was, becomes in OTHERWISE_CODED:
        if "illness" in was:
            continue  # its version says nothing of it
        with pytest.raises(PublicationRefused) as refused:
            release(manifest=CODED.replace(was, becomes), previous=first.version.id)
        assert refused.value.code == "publication.coding_changed"
    second = release(manifest=CODED, previous=first.version.id)
    assert together(shown(store, second, rows)) == together(shown(store, first, rows))
    assert read_history(store.private(second.version.id)).coding == coding_digest(read_manifest(CODED))
