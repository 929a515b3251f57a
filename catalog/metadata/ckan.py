"""A listed dataset as a CKAN package (CKAN 2.11, Action API v3)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from catalog.metadata.described import Described, Party, Site
from catalog.metadata.vocabularies import licence_iri

Package = dict[str, Any]
_TAGS = uuid.UUID("5b0a2a4e-6f0e-4f0a-9a63-2c1f8f7d9f10")
"""Namespace of the ids of tags and resources, which have none of their own."""


def package(described: Described, site: Site) -> Package:
    """With its organisation, tags, resources and extras."""
    page = site.page(described.slug)
    resources = _resources(described, site)
    return {
        "id": described.id,
        "name": described.slug,
        "title": described.title_vi,
        "notes": described.description_vi,
        "url": page,
        "type": "dataset",
        "state": "active",
        "private": False,
        "isopen": False,
        "author": described.owner.name,
        "author_email": None,
        "maintainer": described.owner.name,
        "maintainer_email": None,
        "license_id": described.licence,
        "license_title": described.licence,
        "license_url": licence_iri(described.licence),
        "version": str(described.number),
        "owner_org": described.owner.id,
        "creator_user_id": None,
        "organization": organization(described.owner),
        "metadata_created": ckan_time(described.first_released_at),
        "metadata_modified": ckan_time(described.released_at),
        "tags": [tag(theme) for theme in described.themes],
        "num_tags": len(described.themes),
        "resources": resources,
        "num_resources": len(resources),
        "extras": _extras(described),
        "groups": [],
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def organization(party: Party) -> Package:
    """As a package shows it."""
    return {
        "id": party.id,
        "name": party.slug,
        "title": party.name,
        "display_name": party.name,
        "type": "organization",
        "description": "",
        "image_url": "",
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def tag(theme: str) -> Package:
    """A theme as CKAN's free tag."""
    return {
        "id": str(uuid.uuid5(_TAGS, theme)),
        "name": theme,
        "display_name": theme,
        "state": "active",
        "vocabulary_id": None,
    }


def ckan_time(at: datetime) -> str:
    """As CKAN writes instants: UTC, without saying so."""
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _resources(described: Described, site: Site) -> list[Package]:
    """What the page links: how to ask, the sample, the machine-readable forms."""
    links = [("Truy vấn / Queries", f"{site.url}/api/v1/queries", "API", "application/json")]
    if described.has_sample:
        links.append(
            ("Mẫu được sinh ra / Generated sample", site.form(described.slug, "sample.csv"), "CSV", "text/csv")
        )
    links.append(("DCAT-AP", site.form(described.slug, "dcat.ttl"), "TTL", "text/turtle"))
    return [_resource(described, place, *link) for place, link in enumerate(links)]


def _resource(described: Described, place: int, name: str, url: str, form: str, media_type: str) -> Package:
    return {
        "id": str(uuid.uuid5(uuid.UUID(described.id), url)),
        "package_id": described.id,
        "name": name,
        "description": "",
        "url": url,
        "format": form,
        "mimetype": media_type,
        "position": place,
        "state": "active",
        "resource_type": None,
        "hash": "",
        "size": None,
        "created": ckan_time(described.first_released_at),
        "last_modified": ckan_time(described.released_at),
        "metadata_modified": ckan_time(described.released_at),
    }


def _extras(described: Described) -> list[dict[str, str]]:
    said: Sequence[tuple[str, str]] = (
        ("title_en", described.title_en),
        ("notes_en", described.description_en),
        ("spatial_text", described.spatial),
        ("temporal", described.temporal),
        ("frequency", described.update_frequency),
        ("mode", described.version.mode),
        ("purposes", ", ".join(described.version.purposes)),
    )
    return [{"key": key, "value": value} for key, value in said if value]
