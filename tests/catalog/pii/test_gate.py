"""A file whose manifest says less than is in it does not get out of its jail; a person's reason lets it."""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.pii import register
from catalog.errors import PublicationRefused
from catalog.manifest import read_manifest
from catalog.pii.detect import detect, scan_order
from catalog.pii.gate import Override, findings, require_answered, stopped
from catalog.pii.order import Detected
from catalog.publish import Publication, publish
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.plain import in_process
from tests.catalog.small import HEADER, MANIFEST, ROW_MANIFEST, people, write

EXTRA = """\
  - {name: note, role: sensitive, meaning: {vi: Ghi chú, en: Note}}
  - {name: contact, role: quasi-identifier, meaning: {vi: Liên hệ, en: Contact}, fallback: {drop: true}}
  - {name: born, role: sensitive, meaning: {vi: Ngày sinh, en: Born}}
  - {name: one, role: sensitive, meaning: {vi: Một, en: One}}
  - {name: two, role: sensitive, meaning: {vi: Hai, en: Two}}
  - {name: email, role: drop}
"""
WHOLE = ROW_MANIFEST + EXTRA


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 persons: one note in fifty holds a telephone number, and two columns are a name together."""
    draw = random.Random(5)
    path = tmp_path_factory.mktemp("pii") / "persons.csv"
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*HEADER, "note", "contact", "born", "one", "two", "email"])
        for number, row in enumerate(people(400)):
            note = (
                f"gọi lại số {register.phone(draw)} buổi chiều"
                if number % 50 == 0
                else f"đã khám {number % 7} lần"
            )
            writer.writerow(
                [
                    *row,
                    note,
                    register.phone(draw),
                    register.birth(draw),
                    number % 20,
                    number // 20,
                    register.email(draw),
                ]
            )
    return path


@pytest.fixture(scope="module")
def detected(file: Path) -> Detected:
    return detect(file, scan_order(read_manifest(WHOLE)), limits=LIMITS)


def _codes(found: Detected, text: str = WHOLE) -> set[tuple[str, str, str]]:
    return {("+".join(f.columns), f.finding, f.code) for f in findings(read_manifest(text), found)}


def test_every_contradiction_is_found(detected: Detected) -> None:
    assert _codes(detected) >= {
        ("note", "phone", "pii.identifying"),
        ("contact", "phone", "pii.identifying"),
        ("born", "birth_date", "pii.indirect"),
        ("born", "singles_out", "pii.singles_out"),
        ("one+two", "singles_out", "pii.pair_singles_out"),
    }
    assert not any("email" in columns for columns, _, _ in _codes(detected)), "what is dropped may hold anything"
    assert not {("one", "singles_out"), ("illness", "singles_out")} & {(c, f) for c, f, _ in _codes(detected)}


_GROUPS = "transform: {groups: {Có: [x]}, otherwise: Khác}"


def test_labels_of_ours_and_a_class_are_answer_enough(detected: Detected) -> None:
    text = WHOLE.replace(
        "{name: contact, role: quasi-identifier", f"{{name: contact, role: quasi-identifier, {_GROUPS}"
    )
    text = text.replace("{name: born, role: sensitive", "{name: born, role: quasi-identifier")
    found = {(column, finding) for column, finding, _ in _codes(detected, text)}
    assert not {("contact", "phone"), ("born", "birth_date")} & found


def test_only_a_reason_for_each_finding_lets_it_go(detected: Detected) -> None:
    manifest = read_manifest(WHOLE)
    every = findings(manifest, detected)
    answers = [Override(columns=f.columns, finding=f.finding, reason="Số tổng đài, không của ai") for f in every]
    with pytest.raises(PublicationRefused, match=r"publication\.personal_data") as refused:
        require_answered(manifest, detected, answers[1:])
    assert refused.value.params["count"] == 1
    assert not stopped(manifest, detected, answers)
    assert [each.finding for each in require_answered(manifest, detected, answers)] == list(every)
    other = Override(columns=every[0].columns, finding="email", reason="Một loại khác, chưa dò thấy")
    assert len(stopped(manifest, detected, [other])) == len(every), "an answer is to its kind only"


def test_no_cell_leaves_the_jail(detected: Detected, file: Path) -> None:
    told = repr(detected)
    with file.open(encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            for column in ("note", "contact", "born", "email"):
                assert row[column] not in told


PLAIN = """\
  - {name: one, role: sensitive, meaning: {vi: Một, en: One}}
  - {name: two, role: sensitive, meaning: {vi: Hai, en: Two}}
