"""Where two manifests differ the stricter holds; what cannot be met is refused with its name."""

from __future__ import annotations

import pytest
from msgspec.structs import fields, replace

from catalog.errors import PublicationRefused
from catalog.joint import agreeing
from catalog.joint.agreeing import agree
from catalog.manifest import read_manifest
from policies.decision import Conditions, RecordsCondition
from tests.catalog.joint.halves import BANK, CLINIC

ALL = ("research.academic", "product.rnd")
ILLNESS = "  - {name: illness, role: sensitive, personal: sensitive, meaning: {vi: Bệnh, en: Illness}}\n"


def test_the_stricter_of_both_holds() -> None:
    lead = read_manifest(CLINIC + "conditions: {time_limit_days: 90, institutions: [a, b], places: [VN]}\n")
    partner = read_manifest(
        BANK.replace("k: 5", "k: 7\nl: 3\nmax_left_out_share: 0.01").replace("[test]", "[money]")
        + "conditions: {time_limit_days: 30, institutions: [b, c], places: [VN-HN, LA], ethics_approval: true}\n"
    )
    joint = agree(lead, partner, purposes=ALL)
    assert (joint.k, joint.l, joint.max_left_out_share) == (7, 3, 0.01)
    assert joint.themes == ("test", "money")
    assert joint.conditions == Conditions(
        time_limit_days=30, institutions=("b",), places=("VN-HN",), ethics_approval=True
    )
    assert [c.sql_name for c in joint.columns] == ["place", "illness", "visits", "job", "income"]


def test_no_condition_of_either_is_lost_beside_one_of_the_other() -> None:
    ours = RecordsCondition(column="place", values=("Huế",))
    said = {
        "time_limit_days": 30, "approved_users_max": 2, "institutions": ("a",), "places": ("VN-HN",),
        "ethics_approval": True, "return_results": True, "records": (ours,),
    }  # fmt: skip
    assert set(said) == {f.name for f in fields(Conditions)}  # a new one must be met, and tried here
    for name, value in said.items():
        other = Conditions(ethics_approval=name == "return_results", return_results=name != "return_results")
        for pair in (
            (replace(Conditions(), **{name: value}), other),
            (other, replace(Conditions(), **{name: value})),
        ):
            assert getattr(agreeing._conditions(*pair), name) == value, name
    theirs = RecordsCondition(column="job", values=("x",), purposes=("product.rnd",))
    both = agreeing._conditions(Conditions(records=(ours,)), Conditions(records=(theirs, ours)))
    assert both == Conditions(records=(ours, theirs))


def test_it_serves_only_what_both_and_the_linkage_allow() -> None:
    partner = read_manifest(
        BANK.replace("[research.academic, product.rnd]", "[product.rnd]").replace("research.academic: study, ", "")
    )
    assert agree(read_manifest(CLINIC), partner, purposes=ALL).purposes == ("product.rnd",)
    with pytest.raises(PublicationRefused) as refused:
        agree(read_manifest(CLINIC), partner, purposes=("research.academic",))
    assert refused.value.code == "publication.joint_purposes"


def test_consent_at_either_is_the_basis_of_both() -> None:
    consent = "consent: {research.academic: study, product.rnd: product}\n"
    law = CLINIC.replace("{kind: consent, law: test}", "{kind: law, law: test}").replace(consent, "")
    joint = agree(read_manifest(law), read_manifest(BANK), purposes=ALL)
    assert joint.legal_basis.kind == "consent"
    assert set(joint.consent) == set(ALL)


@pytest.mark.parametrize(("old", "new", "code", "params"), [
    ("slug: joint", "slug: other", "joint_differs", {"field": "slug"}),
    ("population: nobody", "population: all", "joint_differs", {"field": "population"}),
    ("base_vnd: 1000", "base_vnd: 1001", "joint_differs", {"field": "offer"}),
    ("name: job,", "name: job, as: place,", "joint_column_twice", {"column": "place"}),
])  # fmt: skip
def test_what_cannot_be_met_is_named(old: str, new: str, code: str, params: dict[str, str]) -> None:
    with pytest.raises(PublicationRefused) as refused:
        agree(read_manifest(CLINIC), read_manifest(BANK.replace(old, new)), purposes=ALL)
    assert (refused.value.code, refused.value.params) == (f"publication.{code}", params)


@pytest.mark.parametrize(("ours", "theirs"), [
    ("places: 'a,b'", "places: 'a,c'"), ("places: 'a,b'", "jobs: 'a,b'"), ("jobs: 'a,b'", "places: 'a,b'"),
])  # fmt: skip
def test_a_hierarchy_means_the_same_to_both_who_use_its_name(ours: str, theirs: str) -> None:
    """Else one owner's groups would be the other's, or stand for those that are shipped."""
    level = "fallback: {hierarchy: %s, level: 1}"
    shipped = "vn_province_region"
    lead = CLINIC.replace("fallback: {drop: true}", level % shipped)
    partner = BANK.replace("fallback: {drop: true}", level % shipped)
    agree(read_manifest(lead), read_manifest(partner), purposes=ALL)
    texts = []
    for text, own in ((lead, ours), (partner, theirs)):
        texts.append(text + "hierarchies: {" + own.replace("places", shipped) + "}\n")
    with pytest.raises(PublicationRefused) as refused:
        agree(read_manifest(texts[0]), read_manifest(texts[1]), purposes=ALL)
    assert refused.value.params == {"field": f"hierarchies.{shipped}"}


def test_in_rows_mode_only_one_owner_brings_sensitive_values() -> None:
    """An owner that knows its own value of each person would find the record, and read the other's in it."""
    measured = "  - {name: visits"
    rows = CLINIC[: CLINIC.index(measured)].replace("mode: aggregate", "mode: rows")
    bank = BANK[: BANK.index("  - {name: income")].replace("mode: aggregate", "mode: rows")
    agree(read_manifest(rows), read_manifest(bank), purposes=ALL)
    with pytest.raises(PublicationRefused) as refused:
        agree(read_manifest(rows), read_manifest(bank + ILLNESS.replace("illness", "debt")), purposes=ALL)
    assert refused.value.code == "publication.joint_sensitive_of_both"
    assert refused.value.params == {"columns": "illness, debt"}


def test_what_nobody_has_thought_of_for_two_owners_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agreeing, "_MET", agreeing._MET - {"null_words"})
    with pytest.raises(PublicationRefused) as refused:
        agree(read_manifest(CLINIC), read_manifest(BANK + "null_words: [nichts]\n"), purposes=ALL)
    assert refused.value.params == {"field": "null_words"}


def test_sums_of_products_are_refused() -> None:
    """Of two owners' measures each would be an equation of which an owner knows half."""
    other = (
        "{name: costs, type: number, role: measure, meaning: {vi: Phí, en: Costs}, transform: {clamp: [0, 9]}}\n"
    )
    lead = read_manifest(CLINIC + "  - " + other + "cross_products: [[visits, costs]]\n")
    with pytest.raises(PublicationRefused) as refused:
        agree(lead, read_manifest(BANK), purposes=ALL)
    assert refused.value.params == {"field": "cross_products"}
