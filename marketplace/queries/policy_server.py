"""Who decides, where the policy does not run in this process."""

from __future__ import annotations

from marketplace.config import Config
from policies.engine import Server
from policies.signing import PUBLIC


def policy_server(config: Config) -> Server | None:
    """The OPA server to ask, or None: the policy runs in this process."""
    if config.opa_url is None:
        return None
    return Server(
        url=config.opa_url,
        timeout_ms=config.opa_timeout_ms,
        verification_key=config.opa_verification_key or config.path("keys", PUBLIC),
        max_age_s=config.policy_max_age_s,
    )
