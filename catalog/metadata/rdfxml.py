"""RDF/XML (W3C RDF 1.1 XML Syntax), written as text: every value passes through one of two escapes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from catalog.metadata.graph import NAMESPACES, Iri, Node, Resource, Text, full_name, legible, safe_iri

MEDIA_TYPE: Final = "application/rdf+xml"


def rdfxml(resources: Iterable[Resource]) -> bytes:
    """The resources, each with all that hangs on it inside."""
    names = "".join(f'\n    xmlns:{prefix}="{iri}"' for prefix, iri in NAMESPACES.items() if prefix != "xsd")
    lines = ['<?xml version="1.0" encoding="utf-8"?>', f"<rdf:RDF{names}>"]
    for resource in resources:
        lines += _resource(resource, "  ")
    return ("\n".join([*lines, "</rdf:RDF>"]) + "\n").encode()


def _resource(resource: Resource, indent: str) -> Iterator[str]:
    """A node element; its first type is its name."""
    name, *more = resource.types or ("rdf:Description",)
    about = f" rdf:about={_attribute(safe_iri(resource.iri))}" if resource.iri else ""
    if not more and not resource.properties:
        yield f"{indent}<{name}{about}/>"
        return
    yield f"{indent}<{name}{about}>"
    for each in more:
        yield f'{indent}  <rdf:type rdf:resource="{full_name(each)}"/>'
    for property_name, value in resource.properties:
        yield from _property(property_name, value, indent + "  ")
    yield f"{indent}</{name}>"


def _property(name: str, value: Node, indent: str) -> Iterator[str]:
    if isinstance(value, Iri):
        yield f"{indent}<{name} rdf:resource={_attribute(safe_iri(value.value))}/>"
    elif isinstance(value, Text):
        kind = f' xml:lang="{value.language}"' if value.language else ""
        kind = f' rdf:datatype="{full_name(value.datatype)}"' if value.datatype else kind
        yield f"{indent}<{name}{kind}>{escape(legible(value.value), {chr(13): '&#13;'})}</{name}>"
    else:
        yield f"{indent}<{name}>"
        yield from _resource(value, indent + "  ")
        yield f"{indent}</{name}>"


def _attribute(text: str) -> str:
    return quoteattr(legible(text))
