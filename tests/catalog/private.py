"""A small synthetic survey in dp mode that a test can change at will."""

from __future__ import annotations

import random
from pathlib import Path

from catalog.publish import Publication, publish
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise
from tests.catalog.small import Row, write

HEADER = ["key", "province", "village", "age", "income", "insured", "visited", "study"]
PROVINCES = ("Huế", "Hà Nội", "Cần Thơ", "Cao Bằng")

MANIFEST = """
slug: survey
title: {vi: Khảo sát hộ, en: Household survey}
description: {vi: Để thử, en: For a test}
owner: test
licence: CC0-1.0
source: made up
themes: [test]
spatial: VN
temporal: 2025
update_frequency: irregular
population: households
privacy_unit: column
subject_key: key
mode: dp
privacy: {rho_cap_micro: 1000000, rho_agreement_micro: 400000, delta: 1.0e-6, persons_at_most: 5000}
legal_basis: {kind: consent, law: test}
purposes: [research.academic, product.rnd]
consent: {research.academic: study}
offer: {base_vnd: 1000, per_gb_vnd: 1000}
columns:
  - {name: key, role: identifier, personal: basic}
  - {name: province, role: quasi-identifier, personal: basic, meaning: {vi: Tỉnh, en: Province},
     values: [Huế, Hà Nội, Cần Thơ, Cao Bằng]}
  - {name: village, role: quasi-identifier, personal: basic, meaning: {vi: Xã, en: Village}}
  - {name: age, type: integer, role: measure, personal: basic, meaning: {vi: Tuổi, en: Age},
     bounds: {lower: 0, upper: 100}}
  - {name: income, type: number, role: measure, personal: sensitive, meaning: {vi: Thu nhập, en: Income},
     bounds: {lower: 0, upper: 50, step: 0.5}}
  - {name: insured, type: boolean, role: sensitive, personal: basic, meaning: {vi: Có thẻ, en: Insured}}
  - {name: visited, type: date, role: sensitive, meaning: {vi: Ngày hỏi, en: Day of the visit}}
"""


def households(count: int = 3_000, *, seed: int = 5) -> list[Row]:
    """`count` persons, all of whom consent to the study; three provinces, few villages, some empty cells."""
    draw = random.Random(seed)
    return [
        [
            f"P{i:05d}",
            PROVINCES[i % 3],
            f"X{draw.randint(0, 9)}",
            str(draw.randint(0, 100)),
            "" if i % 50 == 0 else f"{draw.uniform(2, 45):.2f}",
            "có" if draw.random() < 0.8 else "không",
            f"2025-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
            "có",
        ]
        for i in range(count)
    ]


def publish_households(
    store: Store, folder: Path, rows: list[Row], *, manifest: str = MANIFEST, previous: str | None = None,
) -> Publication:  # fmt: skip
    """Through the real jail."""
    file = write(folder / "rows.csv", rows, HEADER)
    return publish(
        manifest, file, store=store, pseudonymise=pseudonymise, consents=None,
        previous=previous, limits=LIMITS,
    )  # fmt: skip
