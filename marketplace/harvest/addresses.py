"""Which addresses may be asked: what is on the public internet, and what the operator lets in."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from marketplace.config import Config
from marketplace.harvest.errors import AddressRefused

_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")


def is_public(address: str) -> bool:
    """Whether anybody on the internet may be there; also looks into IPv6 forms of IPv4 addresses."""
    try:
        found = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        nat = (
            ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
            if found in ipaddress.ip_network("64:ff9b::/96")
            else None
        )
        if (inner or nat) and not is_public(str(inner or nat)):
            return False
        # Of what is given out to the internet; the rest leads to translators, old site networks, or nowhere.
        if not nat and not found.ipv4_mapped and found not in _GIVEN_OUT:
            return False
    return found.is_global and not found.is_multicast


def require_address(url: str, config: Config) -> str:
    """The address, if it is one that may be asked: http(s), no password in it, no private number. Raises
    AddressRefused."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as wrong:
        raise AddressRefused(host="", reason="not_an_address") from wrong
    if parts.scheme not in ("http", "https") or not host or parts.username is not None or len(url) > 2_000:
        raise AddressRefused(host=host, reason="not_an_address")
    if host in allowed_hosts(config):
        return url
    if port not in (None, 80, 443, 8080, 8443):
        raise AddressRefused(host=host, reason="port")
    if (
        (_is_number(host) and not is_public(host))
        or host == "localhost"
        or host.endswith((".localhost", ".local"))
    ):
        raise AddressRefused(host=host, reason="private")
    return url


def _is_number(host: str) -> bool:
    """Also in the old ways of writing one (127.1, 0x7f000001), which would pass by the resolver as names."""
    return ":" in host or host.rsplit(".", 1)[-1].lower().startswith("0x") or host.rsplit(".", 1)[-1].isdigit()


def allowed_hosts(config: Config) -> frozenset[str]:
    """Hosts that the operator lets be asked wherever they are."""
    return frozenset(host.strip().lower() for host in config.harvest_allowed_hosts.split(",") if host.strip())
