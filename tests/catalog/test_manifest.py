"""A wrong manifest is told everything that is wrong with it at once, each with its line and column."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from catalog.errors import ManifestError, ManifestRefused
from catalog.manifest import Purpose, column_lines, read_manifest
from policies.decision import Conditions
from policies.sources import data
from tests.catalog.test_events import MANIFEST as VISITS

EXAMPLES = Path(__file__).parents[2] / "examples"
ADULT = (EXAMPLES / "adult" / "manifest.yaml").read_text(encoding="utf-8")
LICENCES = (EXAMPLES / "giay_phep_lai_xe" / "manifest.yaml").read_text(encoding="utf-8")


def errors_of(text: str) -> tuple[ManifestError, ...]:
    with pytest.raises(ManifestRefused) as refused:
        read_manifest(text)
    return refused.value.errors


def changed(text: str, old: str, new: str) -> str:
    assert old in text
    return text.replace(old, new, 1)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/*.yaml")), ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_shipped_manifest_is_accepted(path: Path) -> None:
    manifest = read_manifest(path.read_text(encoding="utf-8"))
    assert manifest.columns_of("quasi-identifier")


def test_what_the_manifest_says_is_what_is_read() -> None:
    manifest = read_manifest(LICENCES)
    assert (manifest.dataset, manifest.mode, manifest.k, manifest.l) == ("giay_phep_lai_xe", "aggregate", 10, 2)
    assert manifest.consent["research.academic"] == "dong_y_nghien_cuu"
    assert [c.sql_name for c in manifest.columns_of("measure")] == ["so_lan_vi_pham", "diem_con_lai"]
    banded = read_manifest(changed(LICENCES, "{clamp: [0, 10]}\n", "{clamp: [0, 10]}\n    bands: [1, 3]\n"))
    band = next(c for c in banded.shown_columns() if c.sql_name == "so_lan_vi_pham_band")
    assert (band.role, band.transform and band.transform.bins) == ("quasi-identifier", (1.0, 3.0))
    ages = next(c for c in manifest.columns if c.name == "tuoi")
    assert (ages.sql_name, ages.transform and ages.transform.bins) == ("nhom_tuoi", (30.0, 45.0, 60.0))


def test_purposes_are_those_that_the_policy_knows() -> None:
    purposes = data()["purposes"]
    assert set(get_args(Purpose)) == {*purposes["known"], *purposes["groups"]}


def test_what_the_owner_demands_beside_the_purpose_is_read() -> None:
    assert read_manifest(ADULT).conditions is None
    demands = "conditions: {time_limit_days: 90, institutions: [startup-1], places: [VN], ethics_approval: true}\n"
    assert read_manifest(demands + ADULT).conditions == Conditions(
        time_limit_days=90, institutions=("startup-1",), places=("VN",), ethics_approval=True
    )
    (wrong,) = errors_of("conditions: {time_limit: 90}\n" + ADULT)
    assert (wrong.code, wrong.line) == ("manifest.unknown_key", 1)


def test_records_are_chosen_by_a_text_of_cohorts_and_for_purposes_that_are_offered() -> None:
    def said(records: str) -> list[str]:
        return [error.code for error in errors_of(f"conditions: {{records: [{records}]}}\n" + LICENCES)]

    good = "{column: nhom_tuoi, in: [x]}, {column: tinh, in: [Huế], purposes: [product.rnd]}"
    read = read_manifest(f"conditions: {{records: [{good}]}}\n" + LICENCES)
    (first, second) = (read.conditions or Conditions()).records or ()
    assert (first.column, first.values, first.purposes) == ("nhom_tuoi", ("x",), None)
    assert (second.values, second.purposes) == (("Huế",), ("product.rnd",))
    for column in ("tuoi", "so_gplx", "vi_pham_gan_nhat", "diem_con_lai", "nowhere"):
        assert said(f"{{column: {column}, in: [x]}}") == ["manifest.records_column"]
    assert said("{column: tinh, in: []}") == ["manifest.records_none"]
    assert said("{column: tinh, in: [x], purposes: [research.health]}") == ["manifest.records_purpose"]
    assert said("{column: tinh}") == ["manifest.missing_key"]
    assert said("5") == ["manifest.wrong_type"]


def test_every_error_comes_at_once_in_the_order_of_the_lines() -> None:
    text = changed(ADULT, "slug: adult", "slug: Adult Data")
    text = changed(text, "k: 10", "k: 1")
    text = changed(text, "mode: rows", "mode: row")
    text = changed(text, "themes: [dân số, thu nhập, lao động]", "tehmes: [dân số]")
    text = changed(text, "role: sensitive", "role: measure")
    text = changed(text, "bins: [35, 50]", "bins: [50, abc]")
    found = [(e.code, e.line) for e in errors_of(text)]
    lines = text.splitlines()

    def line(start: str) -> int:
        return next(i for i, one in enumerate(lines, 1) if one.strip().startswith(start))

    assert {
        ("manifest.bad_name", line("slug:")),
        ("manifest.out_of_range", line("k:")),
        ("manifest.not_one_of", line("mode:")),
        ("manifest.unknown_key", line("tehmes:")),
        ("manifest.missing_key", 2),
        ("manifest.wrong_type", line("transform: {bins:")),
        ("manifest.measure_clamp", line("- name: salary-class")),
    } <= set(found)
    assert [at for _, at in found] == sorted(at for _, at in found)


def test_an_unknown_key_names_the_nearest_one_and_the_column_points_at_it() -> None:
    (error, *_) = errors_of(changed(ADULT, "    fallback: {drop: true}", "    fallbak: {drop: true}"))
    assert (error.code, error.params["key"], error.params["nearest"]) == (
        "manifest.unknown_key", "fallbak", "fallback",
    )  # fmt: skip
    assert error.column == 5


WRONG = [
    (ADULT, "purposes: [research.academic", "purposes: [resale", "manifest.purpose_forbidden"),
    (ADULT, "purposes: [research.academic", 'purposes: [""', "manifest.none_chosen"),
    (ADULT, "purposes: [research.academic", "purposes: [research.acedemic", "manifest.not_one_of"),
    (ADULT, "purposes: [research.academic", "purposes: [product.rnd", "manifest.purpose_twice"),
    (ADULT, "{kind: public,", "{kind: consent,", "manifest.row_unit_consent"),
    (ADULT, "privacy_unit: row", "privacy_unit: row\nsubject_key: age", "manifest.row_unit_subject_key"),
    (ADULT, "privacy_unit: row", "privacy_unit: column", "manifest.subject_key_missing"),
    (ADULT, "offer:", "consent: {research.academic: x}\noffer:", "manifest.consent_without_basis"),
    (ADULT, "{name: fnlwgt, role: drop}", "{name: fnlwgt, role: drop, transform: {bins: [1]}}",
     "manifest.transform_of_removed"),
    (ADULT, "  - name: sex", "  - name: age", "manifest.column_twice"),
    (ADULT, "as: native_country", "as: n", "manifest.reserved_name"),
    (ADULT, "    as: native_country\n", "", "manifest.not_sql_name"),
    (ADULT, "    meaning: {vi: Giới tính, en: Sex}\n", "", "manifest.meaning_missing"),
    (ADULT, "{bins: [35, 50]}", "{bins: [50, 35]}", "manifest.bins_order"),
    (ADULT, "{bins: [35, 50]}", "{bins: [35], drop: true}", "manifest.one_transform"),
    (ADULT, "{bins: [35, 50]}", "{truncate: year}", "manifest.transform_type"),
    (ADULT, "{bins: [35, 50]}", "{clamp: [50, 35]}", "manifest.empty_range"),
    (ADULT, "{bins: [35, 50]}", "{hierarchy: nowhere}", "manifest.hierarchy_unknown"),
    (ADULT, "{bins: [35, 50]}", "{hierarchy: vn_province_region, level: 7}", "manifest.hierarchy_level"),
    (ADULT, "Private: [Private]", "Private: [Private, Federal-gov]", "manifest.group_twice"),
    (ADULT, "    role: sensitive\n", "    role: sensitive\n    fallback: {drop: true}\n",
     "manifest.fallback_role"),
    (ADULT, "    role: sensitive\n", "    role: sensitive\n    transform: {drop: true}\n",
     "manifest.sensitive_drop"),
    (ADULT, "    role: sensitive\n", "    role: sensitive\n    format: '%d'\n", "manifest.format_type"),
    (ADULT, "    role: sensitive\n", "    role: measure\n", "manifest.measure_in_rows"),
    (ADULT, "vi: Thu nhập người", "vi: ''  # ", "manifest.blank"),
    (ADULT, "themes: [dân số, thu nhập, lao động]", "themes: []", "manifest.too_few"),
    (ADULT, "k: 10", "k: 10\nk: 11", "manifest.key_twice"),
    (ADULT, "k: 10", "k: ten", "manifest.wrong_type"),
    (ADULT, "k: 10", "k: &x 10", "manifest.anchor"),
    (ADULT, "k: 10", "k: [", "manifest.not_yaml"),
    (LICENCES, "  research.academic: dong_y", "  trial.quality: dong_y", "manifest.consent_purpose"),
    (LICENCES, "subject_key: so_gplx", "subject_key: tinh", "manifest.subject_key_role"),
    (LICENCES, "    transform: {clamp: [0, 10]}\n", "", "manifest.measure_clamp"),
    (LICENCES, "name: so_lan_vi_pham\n    type: integer", "name: so_lan_vi_pham\n    type: text",
     "manifest.measure_type"),
    (LICENCES, "offer:", "cross_products: [[so_lan_vi_pham, tinh]]\noffer:", "manifest.cross_product_unknown"),
    (LICENCES, "offer:", "cross_products: [[so_lan_vi_pham, so_lan_vi_pham]]\noffer:",
     "manifest.cross_product_twice"),
    (LICENCES, "offer:",
     "cross_products: [[so_lan_vi_pham, diem_con_lai], [diem_con_lai, so_lan_vi_pham]]\noffer:",
     "manifest.cross_product_twice"),
    (LICENCES, "offer:", f"cross_products: [{'[so_lan_vi_pham, diem_con_lai], ' * 11}]\noffer:",
     "manifest.cross_products_many"),
    (LICENCES, "offer:", "cross_products: [[so_lan_vi_pham]]\noffer:", "manifest.wrong_type"),
    (LICENCES, "    transform: {clamp: [0, 10]}\n", "    transform: {clamp: [0, 10]}\n    bands: [3, 11]\n",
     "manifest.bands_outside_clamp"),
    (LICENCES, "    transform: {clamp: [0, 10]}\n", "    transform: {clamp: [0, 10]}\n    bands: [0, 3]\n",
     "manifest.bands_outside_clamp"),
    (LICENCES, "    transform: {clamp: [0, 10]}\n", "    transform: {clamp: [0, 10]}\n    bands: [3, 1]\n",
     "manifest.bins_order"),
    (LICENCES, "    transform: {bins: [2018, 2023]}\n", "    transform: {bins: [2018, 2023]}\n    bands: [3]\n",
     "manifest.bands_role"),
    (LICENCES, "as: nhom_tuoi", "as: cohort_level", "manifest.reserved_name"),
    (LICENCES.replace("    transform: {clamp: [0, 10]}\n", "    transform: {clamp: [0, 10]}\n    bands: [3]\n"),
     "name: diem_con_lai", "name: diem_con_lai\n    as: so_lan_vi_pham_band", "manifest.column_twice"),
    (VISITS, "{take: count}", "{take: counts}", "manifest.not_one_of"),
    (VISITS, "{take: count}", "{take: sum}", "manifest.event_of"),
    (VISITS, "{take: count}", "{take: any, of: kind}", "manifest.event_type"),
    (VISITS, ", by: day}", "}", "manifest.event_by"),
    (VISITS, "of: cost}", "of: cost, by: day}", "manifest.event_by"),
    (VISITS, "of: cost}", "of: cost, by_format: '%d'}", "manifest.event_by"),
    (VISITS, "  spent: {take", "  spend: {take", "manifest.event_not_a_column"),
    (VISITS, "  - {name: key,", "  - {name: sex, role: sensitive}\n  - {name: key,", "manifest.event_missing"),
    (VISITS, "privacy_unit: column\nsubject_key: key\n", "privacy_unit: row\n", "manifest.events_row_unit"),
    (VISITS, "k: ", "reading: {max_rejected_share: 0.1}\nk: ", "manifest.events_rejected_consent"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "code"), WRONG, ids=[f"{w[3]}-{i}" for i, w in enumerate(WRONG)])
def test_each_wrong_thing_is_named_where_it_stands(text: str, old: str, new: str, code: str) -> None:
    wrong = changed(text, old, new)
    errors = errors_of(wrong)
    assert code in [e.code for e in errors]
    where = text[: text.index(old)].count("\n") + 1
    at = [e.line for e in errors if e.code == code]
    assert any(where - 8 <= line <= where + new.count("\n") + 3 for line in at) or code == "manifest.not_yaml"


def test_what_has_no_columns_at_all_is_told_so_too() -> None:
    assert "manifest.no_quasi_identifier" in [
        e.code for e in errors_of(re.sub("role: quasi-identifier", "role: drop", ADULT))
    ]
    assert [e.code for e in errors_of("")] == ["manifest.empty"]
    assert [e.code for e in errors_of("- a\n- b\n")] == ["manifest.wrong_type"]
    assert [e.code for e in errors_of("a: " + "x" * 300_000)] == ["manifest.too_long"]
    assert "manifest.too_deep" in [e.code for e in errors_of("columns: " + "[" * 40 + "]" * 40)]


def test_an_alias_bomb_is_refused_without_being_unfolded() -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(20)
    )
    assert "manifest.anchor" in [e.code for e in errors_of(bomb)]


def test_lines_of_columns_are_known_for_errors_of_the_file() -> None:
    lines = LICENCES.splitlines()
    found = column_lines(LICENCES)
    assert lines[found["tinh"] - 1].strip() == "- name: tinh"
    assert "dong_y_san_pham" in lines[found["dong_y_san_pham"] - 1]


@pytest.mark.timeout(60)  # quadratic, it would take minutes
def test_groups_of_many_values_are_read_in_the_time_that_reading_takes() -> None:
    values = ", ".join([*(f"v{i}" for i in range(15_000)), "v0"])
    column = (
        f"slug: a\ncolumns:\n- {{name: x, role: quasi-identifier, transform: {{groups: {{g: [{values}]}}}}}}\n"
    )
    with pytest.raises(ManifestRefused) as caught:
        read_manifest(column)
    assert "manifest.group_twice" in {e.code for e in caught.value.errors}
