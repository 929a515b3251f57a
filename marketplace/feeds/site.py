"""Under which address the exchange tells of itself."""

from __future__ import annotations

from catalog.metadata.described import Site
from marketplace.config import Config
from marketplace.feeds.negotiation import AnyRequest


def site_of(request: AnyRequest, config: Config) -> Site:
    """`public_url`; without it, where the reader came in (so set it where anybody else may come)."""
    return Site(url=(config.public_url or str(request.base_url)).rstrip("/"))
