"""The words behind a class agree with the policy's own decision, whatever the figures."""

from __future__ import annotations

import itertools
import time

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from catalog.classify.classes import LawNotConfigured, classify
from catalog.manifest import LegalBasis, Manifest, read_manifest
from catalog.version import LeftOut, Measured, Part, Personal, Version, VersionColumn
from marketplace.listings.facts import presumed_publisher
from marketplace.listings.permission import decide_listing
from policies.decision import PreviousFacts
from policies.wasm import WasmEngine
from sandbox.job import Mode
from tests.catalog.small import MANIFEST

PERSONS = (1, 9_999, 10_000, 99_999, 100_000, 999_999, 1_000_000)
MODES: tuple[Mode, ...] = ("rows", "aggregate")
KINDS: tuple[tuple[Personal, ...], ...] = (("none",), ("basic",), ("sensitive",), ("basic", "sensitive"))


def _manifest(personal: tuple[Personal, ...], basis: str) -> Manifest:
    manifest = read_manifest(MANIFEST.replace("law: test", "law: personal-data-law-91-2025"))
    shown = [
        replace(manifest.columns[1], name=f"c{number}", personal=kind) for number, kind in enumerate(personal)
    ]
    kept: LegalBasis = replace(manifest.legal_basis, kind=basis)
    return replace(manifest, columns=(manifest.columns[0], *shown), legal_basis=kept)


def _version(manifest: Manifest, mode: Mode, persons: int) -> Version:
    columns = tuple(
        VersionColumn(
            name=c.sql_name, type="VARCHAR", role="quasi-identifier", personal=c.personal, meaning_vi="x",
            meaning_en="x", transform="", logical_bytes=1,
        )
        for c in manifest.shown_columns()
    )  # fmt: skip
    return Version(
        id="0" * 64, dataset="small", mode=mode, privacy_unit="column", population="nobody", rows=1,
        persons=persons, cohorts=1, k=5, measured=Measured(k=5, l=2, entropy_l=2.0, t=0.1), fine_share=1.0,
        left_out=LeftOut(persons=0, classes=0, share=0.0), columns=columns,
        parts=(Part(name="p", sha256="0" * 64, rows=1, consented=manifest.purposes),), purposes=manifest.purposes,
        legal_basis=manifest.legal_basis.kind, manifest_sha256="0" * 64, created_at_ms=0, privacy=UNSET,
    )  # fmt: skip


@pytest.mark.parametrize("basis", ["consent", "public"])
async def test_the_class_that_is_explained_is_the_class_that_is_decided(basis: str) -> None:
    engine, now = WasmEngine(), time.time_ns() // 1_000_000
    for persons, kinds, mode in itertools.product(PERSONS, KINDS, MODES):
        manifest = replace(_manifest(kinds, basis), mode=mode)
        version = _version(manifest, mode, persons)
        told = classify(manifest, version, at_ms=now)
        judged = await decide_listing(
            engine,
            caller=presumed_publisher("test"),
            manifest=manifest,
            version=version,
            previous=PreviousFacts(),
        )
        decision = judged.decision
        over = {reason.code for reason in decision.reasons} & {"class.over_ceiling"}
        assert bool(over) == (not told.may_be_traded), (persons, kinds, mode, decision.reasons)
        if decision.obligations is not None:
            decided = (decision.obligations.state_class, decision.obligations.personal_class)
            assert decided == (told.state_class, told.personal_class), (persons, kinds, mode)
        else:
            assert over, decision.reasons
        gave = [rule.gives for rule in told.rules if rule.axis == "state" and rule.reached]
        assert told.state_class == "internal" or told.state_class in gave, "the rule that gave it is named"
    await engine.close()


def test_a_secret_theme_is_named_and_a_day_without_law_classes_nothing() -> None:
    manifest = replace(_manifest(("basic",), "consent"), themes=("Y tế", "Bí mật Nhà nước về y tế"))
    version = _version(manifest, "rows", 10)
    told = classify(manifest, version, at_ms=time.time_ns() // 1_000_000)
    assert (told.secret_themes, told.may_be_traded) == (("bi mat nha nuoc ve y te",), False)
    with pytest.raises(LawNotConfigured):
        classify(manifest, version, at_ms=0)
