"""DCAT in Turtle, RDF/XML or JSON-LD. Run as a process: others' graphs are parsed where time and memory end.

`python -m catalog.metadata.reading.from_rdf MEDIA_TYPE BASE` reads a document from standard input and writes a
`Read` as JSON. Exit 1: it is not of that form. rdflib is imported here and nowhere else.
"""

from __future__ import annotations

import resource
import socket
import sys
from collections.abc import Iterator
from typing import Any, Final, NoReturn

import msgspec

from catalog.metadata.graph import NAMESPACES
from catalog.metadata.reading.external import External, Read, Refused, accept, address, gather, plain, words

CPU_S: Final = 60
MEMORY_BYTES: Final = 2 * 1024 * 1024 * 1024
FORMATS: Final = {
    "text/turtle": "turtle",
    "application/rdf+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "application/ld+json": "json-ld",
    "application/json": "json-ld",
}
LANGUAGES: Final = ("vi", "en", "")


class RdfRefused(Exception):
    """code: not_that_form | document_type | remote_context"""


def read_rdf(body: bytes, media_type: str, base: str) -> Read:
    """Datasets of a page, and the address of the next one. Raises RdfRefused, and what rdflib raises."""
    import rdflib

    kind = FORMATS[media_type]
    data = _safe_xml(body) if kind == "xml" else _safe_json(body) if kind == "json-ld" else body
    graph = rdflib.Graph().parse(data=data, format=kind, publicID=base)
    return gather(_datasets(graph), following=_next(graph))


def _safe_xml(body: bytes) -> bytes:
    """The same document without what a document type could do. Raises RdfRefused where it has one."""
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        tree = etree.fromstring(body, parser).getroottree()
    except etree.XMLSyntaxError as wrong:
        raise RdfRefused("not_that_form") from wrong
    if tree.docinfo.doctype or tree.docinfo.internalDTD is not None:
        raise RdfRefused("document_type")
    plain_xml: bytes = etree.tostring(tree, encoding="utf-8", xml_declaration=True)
    return plain_xml


def _safe_json(body: bytes) -> bytes:
    """Contexts that stand elsewhere would be fetched. Raises RdfRefused."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise RdfRefused("not_that_form") from wrong
    waiting: list[Any] = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            if _stands_elsewhere(each.get("@context")) or "@import" in each:
                raise RdfRefused("remote_context")
            waiting += each.values()
        elif isinstance(each, list):
            waiting += each
    return body


def _stands_elsewhere(context: Any) -> bool:
    """Also one in a list within a list, which no standard has and rdflib reads all the same."""
    return isinstance(context, str) or (isinstance(context, list) and any(map(_stands_elsewhere, context)))


def _datasets(graph: Any) -> Iterator[External | Refused]:
    import rdflib

    term = {name: rdflib.Namespace(iri) for name, iri in NAMESPACES.items()}
    dcat, dct = term["dcat"], term["dct"]
    for subject in sorted(set(graph.subjects(term["rdf"].type, dcat.Dataset))):
        named = str(subject) if isinstance(subject, rdflib.URIRef) else ""
        files = list(graph.objects(subject, dcat.distribution))
        yield accept(
            id=plain(named or _said(graph, subject, dct.identifier), "id"),
            title=plain(_said(graph, subject, dct.title), "title"),
            description=plain(_said(graph, subject, dct.description)),
            url=address(_said(graph, subject, dcat.landingPage)) or address(named),
            publisher=plain(_of(graph, subject, dct.publisher, term["foaf"].name), "title"),
            licence=plain(next((_licence(graph, file, dct) for file in (subject, *files)), ""), "title"),
            themes=words(sorted(str(each) for each in graph.objects(subject, dcat.keyword))),
            formats=words(sorted(_short(_said(graph, file, dcat.mediaType)) for file in files)),
            spatial=plain(_short(_of(graph, subject, dct.spatial, term["skos"].prefLabel)), "title"),
            temporal="",
            modified=plain(_said(graph, subject, dct.modified), "word"),
        )


def _said(graph: Any, subject: Any, name: Any) -> str:
    """In Vietnamese, else in English, else in no language, else whatever there is."""
    values = sorted(graph.objects(subject, name), key=lambda v: (_rank(getattr(v, "language", None)), str(v)))
    return str(values[0]) if values else ""


def _rank(language: str | None) -> int:
    return LANGUAGES.index(language or "") if (language or "") in LANGUAGES else len(LANGUAGES)


def _of(graph: Any, subject: Any, name: Any, inner: Any) -> str:
    """What stands there, or its name; a blank node has none that it keeps."""
    import rdflib

    found = (
        _said(graph, each, inner) or ("" if isinstance(each, rdflib.BNode) else str(each))
        for each in graph.objects(subject, name)
    )
    return min(filter(None, found), default="")


def _licence(graph: Any, subject: Any, dct: Any) -> str:
    return _of(graph, subject, dct.license, dct.title)


def _short(iri: str) -> str:
    """`…/media-types/text/csv` as `text/csv`, `…/country/VNM` as `VNM`."""
    return iri.rsplit("/media-types/", maxsplit=1)[-1] if "/media-types/" in iri else iri.rsplit("/", 1)[-1]


def _next(graph: Any) -> str | None:
    import rdflib

    hydra = rdflib.Namespace(NAMESPACES["hydra"])
    found = [*graph.objects(None, hydra.next), *graph.objects(None, hydra.nextPage)]
    return address(str(found[0])) if found else None


def _no_network(*_: object, **__: object) -> NoReturn:
    raise OSError("nothing is fetched while a document is read")


def main(media_type: str, base: str) -> int:
    """0, or 1 with a code on standard error."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    socket.socket.connect = _no_network  # type: ignore[method-assign]
    try:
        read = read_rdf(sys.stdin.buffer.read(), media_type, base)
    except RdfRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    except Exception:  # rdflib raises whatever its parsers meet
        print("not_that_form", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(msgspec.json.encode(read))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
