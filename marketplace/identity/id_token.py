"""Does an id_token prove who signed in? OpenID Connect Core 1.0, section 3.1.3.7."""

from __future__ import annotations

from typing import Any

from marketplace.config import Config
from marketplace.identity.errors import IdTokenRefused
from marketplace.identity.provider import Provider

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by a key that only the provider has: never `none`, never one that our own secret would make."""
CLOCK_SKEW_S = 60
SUBJECT_BYTES = 256


async def subject_of(id_token: str, provider: Provider, config: Config, *, nonce: str) -> str:
    """The citizen's id that a verified token vouches for. Raises IdTokenRefused, ProviderUnavailable."""
    claims = await _verified(id_token, provider)
    _check(claims, config, nonce)
    subject = claims.get(config.oidc_subject_claim)
    if not isinstance(subject, str) or not 1 <= len(subject.strip().encode()) <= SUBJECT_BYTES:
        raise IdTokenRefused(why=config.oidc_subject_claim)
    return subject.strip()


async def _verified(id_token: str, provider: Provider) -> dict[str, Any]:
    """The claims, if the signature is by one of the provider's keys; keys may have been changed meanwhile."""
    from joserfc import jwt
    from joserfc.errors import JoseError
    from joserfc.jwk import KeySet

    for anew in (False, True):
        try:
            keys = KeySet.import_key_set(await provider.keys(anew=anew))  # type: ignore[arg-type]
            return jwt.decode(id_token, keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError, TypeError, KeyError):
            # What is wrong with the token stays here: its text may name a person.
            continue
    raise IdTokenRefused(why="signature")


def _check(claims: dict[str, Any], config: Config, nonce: str) -> None:
    from authlib.oidc.core import CodeIDToken
    from joserfc.errors import JoseError

    audience = claims.get("aud")
    named = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != config.oidc_issuer:
        raise IdTokenRefused(why="iss")
    if config.oidc_client_id not in named:
        raise IdTokenRefused(why="aud")
    if not nonce or claims.get("nonce") != nonce:
        raise IdTokenRefused(why="nonce")
    token = CodeIDToken(claims, {}, params={"client_id": config.oidc_client_id, "nonce": nonce})
    try:
        token.validate(leeway=CLOCK_SKEW_S)
    except (JoseError, TypeError, ValueError):
        raise IdTokenRefused(why="exp") from None