"""
EVENTS = """\
events:
  place: {take: last, of: place, by: day}
  illness: {take: last, of: illness, by: day}
  one: {take: last, of: one, by: day}
  two: {take: last, of: two, by: day}
"""
PAIRED = MANIFEST.replace("  - {name: illness", PLAIN + "  - {name: illness")


def _a_pair_each(count: int, consents: str, since: str) -> list[list[str]]:
    """Twenty values of each, twenty times twenty pairs; `since` is the day of these rows."""
    return [
        [*row[:4], consents, consents, str(i % 20), str(i // 20), since] for i, row in enumerate(people(count))
    ]


def _alike(rows: list[list[str]], prefix: str, since: str) -> list[list[str]]:
    return [[prefix + r[0][1:], *r[1:4], "có", "có", str(i % 5), str(i % 5), since] for i, r in enumerate(rows)]


@pytest.mark.parametrize(
    ("manifest", "shown_once", "stops"),
    [(PAIRED, "", True), (PAIRED, "silent", False), (PAIRED.replace("mode: rows", "mode: aggregate"), "", False),
     (PAIRED + EVENTS, "later", False), (PAIRED + EVENTS, "", True)],
    ids=["shown", "without consent", "not in the files", "overtaken by later rows", "of events"],
)  # fmt: skip
def test_a_pair_is_judged_by_what_the_files_show(
    tmp_path: Path, manifest: str, shown_once: str, stops: bool
) -> None:
    """And is answered as any finding, also where no scan of rows could have found it."""
    alone = _a_pair_each(400, "không" if shown_once == "silent" else "có", "2025-01-01")
    rows = (
        alone if not shown_once else [*alone, *_alike(alone, "P" if shown_once == "later" else "Q", "2025-02-01")]
    )
    header = [*HEADER, "one", "two", "day"]

    def attempt(overrides: Sequence[Override] = ()) -> Publication:
        return publish(
            manifest, write(tmp_path / "rows.csv", rows, header), store=Store(tmp_path / "store"),
            pseudonymise=pseudonymise, consents=None, previous=None, limits=LIMITS, overrides=overrides,
        )  # fmt: skip

    with in_process():
        if not stops:
            assert attempt().overridden == ()
            return
        with pytest.raises(PublicationRefused, match=r"publication\.personal_data") as refused:
            attempt()
        (found,) = refused.value.params["findings"]
        assert (tuple(found["columns"]), found["finding"]) == (("one", "two"), "singles_out")
        answer = Override(columns=("one", "two"), finding="singles_out", reason="Đã xem, là dữ liệu bịa")
        assert [each.finding.code for each in attempt([answer]).overridden] == ["pii.pair_singles_out"]


def test_publication_stops_and_goes_on_with_reasons(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    def attempt(overrides: Sequence[Override]) -> Publication:
        return publish(
            ROW_MANIFEST + EXTRA.splitlines(keepends=True)[0], file, store=store,
            pseudonymise=pseudonymise, consents=None, previous=None, limits=LIMITS, overrides=overrides,
        )  # fmt: skip

    with pytest.raises(PublicationRefused, match=r"publication\.personal_data") as refused:
        attempt(())
    reasons = [
        Override(columns=tuple(f["columns"]), finding=f["finding"], reason="Đã xem, là dữ liệu bịa")
        for f in refused.value.params["findings"]
    ]
    assert [each.reason for each in attempt(reasons).overridden] == ["Đã xem, là dữ liệu bịa"] * len(reasons)
