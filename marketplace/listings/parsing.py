"""What an owner sends beside the data, read: manifest, answers to the scan, suite."""

from __future__ import annotations

import msgspec

from catalog.errors import ManifestRefused
from catalog.manifest import Manifest, read_manifest
from catalog.pii.gate import Override
from catalog.quality.reading import read_suite
from catalog.quality.rules import require_fit
from catalog.quality.suite import Suite
from marketplace.errors import Invalid
from marketplace.listings.errors import ManifestWrong


def parse_manifest(text: str) -> Manifest:
    """Raises ManifestWrong with every error, its line and column."""
    try:
        return read_manifest(text)
    except ManifestRefused as refused:
        raise ManifestWrong(
            [
                {"path": "manifest", "code": e.code, "params": dict(e.params), "line": e.line, "column": e.column}
                for e in refused.errors
            ]
        ) from refused


def parse_overrides(text: str) -> tuple[Override, ...]:
    """Answers to what a scan found, as JSON; nothing is none. Raises Invalid."""
    if not text.strip():
        return ()
    try:
        return msgspec.json.decode(text, type=tuple[Override, ...])
    except (msgspec.DecodeError, msgspec.ValidationError) as wrong:
        raise Invalid(errors=[{"path": "overrides", "code": "upload.overrides", "params": {}}]) from wrong


def parse_suite(text: str, manifest: Manifest) -> Suite:
    """Raises ManifestWrong with every error; of one against the manifest `line` is the expectation's number."""
    try:
        suite = read_suite(text)
        require_fit(suite, manifest)
    except ManifestRefused as refused:
        raise ManifestWrong(
            [
                {"path": "suite", "code": e.code, "params": dict(e.params), "line": e.line, "column": e.column}
                for e in refused.errors
            ]
        ) from refused
    return suite
