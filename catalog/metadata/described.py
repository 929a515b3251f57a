"""What every standard says of a listed dataset, read once: nothing in it but what its page shows to anybody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from catalog.version import Version


class Site(Struct, frozen=True, kw_only=True):
    """The exchange that tells. `url`: where it is reached, without a slash at its end."""

    url: str
    title_vi: str = "Sàn dữ liệu"
    title_en: str = "Data exchange"

    @property
    def catalogue(self) -> str:
        return f"{self.url}/catalog"

    def page(self, slug: str) -> str:
        """The page of a dataset, and its name (IRI) in every standard."""
        return f"{self.url}/datasets/{quote(slug, safe='')}"

    def form(self, slug: str, name: str) -> str:
        """One of its machine-readable forms."""
        return f"{self.page(slug)}/metadata/{name}"


class Party(Struct, frozen=True, kw_only=True):
    id: str
    slug: str
    name: str

    @property
    def iri(self) -> str:
        """As the ODRL offer names it."""
        return f"urn:sandulieu:organisation:{self.id}"


class Price(Struct, frozen=True, kw_only=True):
    """What everybody is offered, in micro-đồng (millionths): of a query, and of 10⁹ bytes of the columns read;
    `month_vnd` in đồng."""

    per_query_micro: int
    per_gb_micro: int
    month_vnd: int


class Described(Struct, frozen=True, kw_only=True):
    """A listed dataset with its newest version; `number` counts its versions."""

    id: str
    slug: str
    title_vi: str
    title_en: str
    description_vi: str
    description_en: str
    owner: Party
    partner: Party | None = None
    """Of a joint dataset."""
    licence: str
    themes: tuple[str, ...]
    spatial: str
    temporal: str
    update_frequency: str
    version: Version
    number: int
    first_released_at: datetime
    released_at: datetime
    has_sample: bool
    sample: tuple[Mapping[str, Any], ...] = ()
    """Generated rows that share no record with the data; read only where they are written out."""
    price: Price | None = None

    @property
    def parties(self) -> tuple[Party, ...]:
        return (self.owner,) if self.partner is None else (self.owner, self.partner)
