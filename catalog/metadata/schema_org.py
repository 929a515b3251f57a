"""schema.org Dataset as JSON-LD, which search engines read out of a page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from catalog.metadata.described import Described, Party, Site
from catalog.metadata.graph import legible
from catalog.metadata.vocabularies import licence_iri, period

MEDIA_TYPE: Final = "application/ld+json"


def schema_org(described: Described, site: Site) -> bytes:
    """One Dataset; safe to stand within a `script` element as it is."""
    told = without_nothing(_dataset(described, site))
    return msgspec.json.encode(told).replace(b"<", b"\\u003c").replace(b"&", b"\\u0026")


def _dataset(described: Described, site: Site) -> dict[str, Any]:
    page, found = site.page(described.slug), period(described.temporal)
    owners = [organisation(party) for party in described.parties]
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": page,
        "url": page,
        "identifier": described.id,
        "name": legible(described.title_vi),
        "alternateName": legible(described.title_en),
        "description": legible(described.description_vi or described.title_vi),
        "inLanguage": ["vi", "en"],
        "keywords": [legible(theme) for theme in described.themes],
        "license": licence_iri(described.licence) or legible(described.licence),
        "creator": owners,
        "publisher": owners[0],
        "includedInDataCatalog": {"@type": "DataCatalog", "name": site.title_vi, "url": site.catalogue},
        "isAccessibleForFree": _free(described),
        "datePublished": described.first_released_at.date().isoformat(),
        "dateModified": described.released_at.date().isoformat(),
        "version": str(described.number),
        "spatialCoverage": legible(described.spatial),
        "temporalCoverage": "/".join(found) if found else legible(described.temporal),
        "variableMeasured": [
            {"@type": "PropertyValue", "name": column.name, "description": legible(column.meaning_vi)}
            for column in described.version.columns
        ],
        "distribution": [_sample(described, site)] if described.has_sample else [],
    }


def organisation(party: Party) -> dict[str, Any]:
    """A schema.org Organization."""
    return {"@type": "Organization", "name": legible(party.name), "identifier": party.id}


def without_nothing(told: Mapping[str, Any]) -> dict[str, Any]:
    """What has been said: no empty texts or lists."""
    return {name: value for name, value in told.items() if value not in ("", None, [])}


def _free(described: Described) -> bool | None:
    price = described.price
    return None if price is None else not (price.per_query_micro or price.per_gb_micro or price.month_vnd)


def _sample(described: Described, site: Site) -> dict[str, Any]:
    return {
        "@type": "DataDownload",
        "name": "Mẫu được sinh ra, không chứa bản ghi thật",
        "encodingFormat": "text/csv",
        "contentUrl": site.form(described.slug, "sample.csv"),
    }
