"""Addresses of our own pages."""

from __future__ import annotations

from marketplace.config import Config


def own_path(given: str) -> str:
    """Where to go next: a path of this site, else the catalogue. Never another site's."""
    ours = given.startswith("/") and not given.startswith("//")
    return given if ours and given.isprintable() and "\\" not in given else "/"


def is_https(config: Config) -> bool:
    """Whether browsers reach us over TLS: then cookies are Secure."""
    return (config.public_url or "").startswith("https://")
