"""Two owners who know the same persons: one where they live and how often they were ill, one what they earn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

from msgspec.structs import replace

from catalog.consenting import Consents
from catalog.joint.contribution import contribute, erase
from catalog.joint.publish import Contributed, JointPublication, publish_joint
from catalog.manifest import read_manifest
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.small import Row, write

LEAD, PARTNER = "0" * 8, "1" * 8
HEAD = """
slug: joint
title: {vi: Sổ chung, en: Joint register}
description: {vi: Để thử, en: For a test}
licence: CC0-1.0
source: made up
themes: [test]
spatial: VN
temporal: 2025
update_frequency: irregular
population: nobody
privacy_unit: column
subject_key: key
mode: aggregate
k: 5
offer: {base_vnd: 1000, per_gb_vnd: 1000}
purposes: [research.academic, product.rnd]
"""
CLINIC = (
    HEAD
    + """
owner: clinic
legal_basis: {kind: consent, law: test}
consent: {research.academic: study, product.rnd: product}
columns:
  - {name: key, role: identifier, personal: basic}
  - {name: place, role: quasi-identifier, meaning: {vi: Nơi, en: Place}, fallback: {drop: true}}
  - {name: illness, role: sensitive, personal: sensitive, meaning: {vi: Bệnh, en: Illness}}
  - {name: visits, type: integer, role: measure, meaning: {vi: Lượt, en: Visits}, transform: {clamp: [0, 50]}}
"""
)
BANK = (
    HEAD
    + """
owner: bank
legal_basis: {kind: consent, law: test}
consent: {research.academic: study, product.rnd: product}
columns:
  - {name: key, role: identifier, personal: basic}
  - {name: job, role: quasi-identifier, meaning: {vi: Nghề, en: Job}, fallback: {drop: true}}
  - {name: income, type: number, role: measure, meaning: {vi: Thu nhập, en: Income}, transform: {clamp: [0, 100]}}
"""
)
CLINIC_HEADER = ["key", "place", "illness", "visits", "study", "product"]
BANK_HEADER = ["key", "job", "income", "study", "product"]


def patients(numbers: Sequence[int]) -> list[Row]:
    return [
        [f"P{i:05d}", ["Huế", "Hà Nội"][i % 2], ["cúm", "sởi", "lao"][i % 7 % 3], str(10 + i % 9), "có", "có"]
        for i in numbers
    ]


def clients(numbers: Sequence[int], *, seed: int = 1) -> list[Row]:
    """In another order than the clinic's."""
    rows = [[f"P{i:05d}", ["thợ", "thầy"][i // 2 % 2], str(10 + i % 11), "có", "có"] for i in numbers]
    random.Random(seed).shuffle(rows)
    return rows


class Pair:
    """A store, and the two files as they would be sent now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, Store(folder / "store")
        self.clinic, self.bank = CLINIC, BANK

    def send(self, side: str, rows: Sequence[Row]) -> Contributed:
        """Through the real first jail."""
        manifest, header = (self.clinic, CLINIC_HEADER) if side == LEAD else (self.bank, BANK_HEADER)
        erase(self.store, side)
        key = side.encode() * 4
        file = write(self.folder / f"{side}.csv", rows, header)
        contribute(manifest, file, store=self.store, contribution_id=side, pseudonymise=pseudonymise, key=key,
                   limits=LIMITS)  # fmt: skip
        return Contributed(id=side, manifest=read_manifest(manifest), key=key)

    def join(
        self, ours: Sequence[Row], theirs: Sequence[Row], *, previous: str | None = None,
        consents: Consents | None = None,
        purposes: Sequence[str] = ("research.academic", "product.rnd"),
    ) -> JointPublication:  # fmt: skip
        """Both send, and the halves are joined."""
        lead, partner = self.send(LEAD, ours), self.send(PARTNER, theirs)
        return publish_joint(lead, partner, purposes=purposes, store=self.store, consents=consents,
                             previous=previous, limits=LIMITS)  # fmt: skip


def other_key(half: Contributed) -> Contributed:
    """As the other owner would try to open it."""
    return replace(half, key=bytes(32))
