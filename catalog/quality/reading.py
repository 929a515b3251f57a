"""A suite's file: YAML or JSON in, every error with its place; JSON out."""

from __future__ import annotations

import msgspec

from catalog.errors import ManifestError, ManifestRefused
from catalog.positioned import compose
from catalog.quality.suite import Suite
from catalog.reader import read_struct


def read_suite(text: str) -> Suite:
    """The suite in `text` (YAML, of which JSON is a part). Raises ManifestRefused with every error."""
    errors: list[ManifestError] = []
    tree = compose(text, errors)
    suite = read_struct(tree, Suite, errors) if tree is not None else None
    if suite is None:
        raise ManifestRefused(tuple(sorted(errors, key=lambda e: (e.line, e.column))))
    return suite


def write_suite(suite: Suite) -> str:
    """As JSON, an expectation's fields in the order of their struct."""
    return msgspec.json.format(msgspec.json.encode(suite), indent=1).decode() + "\n"
