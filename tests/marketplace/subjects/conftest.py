"""A register of citizens in the shared market, and a citizen with a browser that runs no script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from marketplace.cli.client import Client
from tests.market import Market
from tests.marketplace.identity.signing import choose, citizen

SLUG, ELSEWHERE = "bang_lai", "bang_lai_khac"
PERSONS = 400
MANIFEST = """
slug: {slug}
title: {{vi: Bằng lái của kiểm thử {slug}, en: Licences of the tests}}
description: {{vi: Bộ sinh để kiểm thử., en: Generated for tests.}}
owner: cuc-du-lieu-mau
licence: CC0-1.0
source: tests
themes: [giao thông]
spatial: VN
temporal: 2025
update_frequency: yearly
population: {slug}
privacy_unit: column
subject_key: so
mode: aggregate
k: 5
legal_basis: {{kind: consent, law: personal-data-law-91-2025}}
purposes: [research.academic, public.service]
consent: {{research.academic: dong_y}}
offer: {{base_vnd: 1000, per_gb_vnd: 200000}}
columns:
  - {{name: so, role: identifier}}
  - {{name: tinh, role: quasi-identifier, personal: basic, meaning: {{vi: Tỉnh, en: Province}}}}
  - {{name: hang, role: quasi-identifier, personal: basic, meaning: {{vi: Hạng, en: Class}}}}
"""
CSRF = re.compile(r'name="subject_csrf" value="([^"]+)"')


@dataclass(frozen=True)
class Citizen:
    """A person at a browser, signed in at the market."""

    http: httpx.Client

    def page(self, path: str = "/toi") -> str:
        answer = self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def csrf(self) -> str:
        found = CSRF.search(self.page())
        assert found
        return found[1]

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self.http.post(path, data={"subject_csrf": self.csrf()} | fields)

    def say(self, dataset_id: str, event: str, purpose: str = "research.academic") -> httpx.Response:
        return self.send("/toi/consents", dataset=dataset_id, purpose=purpose, event=event)

    def api(self) -> Client:
        """A program of hers, with a fresh token."""
        answer = self.http.post("/api/v1/subject/tokens", headers={"X-Subject-CSRF-Token": self.csrf()})
        assert answer.status_code == 201, answer.text
        return Client(str(self.http.base_url).rstrip("/"), answer.json()["token"])


@contextmanager
def signed_in(market: Market, number: int) -> Iterator[Citizen]:
    """Citizen `number`, by the provider's own pages."""
    with httpx.Client(base_url=market.url, timeout=60, headers={"Accept": "text/html"}) as http:
        to = http.get("/toi/sign-in")
        assert to.status_code == 303, to.text
        back = http.get(choose(to.headers["location"], citizen(number)))
        assert (back.status_code, back.headers["location"]) == (303, "/toi"), back.text
        yield Citizen(http)


def rows(first: int) -> str:
    """Persons of one of four classes; every fifth did not consent."""
    lines = ["so,tinh,hang,dong_y"]
    for i in range(PERSONS):
        consents = str(i % 5 > 0).lower()
        lines.append(f"{citizen(first + i)},{('Huế', 'Hà Nội')[i % 2]},{('A1', 'B2')[i // 2 % 2]},{consents}")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def register(market: Market, tmp_path_factory: pytest.TempPathFactory) -> Market:
    """The market with citizens 0 to 399 in one register and 30 to 429 in another; an agreement on the first."""
    folder = Path(tmp_path_factory.mktemp("register"))
    for slug, first in ((SLUG, 0), (ELSEWHERE, 30)):
        manifest, file = folder / f"{slug}.yaml", folder / f"{slug}.csv"
        manifest.write_text(MANIFEST.format(slug=slug), encoding="utf-8")
        file.write_text(rows(first), encoding="utf-8")
        market.publish(slug, manifest, file)
    market.agree(SLUG)
    return market


def count(market: Market, slug: str = SLUG) -> int:
    """How many persons the startup's next query sees, in a real jail."""
    asked = market.ask(f"select count(*) as n from {slug}", slug=slug)
    answer = market.client("startup").post("/api/v1/queries", asked)
    assert answer.status == 201, answer.body
    query: dict[str, Any] = answer.json()
    found = market.client("startup").get(f"/api/v1/queries/{query['id']}/result").json()
    return int(found[0]["n"])
