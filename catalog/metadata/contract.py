"""A data contract: Open Data Contract Standard 3.1 (Bitol), YAML."""

from __future__ import annotations

import io
from typing import Any, Final

from catalog.metadata.described import Described, Price, Site
from catalog.metadata.graph import legible
from catalog.metadata.schema_org import without_nothing
from catalog.version import VersionColumn

MEDIA_TYPE: Final = "application/yaml"
LOGICAL_TYPES: Final = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "number",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "timestamp",
}


def contract(described: Described, site: Site) -> bytes:
    """What an owner promises of a dataset: schema, price, how often it changes, for what it may be used."""
    from ruamel.yaml import YAML

    written = io.StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style, writer.allow_unicode, writer.width = False, True, 115
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    writer.dump(_document(described, site), written)
    return written.getvalue().encode()


def _document(described: Described, site: Site) -> dict[str, Any]:
    page = site.page(described.slug)
    return without_nothing(
        {
            "apiVersion": "v3.1.0",
            "kind": "DataContract",
            "id": described.id,
            "name": described.slug,
            "version": f"{described.number}.0.0",
            "status": "active",
            "tenant": described.owner.slug,
            "domain": legible(described.themes[0]) if described.themes else "",
            "tags": [legible(theme) for theme in described.themes],
            "description": {
                "purpose": legible(described.description_vi or described.title_vi),
                "usage": ", ".join(described.version.purposes),
                "limitations": legible(described.licence),
            },
            "authoritativeDefinitions": [
                {"type": "businessDefinition", "url": page},
                {"type": "license", "url": f"{site.url}/api/v1/datasets/{described.id}/odrl"},
            ],
            "schema": [
                {
                    "name": described.slug,
                    "physicalName": described.slug,
                    "physicalType": "table",
                    "logicalType": "object",
                    "properties": [_property(column) for column in described.version.columns],
                }
            ],
            "price": _price(described.price),
            "slaProperties": [{"property": "frequency", "value": described.update_frequency}],
            "servers": [
                {
                    "server": "sandulieu",
                    "type": "api",
                    "location": f"{site.url}/api/v1/queries",
                    "description": "Truy vấn SQL, không tải bản sao / SQL queries, no copies",
                }
            ],
            "contractCreatedTs": described.first_released_at.isoformat(timespec="seconds"),
        }
    )


def _property(column: VersionColumn) -> dict[str, Any]:
    return without_nothing(
        {
            "name": column.name,
            "physicalType": column.type,
            "logicalType": LOGICAL_TYPES.get(column.type, "string"),
            "description": legible(column.meaning_vi),
            "classification": column.personal,
            "tags": [column.role],
            "transformDescription": legible(column.transform),
        }
    )


def _price(price: Price | None) -> dict[str, Any] | None:
    """The standard has one amount and one unit: what a query costs before its columns."""
    if price is None:
        return None
    amount, rest = divmod(price.per_query_micro, 10**6)
    return {"priceAmount": amount if not rest else amount + rest / 10**6, "priceCurrency": "VND",
            "priceUnit": "query"}  # fmt: skip
