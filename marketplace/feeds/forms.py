"""The machine-readable forms of a dataset: under which name, of which media type, written by what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.metadata import contract, croissant, csvw, dcat, jsonld, rdfxml, sample, schema_org, turtle
from catalog.metadata.described import Described, Site
from catalog.metadata.graph import Resource
from marketplace.feeds.reads import described

Write = Callable[[Described, Site], bytes]


class Form(Struct, frozen=True):
    media_type: str
    write: Write


def _graph(serialise: Callable[[tuple[Resource]], bytes]) -> Write:
    return lambda described, site: serialise((dcat.dataset(described, site),))


RDF: Final[dict[str, tuple[str, Callable[[tuple[Resource, ...]], bytes]]]] = {
    "ttl": (turtle.MEDIA_TYPE, turtle.turtle),
    "rdf": (rdfxml.MEDIA_TYPE, rdfxml.rdfxml),
    "jsonld": (jsonld.MEDIA_TYPE, jsonld.jsonld),
}
"""Suffix → media type and writer of a graph."""
FORMS: Final[dict[str, Form]] = {
    "dcat.ttl": Form(turtle.MEDIA_TYPE, _graph(turtle.turtle)),
    "dcat.rdf": Form(rdfxml.MEDIA_TYPE, _graph(rdfxml.rdfxml)),
    "dcat.jsonld": Form(jsonld.MEDIA_TYPE, _graph(jsonld.jsonld)),
    "schema.jsonld": Form(schema_org.MEDIA_TYPE, schema_org.schema_org),
    "croissant.json": Form(croissant.MEDIA_TYPE, croissant.croissant),
    "contract.yaml": Form(contract.MEDIA_TYPE, contract.contract),
    "csvw.json": Form(csvw.MEDIA_TYPE, csvw.csvw),
    "sample.csv": Form(sample.MEDIA_TYPE, lambda described, _: sample.sample_csv(described)),
}
NEGOTIATED: Final = {
    turtle.MEDIA_TYPE: "dcat.ttl",
    jsonld.MEDIA_TYPE: "dcat.jsonld",
    rdfxml.MEDIA_TYPE: "dcat.rdf",
    "application/json": "dcat.jsonld",
    csvw.MEDIA_TYPE: "csvw.json",
    contract.MEDIA_TYPE: "contract.yaml",
}
"""What is asked for by its media type; where several are of one, the description."""


async def embedded(session: AsyncSession, slug: str, site: Site) -> str:
    """schema.org for the `script` element of the dataset's page."""
    found = await described(session, slug)
    return schema_org.schema_org(found, site).decode() if found else ""
