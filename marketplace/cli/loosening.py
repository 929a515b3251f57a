"""The rules of this checkout against those released last: what they loosen needs two people's signatures."""

from __future__ import annotations

import shutil
from pathlib import Path

from msgspec import Struct

from marketplace.audit.approval import Approved, covers, read_people
from marketplace.verifier.refusal import Refused
from policies.checks import Checked
from policies.kept import KeptBroken, KeptPolicy, copy
from policies.replay import Change, Replay
from policies.situations import decided_cases
from policies.sources import FOLDER

RELEASED = FOLDER.parent / "released"
"""Of this checkout: `policy`, as it was released last; `people` who may approve; `approvals` by revision."""
SHOWN = 20


class Found(Struct, frozen=True, kw_only=True):
    """What a policy loosens against the one that was released, on its own cases."""

    changes: tuple[Change, ...]
    approved: Approved


def loosened(candidate: KeptPolicy, cases: Path, released: Path) -> Found:
    """Every case in cases/cases, as `released` decides it, again by the candidate. Raises KeptBroken."""
    base, replay = KeptPolicy(released), Replay(candidate)
    found = tuple(change for past in decided_cases(cases, base) if (change := replay.again(past)))
    digest = replay.changes_sha256
    return Found(
        changes=found,
        approved=Approved(candidate=candidate.revision, changes=len(found), changes_sha256=digest),
    )


def check_released(source: Path = FOLDER, root: Path = RELEASED) -> Checked:
    """That whatever `source` loosens was approved: in root/approvals/<revision>, by two of root/people."""
    name = "no looser than what was released"
    try:
        found = loosened(KeptPolicy(source), source, root / "policy")
        if not found.changes or _is_approved(found.approved, root):
            return Checked(name=name, said="")
    except (KeptBroken, Refused, OSError) as wrong:
        return Checked(name=name, said=str(wrong))
    return Checked(name=name, said=_told(found, root))


def adopt(source: Path = FOLDER, root: Path = RELEASED) -> str:
    """Make `source` the policy against which later changes are held; empty, or why not.

    Where nothing was released yet there is nothing to be looser than."""
    place = root / "policy"
    if place.exists():
        said = check_released(source, root).said
        if said:
            return said
    fresh = root / ".policy"
    shutil.rmtree(fresh, ignore_errors=True)
    copy(source, fresh)
    shutil.rmtree(place, ignore_errors=True)
    fresh.rename(place)
    return ""


def _is_approved(approved: Approved, root: Path) -> bool:
    note = root / "approvals" / approved.candidate
    return note.exists() and covers(note.read_text(), approved, read_people((root / "people").read_text()))


def _told(found: Found, root: Path) -> str:
    lines = [f"{change.kind} {change.name}: {', '.join(change.what)}" for change in found.changes[:SHOWN]]
    if len(found.changes) > SHOWN:
        lines.append(f"… {len(found.changes) - SHOWN} more")
    return "\n".join(
        (
            f"{len(found.changes)} cases are decided more loosely, and two people have not approved that:",
            *lines,
            f"sandulieu policies replay --candidate policies --cases {root.name}/policy --json > report",
            f"sandulieu policies approve report --approval {root.name}/approvals/{found.approved.candidate} "
            "--key KEY --name NAME    # each of two people",
        )
    )
