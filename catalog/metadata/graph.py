"""Descriptions as trees of resources, which Turtle, RDF/XML and JSON-LD are written from: one tree, three texts.

Names of types and properties are prefixed (`dct:title`) and come from our code, never from a listing.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, TypeAlias
from urllib.parse import quote

from msgspec import Struct

NAMESPACES: Final = {
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "odrl": "http://www.w3.org/ns/odrl/2/",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What XML 1.0 cannot say at all, and what no reader of another form would want either."""


class Iri(Struct, frozen=True):
    value: str


class Text(Struct, frozen=True):
    """A literal: with a language, or with a datatype (prefixed), or plain."""

    value: str
    language: str | None = None
    datatype: str | None = None


class Resource(Struct, frozen=True, kw_only=True):
    """Something with types and properties; without an IRI a blank node."""

    iri: str | None = None
    types: tuple[str, ...] = ()
    properties: tuple[tuple[str, Node], ...] = ()


Node: TypeAlias = Iri | Text | Resource


def instant(at: datetime) -> Text:
    """xsd:dateTime, to the second, in UTC as it is given."""
    return Text(at.isoformat(timespec="seconds"), datatype="xsd:dateTime")


def either(name: str, vi: str, en: str) -> tuple[tuple[str, Node], ...]:
    """A property in both languages; what is not said in English is left out."""
    said = ((vi, "vi"), (en, "en"))
    return tuple((name, Text(legible(text), language=language)) for text, language in said if text.strip())


def legible(text: str) -> str:
    """The text with � for what not every form can say."""
    return FORBIDDEN.sub("\ufffd", text)


def safe_iri(iri: str) -> str:
    """The IRI with percent signs for what none may hold, so that it ends where it should in every form."""
    return re.sub(r'[\x00-\x20<>"{}|^`\\\x7f-\x9f\ud800-\udfff]', lambda m: quote(m[0], errors="replace"), iri)


def full_name(prefixed: str) -> str:
    """`dct:title` as an IRI."""
    prefix, _, local = prefixed.partition(":")
    return NAMESPACES[prefix] + local
