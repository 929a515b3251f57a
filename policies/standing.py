"""What an OPA server says of the bundle that it serves: which revision, how old, verified with whose key.

OPA 1.22 offers no age and does not tell that a bundle was unsigned. So the build's instant stands in the signed
manifest (`data.system.bundles`), and that signatures are verified at all is read from the server's configuration.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct, field


class Standing(Struct, frozen=True, kw_only=True):
    """One bundle. `key_id`: of the key with which the server verifies it, None when it verifies none."""

    revision: str
    built_at_ms: int | None
    key_id: str | None


class _Metadata(Struct, frozen=True):
    built_at_ms: int | None = None


class _Manifest(Struct, frozen=True):
    revision: str = ""
    metadata: _Metadata = _Metadata()


class _Bundle(Struct, frozen=True):
    manifest: _Manifest = _Manifest()


class _Bundles(Struct, frozen=True):
    result: dict[str, _Bundle] = field(default_factory=dict)


class _Signing(Struct, frozen=True):
    keyid: str | None = None


class _Source(Struct, frozen=True):
    signing: _Signing | None = None


class _Configured(Struct, frozen=True):
    bundles: dict[str, _Source] | None = None


class _Configuration(Struct, frozen=True):
    result: _Configured = _Configured()


def standing_of(bundles: object, configuration: object) -> Standing | None:
    """From `/v1/data/system/bundles` and `/v1/config`; None unless there is exactly one bundle.

    Raises msgspec.ValidationError for what OPA never says.
    """
    loaded = msgspec.convert(bundles, _Bundles).result
    if len(loaded) != 1:
        return None
    ((name, bundle),) = loaded.items()
    source = (msgspec.convert(configuration, _Configuration).result.bundles or {}).get(name)
    return Standing(
        revision=bundle.manifest.revision,
        built_at_ms=bundle.manifest.metadata.built_at_ms,
        key_id=source.signing.keyid if source and source.signing else None,
    )
