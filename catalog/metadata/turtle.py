"""Turtle (W3C RDF 1.1 Turtle)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from catalog.metadata.graph import NAMESPACES, Iri, Node, Resource, Text, legible, safe_iri

MEDIA_TYPE: Final = "text/turtle"
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def turtle(resources: Iterable[Resource]) -> bytes:
    """The resources, each with all that hangs on it."""
    lines = [f"@prefix {prefix}: <{iri}> ." for prefix, iri in NAMESPACES.items()]
    waiting = list(resources)
    for resource in waiting:
        subject = _iri(resource.iri) if resource.iri else "[]"
        body = _properties(resource, waiting, "    ")
        if body:
            lines += ["", f"{subject} {body.lstrip()} ."]
    return ("\n".join(lines) + "\n").encode()


def _properties(resource: Resource, waiting: list[Resource], indent: str) -> str:
    said = [f"a {', '.join(resource.types)}"] if resource.types else []
    said += [f"{name} {_node(value, waiting, indent)}" for name, value in resource.properties]
    return f" ;\n{indent}".join(said)


def _node(node: Node, waiting: list[Resource], indent: str) -> str:
    """What has an IRI is told after what names it."""
    if isinstance(node, Iri):
        return _iri(node.value)
    if isinstance(node, Text):
        return _literal(node)
    if node.iri:
        if node not in waiting:
            waiting.append(node)
        return _iri(node.iri)
    deeper = indent + "    "
    return f"[\n{deeper}{_properties(node, waiting, deeper)}\n{indent}]"


def _literal(text: Text) -> str:
    quoted = '"' + re.sub(r'[\\"\n\r\t]', lambda m: _ESCAPES[m[0]], legible(text.value)) + '"'
    if text.language:
        return f"{quoted}@{text.language}"
    return f"{quoted}^^{text.datatype}" if text.datatype else quoted


def _iri(iri: str) -> str:
    return f"<{safe_iri(iri)}>"
