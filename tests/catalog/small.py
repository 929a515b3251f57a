"""A small register that a test can change at will."""

from __future__ import annotations

import csv
import random
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path

import numpy as np

from catalog.consenting import Consents
from catalog.publish import Publication, publish
from catalog.storage import Store
from tests.catalog.conftest import LIMITS, pseudonymise

Row = list[str]
HEADER = ["key", "place", "illness", "visits", "study", "product"]

HEAD = """
slug: small
title: {vi: Sổ nhỏ, en: Small register}
description: {vi: Để thử, en: For a test}
owner: test
licence: CC0-1.0
source: made up
themes: [test]
spatial: VN
temporal: 2025
update_frequency: irregular
population: nobody
privacy_unit: column
subject_key: key
mode: rows
k: 5
legal_basis: {kind: consent, law: test}
purposes: [research.academic, product.rnd]
consent: {research.academic: study, product.rnd: product}
offer: {base_vnd: 1000, per_gb_vnd: 1000}
"""
COLUMNS = """\
columns:
  - {name: key, role: identifier, personal: basic}
  - {name: place, role: quasi-identifier, meaning: {vi: Nơi, en: Place}, fallback: {drop: true}}
  - {name: illness, role: sensitive, personal: sensitive, meaning: {vi: Bệnh, en: Illness}}
"""
VISITS = """\
  - {name: visits, type: integer, role: measure, meaning: {vi: Lượt khám, en: Visits}, transform: {clamp: [0, 50]}}
"""
MANIFEST = HEAD + COLUMNS
ROW_MANIFEST = (
    MANIFEST.replace("privacy_unit: column\nsubject_key: key", "privacy_unit: row")
    .replace("{kind: consent, law: test}", "{kind: public, law: test}")
    .replace("consent: {research.academic: study, product.rnd: product}\n", "")
)
AGGREGATE_MANIFEST = MANIFEST.replace("mode: rows", "mode: aggregate") + VISITS


def people(count: int = 240, *, seed: int = 1) -> list[Row]:
    """`count` persons of three places, most of whom consent to something."""
    draw = random.Random(seed)
    return [
        [f"P{i:05d}", ["Huế", "Hà Nội", "Cần Thơ"][i % 3], ["cúm", "sởi", "lao"][i % 7 % 3],
         str(draw.randint(0, 9)), "có", "có" if i % 2 else "không"]
        for i in range(count)
    ]  # fmt: skip


def write(path: Path, rows: Iterable[Sequence[object]], header: Sequence[str] = HEADER) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def publish_rows(
    store: Store, folder: Path, rows: Iterable[Sequence[object]], *, manifest: str = MANIFEST,
    header: Sequence[str] = HEADER, previous: str | None = None, consents: Consents | None = None,
) -> Publication:  # fmt: skip
    """Through the real jails."""
    file = write(folder / "rows.csv", rows, header)
    return publish(
        manifest, file, store=store, pseudonymise=pseudonymise, consents=consents,
        previous=previous, limits=LIMITS,
    )  # fmt: skip


def said(
    *, given: Mapping[str, Set[bytes]] | None = None, withdrawn: Mapping[str, Set[bytes]] | None = None
) -> Consents:
    """What a register would hold: purpose → pseudonyms."""
    yes, no = given or {}, withdrawn or {}
    purposes = tuple(sorted({*yes, *no}))
    names = sorted(set().union(*yes.values(), *no.values()))
    bits = [
        [sum((name in each.get(p, ())) << bit for bit, p in enumerate(purposes)) for name in names]
        for each in (yes, no)
    ]
    return Consents(
        purposes=purposes, subjects=np.frombuffer(b"".join(names), dtype=np.uint8).reshape(-1, 16),
        given=np.array(bits[0], dtype=np.int32), withdrawn=np.array(bits[1], dtype=np.int32),
    )  # fmt: skip
