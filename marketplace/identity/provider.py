"""The sign-in service, spoken to as OpenID Connect Core 1.0 says: code flow, PKCE, state, nonce."""

from __future__ import annotations

import asyncio
import logging
import ssl
import stat
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec import Struct

from marketplace.config import Config
from marketplace.identity.errors import IdTokenRefused, ProviderUnavailable, SignInCancelled, SignInNotConfigured

# It would write a line for every request: when somebody signed in is nobody's to read in a log file.
logging.getLogger("httpx").setLevel(logging.WARNING)

ANSWER_BYTES = 256 * 1024
LOOPBACK = ("127.0.0.1", "localhost", "::1")
DISCOVERY = "/.well-known/openid-configuration"
KEYS_AT_MOST_EVERY_S = 10
"""A token that names an unknown key makes us fetch the keys again, but not at any rate an attacker likes."""


class SecretExposed(Exception):
    """The client secret's file can be read by others than its owner."""


class Metadata(Struct, frozen=True):
    """What we use of the provider's discovery document."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str


class _Tokens(Struct, frozen=True):
    id_token: str


class Provider:
    """One provider; discovery and keys are kept for `oidc_metadata_lifetime_s`. Raises SecretExposed, OSError."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._secret = _read_secret(config.oidc_client_secret_file)
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, dict[str, Any]] | None = None
        self._tls: ssl.SSLContext | None = None

    @property
    def name(self) -> str:
        """Host of the provider, for people. Raises SignInNotConfigured."""
        return urlsplit(self._issuer).netloc

    @property
    def configured(self) -> bool:
        """Whether people can sign in here at all."""
        return self._config.oidc_issuer is not None

    @property
    def _issuer(self) -> str:
        if self._config.oidc_issuer is None:
            raise SignInNotConfigured
        return self._config.oidc_issuer

    async def authorization_url(self, *, redirect_uri: str, state: str, nonce: str, verifier: str) -> str:
        """Where to send the browser. Raises SignInNotConfigured, ProviderUnavailable."""
        from authlib.oauth2.rfc7636 import create_s256_code_challenge

        metadata = await self.metadata()
        asked = {
            "response_type": "code",
            "client_id": self._config.oidc_client_id,
            "redirect_uri": redirect_uri,
            "scope": self._config.oidc_scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        joined = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joined}{urlencode(asked)}"

    async def redeem(self, *, code: str, redirect_uri: str, verifier: str) -> str:
        """The id_token for a code, unverified. Raises SignInCancelled, ProviderUnavailable, IdTokenRefused."""
        sent = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
            **({} if self._secret else {"client_id": self._config.oidc_client_id}),
        }
        endpoint = (await self.metadata()).token_endpoint
        status, body = await self._ask("POST", endpoint, form=sent, secret=self._secret)
        if 400 <= status < 500:
            raise SignInCancelled
        if status != 200:
            raise ProviderUnavailable
        try:
            return msgspec.json.decode(body, type=_Tokens).id_token
        except msgspec.DecodeError as error:
            raise IdTokenRefused from error

    async def metadata(self) -> Metadata:
        """Discovery. Raises SignInNotConfigured, ProviderUnavailable."""
        issuer = self._issuer
        if self._metadata and self._fresh(self._metadata[0]):
            return self._metadata[1]
        status, body = await self._ask("GET", issuer.rstrip("/") + DISCOVERY)
        try:
            found = msgspec.json.decode(body, type=Metadata)
        except msgspec.DecodeError as error:
            raise ProviderUnavailable from error
        if status != 200 or found.issuer != issuer:
            raise ProviderUnavailable
        self._metadata = (time.monotonic(), found)
        return found

    async def keys(self, *, anew: bool = False) -> dict[str, Any]:
        """The provider's JWKS; `anew` when a signature is by none of them. Raises ProviderUnavailable."""
        if self._keys:
            age_s = time.monotonic() - self._keys[0]
            if (not anew and self._fresh(self._keys[0])) or (anew and age_s < KEYS_AT_MOST_EVERY_S):
                return self._keys[1]
        status, body = await self._ask("GET", (await self.metadata()).jwks_uri)
        try:
            found = msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError as error:
            raise ProviderUnavailable from error
        if status != 200 or not isinstance(found.get("keys"), list):
            raise ProviderUnavailable
        self._keys = (time.monotonic(), found)
        return found

    def _fresh(self, since: float) -> bool:
        return time.monotonic() - since < self._config.oidc_metadata_lifetime_s

    async def _ask(
        self, method: str, url: str, *, form: dict[str, str] | None = None, secret: str | None = None
    ) -> tuple[int, bytes]:
        """Status and body, in bounded time and size; redirects are not followed. Raises ProviderUnavailable."""
        import httpx

        if not _safe(url):
            raise ProviderUnavailable
        # Made once: reading the system's certificates takes longer than a request.
        self._tls = self._tls or httpx.create_ssl_context()
        auth = (self._config.oidc_client_id, secret) if secret else None
        body = bytearray()
        try:
            async with (
                asyncio.timeout(self._config.oidc_timeout_ms / 1000),
                httpx.AsyncClient(verify=self._tls) as http,
            ):
                request = http.build_request(method, url, data=form, headers={"Accept": "application/json"})
                answer = await http.send(request, auth=auth, stream=True)
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > ANSWER_BYTES:
                        raise ProviderUnavailable
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderUnavailable from error
        return answer.status_code, bytes(body)


def _safe(url: str) -> bool:
    """Over TLS, or without leaving this machine."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def _read_secret(file: Path | None) -> str | None:
    if file is None:
        return None
    if file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise SecretExposed(f"{file}: mode 0600 is needed")
    return file.read_text(encoding="utf-8").strip()
