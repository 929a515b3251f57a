"""OPA, for the commands that compile Rego; and what it may refuse."""

from __future__ import annotations

from pathlib import Path

from marketplace.errors import Problem
from policies.binaries import VERSIONS, find


class ToolMissing(Problem):
    code = "tool.missing"


class PolicyRefused(Problem):
    code = "policy.build_refused"


def opa() -> Path:
    """The pinned binary. Raises ToolMissing."""
    found = find("opa")
    if found is None:
        raise ToolMissing(tool="opa", version=VERSIONS["opa"], command="python tools/fetch.py opa")
    return found.path
