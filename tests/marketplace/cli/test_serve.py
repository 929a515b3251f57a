"""What `serve` gives to the server of HTTP."""

from __future__ import annotations

import argparse
from contextlib import nullcontext
from typing import Any, cast

from marketplace.cli.serve import server_for
from marketplace.config import load
from marketplace.queries.services import Services


async def test_only_a_proxy_that_is_named_is_believed_for_whom_it_asks() -> None:
    """By what it says attempts to sign in are counted: others could say anything, or be counted as one."""
    config = load({"SANDULIEU_PROXY_ADDRESSES": "127.0.0.1,10.1.0.0/16"})
    chosen = argparse.Namespace(host=None, port=None)
    server = server_for(config, chosen, nullcontext(cast(Services, None)))
    server.config.load()
    proxies = cast(Any, server.config.loaded_app)
    seen: list[str] = []

    async def service(scope: dict[str, Any], *_: object) -> None:
        seen.append(scope["client"][0])

    proxies.app = service
    for peer in ("10.1.2.3", "127.0.0.1", "192.0.2.1"):
        headers = [(b"x-forwarded-for", b"203.0.113.9")]
        await proxies({"type": "http", "scheme": "http", "client": (peer, 1), "headers": headers}, None, None)
    assert seen == ["203.0.113.9", "203.0.113.9", "192.0.2.1"]
