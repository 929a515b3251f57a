"""`sandulieu policies replay|approve`: what another policy would loosen, and who answers for it."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Struct

from marketplace.audit.approval import Approved, covers, read_people, sign
from marketplace.audit.note import verifier_key
from marketplace.audit.past import past_decisions
from marketplace.cli.command_line import instant
from marketplace.cli.home_database import home_database
from marketplace.cli.policy_tools import PolicyRefused, opa
from marketplace.config import load
from marketplace.db.keys import Keys
from marketplace.errors import Problem
from marketplace.verifier.refusal import Refused
from policies.build import BuildFailed
from policies.candidate import built
from policies.kept import KeptPolicy
from policies.replay import Change, Count, Replay, line
from policies.situations import decided_cases
from policies.sources import rules


class ApprovalRefused(Problem):
    code = "policy.approval_refused"


class NotApproved(Problem):
    code = "policy.not_approved"


class NoRules(Problem):
    """That folder holds no policy."""

    code = "policy.no_rules"


class Summary(Struct, frozen=True, kw_only=True):
    """The last line of a report. `until`: give it to a later replay, and the same decisions are made again."""

    candidate: str
    until: datetime
    count: Count
    changes_sha256: str

    def approved(self) -> Approved:
        changes = self.count.allowed + self.count.loosened
        return Approved(candidate=self.candidate, changes=changes, changes_sha256=self.changes_sha256)


def add_replay(verbs: Any) -> None:
    """policies replay, policies approve."""
    replay = verbs.add_parser("replay")
    replay.add_argument("--candidate", type=Path, required=True, metavar="FOLDER")
    replay.add_argument("--since", type=instant)
    replay.add_argument("--until", type=instant)
    replay.add_argument("--cases", type=Path, metavar="FOLDER")
    replay.add_argument("--approval", type=Path, metavar="NOTE")
    replay.add_argument("--people", type=Path, metavar="FILE")
    replay.set_defaults(func=_replay)
    approve = verbs.add_parser("approve")
    approve.add_argument("report", type=Path)
    approve.add_argument("--approval", type=Path, required=True, metavar="NOTE")
    approve.add_argument("--key", type=Path, required=True, metavar="PEM")
    approve.add_argument("--name", required=True)
    approve.set_defaults(func=_approve)


def _replay(chosen: argparse.Namespace) -> int:
    until = chosen.until or datetime.now(UTC)
    with contextlib.ExitStack() as stack:
        candidate = stack.enter_context(_built(chosen.candidate))
        replay = Replay(candidate)
        if chosen.cases:
            base = stack.enter_context(_built(chosen.cases))
            for past in decided_cases(chosen.candidate, base):
                _show(replay.again(past), as_json=chosen.json)
        else:
            asyncio.run(_log(replay, chosen.since, until, as_json=chosen.json))
    summary = Summary(
        candidate=candidate.revision, until=until, count=replay.count, changes_sha256=replay.changes_sha256
    )
    print(msgspec.json.encode(summary).decode() if chosen.json else _told(summary))
    if summary.approved().changes and not _is_approved(chosen, summary.approved()):
        raise NotApproved(candidate=summary.candidate, changes=summary.approved().changes)
    return 0


async def _log(replay: Replay, since: datetime | None, until: datetime, *, as_json: bool) -> None:
    config = load()
    async with home_database(config) as database:
        async for past in past_decisions(database, Keys(config.path("keys")), since=since, until=until):
            _show(replay.again(past), as_json=as_json)


@contextlib.contextmanager
def _built(folder: Path) -> Iterator[KeptPolicy]:
    if not rules(folder):
        raise NoRules(path=str(folder))
    try:
        with built(opa(), folder) as policy:
            yield policy
    except BuildFailed as failed:
        raise PolicyRefused(said=str(failed)) from failed


def _show(change: Change | None, *, as_json: bool) -> None:
    if change is None:
        return
    if as_json:
        print(line(change).decode(), end="")
        return
    told = "DENY → ALLOW" if change.kind == "allowed" else "nới lỏng / loosened"
    print(f"{told}  {change.name}  {', '.join(change.what)}")


def _told(summary: Summary) -> str:
    count = summary.count
    return (
        f"{summary.candidate}: {count.decisions:,} quyết định / decisions: {count.same:,} như cũ / the same, "
        f"{count.stricter:,} chặt hơn / stricter, {count.allowed:,} DENY → ALLOW, {count.loosened:,} nới lỏng / "
        f"loosened, {count.undecided:,} không do quy tắc / by no rule\nsha256 {summary.changes_sha256}, "
        f"--until {summary.until.isoformat()}"
    )


def _is_approved(chosen: argparse.Namespace, approved: Approved) -> bool:
    if chosen.approval is None or chosen.people is None:
        return False
    try:
        return covers(chosen.approval.read_text(), approved, read_people(chosen.people.read_text()))
    except (Refused, OSError) as wrong:
        raise ApprovalRefused(detail=str(wrong)) from wrong


def _approve(chosen: argparse.Namespace) -> int:
    """The hash is computed anew from the lines that the person was shown, not taken from the summary."""
    try:
        *changes, last = chosen.report.read_bytes().splitlines(keepends=True)
        summary = msgspec.json.decode(last, type=Summary)
        approved = Approved(
            candidate=summary.candidate,
            changes=len(changes),
            changes_sha256=hashlib.sha256(b"".join(changes)).hexdigest(),
        )
        if approved != summary.approved():
            raise ValueError("the report's lines are not those of its summary")
        key = load_pem_private_key(chosen.key.read_bytes(), password=None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("not an Ed25519 key")
        begun = chosen.approval.read_text() if chosen.approval.exists() else None
        note = sign(approved, begun, name=chosen.name, key=key)
    except (ValueError, TypeError, OSError, msgspec.MsgspecError) as wrong:
        raise ApprovalRefused(detail=str(wrong)) from wrong
    chosen.approval.write_text(note)
    signer = str(verifier_key(chosen.name, key))
    print(msgspec.json.encode({"key": signer}).decode() if chosen.json else signer)
    return 0
