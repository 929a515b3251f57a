"""States of a publication, and which verb leads where; who may do it is in docs/publish.md, "Review"."""

from __future__ import annotations

from typing import Final, Literal

State = Literal[
    "making", "stopped", "failed", "checking", "approving", "reviewing", "listing", "listed", "cancelled"
]
Verb = Literal[
    "pass", "stop", "fail", "list", "renew", "override", "retry", "submit", "approve", "refer", "return",
    "cancel",
]  # fmt: skip
TRANSITIONS: Final[dict[tuple[str, str], State]] = {
    ("making", "pass"): "checking",
    ("making", "stop"): "stopped",
    ("making", "fail"): "failed",
    ("making", "cancel"): "cancelled",
    ("stopped", "override"): "making",
    ("stopped", "retry"): "making",
    ("stopped", "cancel"): "cancelled",
    ("failed", "retry"): "making",
    ("failed", "cancel"): "cancelled",
    ("checking", "submit"): "approving",
    ("checking", "cancel"): "cancelled",
    ("approving", "approve"): "listing",
    ("approving", "refer"): "reviewing",
    ("approving", "return"): "checking",
    ("approving", "cancel"): "cancelled",
    ("reviewing", "approve"): "listing",
    ("reviewing", "return"): "checking",
    ("reviewing", "cancel"): "cancelled",
    ("listing", "list"): "listed",
    ("listing", "renew"): "checking",
    ("listing", "stop"): "stopped",
    ("listing", "fail"): "failed",
    ("listing", "cancel"): "cancelled",
}
"""What is not in here is refused with 409; listed and cancelled are final. `pass`, `stop`, `fail`, `list`,
`renew` are the exchange's own: nobody can ask for them. `refer`: an approval of what the operator looks at too."""
OPEN: Final = ("making", "stopped", "failed", "checking", "approving", "reviewing", "listing")
AT_WORK: Final = ("making", "listing")
"""The exchange works on it."""
