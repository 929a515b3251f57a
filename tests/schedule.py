"""Which tests may run beside each other when several workers share a machine, which begin, and which are long."""

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
LONG = {
    "a service, or a part that it stands on, is killed, cut off, filled or starved under load": (
        "tests/faults/",
        "tests/marketplace/einvoices/test_killed.py",
        "tests/marketplace/payments/test_killed.py",
        "tests/marketplace/payments/test_storm.py",
        "tests/marketplace/test_allowance_spent.py",
        "tests/sandbox/isolation/test_pool.py",
    ),
    "a layer or a rule of the jail is taken away, one at a time, each in jails of its own": (
        "tests/attack/test_broker_off.py",
        "tests/attack/test_layers_off.py",
        "tests/sandbox/isolation/test_seccomp.py",
    ),
    "everything that is told is read by an attacker who solves it": (
        "tests/attack/test_algebra",
        "tests/attack/test_intersecting.py",
        "tests/attack/test_linear.py",
        "tests/attack/test_observer.py",
        "tests/marketplace/queries/test_neighbours.py",
    ),
    "whole populations or generated questions beside another implementation": (
        "tests/catalog/quality/test_verdicts.py",
        "tests/catalog/risk/test_canon.py",
        "tests/catalog/test_lineage.py",
        "tests/catalog/test_publish.py",
        "tests/policies/test_mutation.py",
        "tests/sandbox/disclosure/test_equivalence.py",
        "tests/sandbox/disclosure/test_in_the_jail.py",
        "tests/sandbox/plan/test_equivalence.py",
        "tests/sandbox/plan/test_tpc.py",
        "tests/sandbox/plan/test_types.py",
        "tests/sandbox/plan/test_whole.py",
    ),
    "the whole story, in processes and a browser of its own, or queries of seconds that are waited for": (
        "tests/browser/test_walks.py",
        "tests/marketplace/clients/test_python.py",
        "tests/marketplace/cli/test_demo.py",
    ),
}
"""Why, and which: without them `make test` takes minutes; `make test-all`, and so CI, runs them too."""


class Neighbours(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out a file at a time, and the files of a scope to one worker, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid) or _file(nodeid)


def mark_long(items: list[pytest.Item]) -> None:
    """Those that `make test` leaves out."""
    starts = tuple(start for files in LONG.values() for start in files)
    for item in items:
        if _file(item.nodeid).startswith(starts):
            item.add_marker("long")


def begin_with_scopes(items: list[pytest.Item]) -> None:
    """They take longest, wait most, and cannot be shared: what is begun last should be short."""
    items.sort(key=lambda item: scope_of(item.nodeid) is None)


def scope_of(nodeid: str) -> str | None:
    """The scope that the test belongs to."""
    return next((scope for scope, starts in SCOPES.items() if _file(nodeid).startswith(starts)), None)


def _file(nodeid: str) -> str:
    return nodeid.partition("::")[0]
