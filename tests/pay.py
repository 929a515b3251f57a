"""A second dataset, of another owner and in aggregate mode, that joins with adult on its codes of education."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.market import Market

EDUCATION = ("Bachelors", "Below high school", "Graduate", "High school", "Some college")
K = 12
MANIFEST = f"""
slug: pay
title: {{vi: Lương theo học vấn, en: Pay by education}}
description: {{vi: Để thử, en: For a test}}
owner: rival-owner
licence: CC0-1.0
source: made up
themes: [lao động]
spatial: VN
temporal: 2025
update_frequency: irregular
population: pay
privacy_unit: row
mode: aggregate
k: {K}
legal_basis: {{kind: public, law: data-law-60-2024}}
purposes: [research.academic, product.rnd]
offer: {{base_vnd: 700, per_gb_vnd: 100000000}}
columns:
  - {{name: education, role: quasi-identifier, meaning: {{vi: Học vấn, en: Education}}, fallback: {{drop: true}}}}
  - {{name: pay, type: integer, role: measure, meaning: {{vi: Lương, en: Pay}}, transform: {{clamp: [0, 1000]}}}}
"""
JOINED_SQL = """
select a.education, a.n, p.persons, p.mean
from (select education, count(*) as n from adult group by education) a
join (select education, count(*) as persons, avg(pay) as mean from pay group by education) p using (education)
order by a.education
"""


def publish_pay(market: Market, folder: Path) -> None:
    """List it, and agree on it with the startup."""
    market.publish("pay", *pay_files(folder), owner="rival_owner")
    market.agree("pay", owner="rival_owner")


def pay_files(folder: Path) -> tuple[Path, Path]:
    """Manifest and table."""
    manifest, file = folder / "pay.yaml", folder / "pay.csv"
    manifest.write_text(MANIFEST, encoding="utf-8")
    with file.open("w", encoding="utf-8", newline="") as out:
        rows = [(level, 100 * place + i % 7) for place, level in enumerate(EDUCATION) for i in range(48)]
        csv.writer(out).writerows([("education", "pay"), *rows])
    return manifest, file


def both(market: Market) -> dict[str, list[str]]:
    """What a body names to ask both."""
    return {"agreement_ids": [market.agreements["adult"], market.agreements["pay"]]}
