"""Which tests may run beside each other when several workers share a machine, and which begin."""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

SCOPES = {
    "processor": ("tests/attack/", "tests/faults/", "tests/sandbox/isolation/"),
    "market": (
        "tests/marketplace/agreements/test_preview.py",
        "tests/marketplace/cli/",
        "tests/marketplace/clients/",
        "tests/marketplace/feeds/test_outside.py",
        "tests/marketplace/harvest/test_runs.py",
        "tests/marketplace/invoices/test_walk.py",
        "tests/marketplace/linkages/test_walk.py",
        "tests/marketplace/offers/test_walk.py",
        "tests/marketplace/oversight/test_alerts_walk.py",
        "tests/marketplace/own/",
        "tests/marketplace/queries/",
        "tests/marketplace/subjects/",
        "tests/marketplace/test_",
    ),
}
"""What exhausts or counts the processor never meets its like; what asks the shared market needs only one."""


class Neighbours(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out a file at a time, and the files of a scope to one worker, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid) or _file(nodeid)


def begin_with_scopes(items: list[pytest.Item]) -> None:
    """They take longest, wait most, and cannot be shared: what is begun last should be short."""
    items.sort(key=lambda item: scope_of(item.nodeid) is None)


def scope_of(nodeid: str) -> str | None:
    """The scope that the test belongs to."""
    return next((scope for scope, starts in SCOPES.items() if _file(nodeid).startswith(starts)), None)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
