"""CKAN's packages, as package_search gives them."""

from __future__ import annotations

from typing import Any, Final

from catalog.metadata.reading.external import External, Refused, accept, address, plain, words

MOST_RESOURCES: Final = 500


def read_package(package: Any, *, base_url: str) -> External | Refused:
    """One package of the catalogue at `base_url`."""
    if not isinstance(package, dict):
        return Refused(id="", code="not_a_dataset")
    name = plain(package.get("name"), "id")
    return accept(
        id=plain(package.get("id"), "id") or name,
        name=name,
        title=plain(package.get("title"), "title") or name,
        description=plain(package.get("notes")),
        url=address(package.get("url")) or address(f"{base_url}/dataset/{name}"),
        publisher=plain(_inside(package, "organization", "title") or package.get("author"), "title"),
        licence=plain(package.get("license_title") or package.get("license_id"), "title"),
        themes=words([_inside(tag, "display_name") or _inside(tag, "name") for tag in _list(package, "tags")]),
        formats=words([_inside(each, "format") for each in _list(package, "resources")]),
        spatial=plain(_extra(package, "spatial_text"), "title"),
        temporal=plain(_extra(package, "temporal"), "title"),
        modified=plain(package.get("metadata_modified"), "word"),
    )


def _list(package: dict[str, Any], name: str) -> list[Any]:
    value = package.get(name)
    return value[:MOST_RESOURCES] if isinstance(value, list) else []


def _extra(package: dict[str, Any], key: str) -> Any:
    return next((_inside(each, "value") for each in _list(package, "extras") if _inside(each, "key") == key), "")


def _inside(value: Any, *names: str) -> Any:
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value
