"""Addresses of our own pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from marketplace.config import Config


def own_path(given: str) -> str:
    """Where to go next: a path of this site, else the catalogue. Never another site's."""
    parts = urlsplit(given)
    ours = given.startswith("/") and not given.startswith("//") and not parts.scheme and not parts.netloc
    return given if ours and given.isprintable() and "\\" not in given else "/"


def is_https(config: Config) -> bool:
    """Whether browsers reach us over TLS: then cookies are Secure."""
    return (config.public_url or "").startswith("https://")
