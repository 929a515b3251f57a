"""CSV on the Web: the columns of the sample, which are those that a query may name."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from catalog.metadata.croissant import SAMPLE
from catalog.metadata.described import Described, Site
from catalog.metadata.graph import legible
from catalog.metadata.vocabularies import licence_iri
from catalog.version import VersionColumn

MEDIA_TYPE: Final = "application/csvm+json"
DATA_TYPES: Final = {
    "VARCHAR": "string",
    "BIGINT": "integer",
    "INTEGER": "integer",
    "DOUBLE": "double",
    "BOOLEAN": "boolean",
    "DATE": "date",
    "TIMESTAMP": "datetime",
}


def csvw(described: Described, site: Site) -> bytes:
    """A table description (W3C Metadata Vocabulary for Tabular Data)."""
    licence = licence_iri(described.licence)
    document = {
        "@context": ["http://www.w3.org/ns/csvw", {"@language": "vi"}],
        "url": site.form(described.slug, SAMPLE),
        "dialect": {"header": True, "encoding": "utf-8"},
        "dc:title": legible(described.title_vi),
        "dc:description": legible(described.description_vi or described.title_vi),
        "dc:source": {"@id": site.page(described.slug)},
        **({"dc:license": {"@id": licence}} if licence else {}),
        "tableSchema": {"columns": [_column(column) for column in described.version.columns]},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _column(column: VersionColumn) -> dict[str, Any]:
    """`titles` is the header of the file, which is the name in SQL."""
    return {
        "name": column.name,
        "titles": column.name,
        "dc:description": legible(column.meaning_vi or column.name),
        "datatype": DATA_TYPES.get(column.type, "string"),
        "required": False,
    }
