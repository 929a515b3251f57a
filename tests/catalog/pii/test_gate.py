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
from tests.catalog.small import HEADER, ROW_MANIFEST, people

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


def test_publication_stops_and_goes_on_with_reasons(file: Path, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")

    def attempt(overrides: Sequence[Override]) -> Publication:
        return publish(
            ROW_MANIFEST + EXTRA.splitlines(keepends=True)[0], file, store=store,
            pseudonymise=pseudonymise, consented=None, previous=None, limits=LIMITS, overrides=overrides,
        )  # fmt: skip

    with pytest.raises(PublicationRefused, match=r"publication\.personal_data") as refused:
        attempt(())
    reasons = [
        Override(columns=tuple(f["columns"]), finding=f["finding"], reason="Đã xem, là dữ liệu bịa")
        for f in refused.value.params["findings"]
    ]
    assert [each.reason for each in attempt(reasons).overridden] == ["Đã xem, là dữ liệu bịa"] * len(reasons)
