"""Which tests may run beside each other when several workers share a machine."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

SCOPES = {
    "processor": ("tests/attack/", "tests/faults/", "tests/sandbox/isolation/"),
    "market": (
        "tests/marketplace/cli/",
        "tests/marketplace/clients/",
        "tests/marketplace/queries/",
        "tests/marketplace/subjects/",
        "tests/marketplace/test_",
    ),
}
"""What exhausts or counts the processor never meets its like; what asks the shared market needs only one."""


class Neighbours(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands out a file at a time, and the files of a scope to one worker, in the order of collection."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return next((scope for scope, starts in SCOPES.items() if file.startswith(starts)), file)
