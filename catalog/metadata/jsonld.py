"""JSON-LD 1.1: prefixes in the context, everything else as it is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from catalog.metadata.graph import NAMESPACES, Iri, Node, Resource, legible, safe_iri

MEDIA_TYPE: Final = "application/ld+json"


def jsonld(resources: Iterable[Resource]) -> bytes:
    """One document with the resources as its graph."""
    document = {"@context": NAMESPACES, "@graph": [_resource(each) for each in resources]}
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def _resource(resource: Resource) -> dict[str, Any]:
    told: dict[str, Any] = {"@id": safe_iri(resource.iri)} if resource.iri else {}
    if resource.types:
        told["@type"] = list(resource.types)
    for name, value in resource.properties:
        told.setdefault(name, []).append(_node(value))
    return {name: one[0] if name[0] != "@" and len(one) == 1 else one for name, one in told.items()}


def _node(node: Node) -> dict[str, Any]:
    if isinstance(node, Iri):
        return {"@id": safe_iri(node.value)}
    if isinstance(node, Resource):
        return _resource(node)
    told = {"@value": legible(node.value)}
    if node.language:
        told["@language"] = node.language
    elif node.datatype:
        told["@type"] = node.datatype
    return told
