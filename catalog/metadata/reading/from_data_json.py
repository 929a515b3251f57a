"""data.json, as data.gov has every agency write it (Project Open Data 1.1)."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.metadata.reading.external import External, Read, Refused, accept, address, gather, plain, words


class NotThatForm(Exception):
    """The document is not of the form that its source was said to have."""


def read_data_json(body: bytes) -> Read:
    """The whole catalogue. Raises NotThatForm."""
    try:
        document = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError) as wrong:
        raise NotThatForm from wrong
    datasets = document.get("dataset") if isinstance(document, dict) else document
    if not isinstance(datasets, list):
        raise NotThatForm
    return gather(_dataset(each) for each in datasets)


def _dataset(said: Any) -> External | Refused:
    if not isinstance(said, dict):
        return Refused(id="", code="not_a_dataset")
    files = [each for each in _list(said.get("distribution")) if isinstance(each, dict)]
    publisher = said.get("publisher")
    return accept(
        id=plain(said.get("identifier"), "id"),
        title=plain(said.get("title"), "title"),
        description=plain(said.get("description")),
        url=address(said.get("landingPage")) or next(filter(None, (_link(each) for each in files)), None),
        publisher=plain(publisher.get("name") if isinstance(publisher, dict) else publisher, "title"),
        licence=plain(said.get("license"), "title"),
        themes=words([*_list(said.get("theme")), *_list(said.get("keyword"))]),
        formats=words([each.get("format") or each.get("mediaType") for each in files]),
        spatial=plain(said.get("spatial"), "title"),
        temporal=plain(said.get("temporal"), "title"),
        modified=plain(said.get("modified"), "word"),
    )


def _link(file: dict[str, Any]) -> str | None:
    return address(file.get("accessURL")) or address(file.get("downloadURL"))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
