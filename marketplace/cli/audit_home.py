"""The verbs of `sandulieu audit` that ask this home's database or keys."""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.check import check_log
from marketplace.audit.errors import LogEmpty, OutsideLog, PublishedAway
from marketplace.audit.export import export_dataset, export_log
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import consistency_proof, inclusion_proof, newest_checkpoint
from marketplace.audit.refusing import admit as admit_event
from marketplace.cli.audit import FAILED, OK, USAGE, pinned, tell_code
from marketplace.cli.home_database import home_database, in_home_database
from marketplace.config import Config, load
from marketplace.db.base import utcnow
from marketplace.db.keys import FACTS, Keys
from marketplace.inspection.look import Verdict, look
from marketplace.inspection.look import tell as tell_log
from marketplace.sources.bucket import StoreAway, StoreSaysNo
from marketplace.verifier.note import VerifierKey


def checkpoint(chosen: argparse.Namespace) -> int:
    """The newest signed head, or the key it is signed with. Raises LogEmpty."""
    config = load()
    key = str(_own_key(config))
    if chosen.print_key:
        print(_json({"key": key}) if chosen.json else key)
        return OK
    newest = in_home_database(config, newest_checkpoint)
    if newest is None:
        raise LogEmpty
    told = {"size": newest.size, "root": newest.root.hex(), "checkpoint": newest.note, "key": key}
    print(_json(told) if chosen.json else newest.note, end="\n" if chosen.json else "")
    return OK


def prove(chosen: argparse.Namespace) -> int:
    """A proof of inclusion or of consistency. Raises OutsideLog."""
    if (chosen.leaf is None) == (chosen.from_size is None):
        print("LEAF | --from-size SIZE", file=sys.stderr)
        return USAGE

    async def prove(session: AsyncSession) -> Any:
        newest = await newest_checkpoint(session)
        size = chosen.size if chosen.size is not None else (newest.size if newest else 0)
        if newest is None or size > newest.size:
            raise OutsideLog(size=newest.size if newest else 0)
        try:
            if chosen.leaf is not None:
                return await inclusion_proof(session, chosen.leaf, size)
            return await consistency_proof(session, chosen.from_size, size)
        except ValueError as e:
            raise OutsideLog(size=newest.size) from e

    print(_json(in_home_database(load(), prove)))
    return OK


def export(chosen: argparse.Namespace) -> int:
    """The public log as files, and with --dataset its events. Raises PublishedAway."""
    config = load()
    log, key = published_log(config), _own_key(config)
    try:
        size = in_home_database(config, lambda session: export_log(session, log, chosen.folder, key))
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    told: dict[str, Any] = {"folder": str(chosen.folder), "size": size}
    if chosen.dataset is not None:
        path, salt_key = chosen.folder / f"events-{chosen.dataset}", Keys(config.path("keys")).salt_key()
        told["events"] = str(path)
        in_home_database(config, lambda session: export_dataset(session, path, chosen.dataset, salt_key))
    print(_json(told) if chosen.json else f"{size} lá / leaves → {chosen.folder}")
    return OK


def check(chosen: argparse.Namespace) -> int:
    """Rows, tiles and books, looked at; the verdict is logged. Raises PublishedAway."""
    config = load()
    keys = Keys(config.path("keys"))

    async def check() -> Verdict:
        async with home_database(config, connections=2) as database:
            verdict = await look(database, keys, config)
            await tell_log(database, keys, verdict, at=utcnow())
            return verdict

    try:
        verdict = asyncio.run(check())
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    lines = list(verdict.lines())
    if chosen.json:
        print(_json({"ok": verdict.whole, "size": verdict.size, "differences": lines}))
    else:
        print(*lines, f"{'✓' if verdict.whole else '✗'} {verdict.size} lá / leaves, {len(lines)} ≠", sep="\n")
        _explain(verdict)
    return OK if verdict.whole else FAILED


def _explain(verdict: Verdict) -> None:
    """What each finding means, and what to do."""
    for finding in verdict.rows:
        tell_code(finding.code, {"where": finding.where})
    for each in verdict.published:
        print(f"{each.vi}\n{each.en}", file=sys.stderr)
    if not verdict.whole:
        tell_code("log.differs", {})


def admit(chosen: argparse.Namespace) -> int:
    """A leaf after all for an event that was refused one. Raises NotAdmitted."""
    in_home_database(load(), lambda session: admit_event(session, chosen.event, reason=chosen.reason))
    print(_json({"event": chosen.event}) if chosen.json else f"✓ {chosen.event}")
    return OK


def rotate(chosen: argparse.Namespace) -> int:
    """A new key for facts."""
    key_id = Keys(load().path("keys")).rotate_facts()
    print(_json({"key_id": key_id}) if chosen.json else f"{FACTS}{key_id}")
    return OK


def verify(chosen: argparse.Namespace) -> int:
    """The log of this home against what it shows and showed. Raises PublishedAway, KeyWrong."""
    config = load()
    key = pinned(chosen.key) if chosen.key else _own_key(config)
    try:
        shown = published_log(config).checkpoint()
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    seen = [*(path.read_text() for path in chosen.seen), *([shown] if shown else ())]
    salt_key = Keys(config.path("keys")).salt_key()
    findings = in_home_database(config, lambda session: check_log(session, key, seen=seen, salt_key=salt_key))
    if chosen.json:
        print(_json({"ok": not findings, "findings": findings}))
    else:
        for finding in findings:
            tell_code(finding.code, {"where": finding.where})
        print("✓ nhật ký nguyên vẹn / the log is whole" if not findings else f"✗ {len(findings)} ≠")
    return FAILED if findings else OK


def _own_key(config: Config) -> VerifierKey:
    return verifier_key(config.log_origin, Keys(config.path("keys")).log_signing())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
