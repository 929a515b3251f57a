"""Croissant 1.1 (MLCommons): what the columns are, over the generated sample, the file that anybody can have."""

from __future__ import annotations

import hashlib
from typing import Any, Final

import msgspec

from catalog.metadata.described import Described, Site
from catalog.metadata.graph import legible
from catalog.metadata.sample import sample_csv
from catalog.metadata.schema_org import organisation
from catalog.metadata.vocabularies import licence_iri
from catalog.version import VersionColumn

MEDIA_TYPE: Final = "application/ld+json"
CONFORMS_TO: Final = "http://mlcommons.org/croissant/1.1"
CONTEXT: Final = {
    "@language": "vi",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataBiases": "cr:dataBiases",
    "dataCollection": "cr:dataCollection",
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "personalSensitiveInformation": "cr:personalSensitiveInformation",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives, as far as we use its terms and readers expect them."""
DATA_TYPES: Final = {
    "VARCHAR": "sc:Text",
    "BIGINT": "sc:Integer",
    "INTEGER": "sc:Integer",
    "DOUBLE": "sc:Float",
    "BOOLEAN": "sc:Boolean",
    "DATE": "sc:Date",
    "TIMESTAMP": "sc:DateTime",
}
SAMPLE: Final = "sample.csv"


def croissant(described: Described, site: Site) -> bytes:
    """One dataset as JSON-LD."""
    document = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": described.slug,
        "alternateName": [legible(text) for text in (described.title_vi, described.title_en) if text.strip()],
        "description": legible(described.description_vi or described.title_vi),
        "url": site.page(described.slug),
        "license": licence_iri(described.licence) or legible(described.licence),
        "creator": [organisation(party) for party in described.parties],
        "datePublished": described.first_released_at.isoformat(timespec="seconds"),
        "dateModified": described.released_at.isoformat(timespec="seconds"),
        "version": f"{described.number}.0.0",
        "keywords": [legible(theme) for theme in described.themes],
        "citeAs": legible(f"{described.owner.name}: {described.title_vi}. {site.page(described.slug)}"),
        "personalSensitiveInformation": _privacy(described),
        "distribution": [_file(described, site)],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "records",
                "name": "records",
                "field": [_field(column) for column in described.version.columns],
            }
        ],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _privacy(described: Described) -> str:
    version = described.version
    if version.mode == "dp":
        return "Chỉ trả lời có nhiễu (bảo mật vi phân); mẫu tải về là bản ghi được sinh ra."
    return f"Mỗi người giống ít nhất {version.measured.k - 1} người khác; mẫu tải về là bản ghi được sinh ra."


def _file(described: Described, site: Site) -> dict[str, Any]:
    body = sample_csv(described)
    return {
        "@type": "cr:FileObject",
        "@id": SAMPLE,
        "name": SAMPLE,
        "description": "Bản ghi được sinh ra, không phải dữ liệu thật / generated rows, none of the data's",
        "contentUrl": site.form(described.slug, SAMPLE),
        "encodingFormat": "text/csv",
        "contentSize": f"{len(body)} B",
        "sha256": hashlib.sha256(body).hexdigest(),
    }


def _field(column: VersionColumn) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": f"records/{column.name}",
        "name": column.name,
        "description": legible(column.meaning_vi or column.name),
        "dataType": DATA_TYPES.get(column.type, "sc:Text"),
        "source": {"fileObject": {"@id": SAMPLE}, "extract": {"column": column.name}},
    }
