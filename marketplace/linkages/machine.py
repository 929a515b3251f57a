"""States of linkages, and which verb leads where; who may do it is in docs/linkages.md."""

from __future__ import annotations

from typing import Literal

LinkageState = Literal["proposed", "approved", "refused", "ended"]
LinkageVerb = Literal["approve", "refuse", "end"]
DecisionVerb = Literal["approve", "refuse"]

TRANSITIONS: dict[tuple[str, str], LinkageState] = {
    ("proposed", "approve"): "approved",
    ("proposed", "refuse"): "refused",
    ("proposed", "end"): "ended",
    ("approved", "end"): "ended",
}
"""What is not in here is refused with 409; refused and ended are final."""
