"""`sandulieu audit …`: heads, proofs, exports, checks. What is a file verifies without database or network."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.check import check_log
from marketplace.audit.errors import KeyWrong, LogEmpty, OutsideLog, PublishedAway, Unreadable
from marketplace.audit.export import export_dataset, export_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import consistency_proof, inclusion_proof, newest_checkpoint
from marketplace.audit.publishing import published_log
from marketplace.audit.verify import verify_receipt
from marketplace.cli import archive, audit_search, witness
from marketplace.config import Config, load
from marketplace.db.engine import Database, database_url
from marketplace.db.keys import FACTS, Keys
from marketplace.inspection.look import Verdict, look
from marketplace.inspection.look import tell as tell_log
from marketplace.sources.bucket import StoreAway, StoreSaysNo
from marketplace.texts import LANGUAGES, message
from marketplace.verifier.command import Unusable, read, read_key, tell
from marketplace.verifier.dataset import MAX_EVENTS_BYTES, check_dataset
from marketplace.verifier.folder import check_log as check_folder
from marketplace.verifier.note import COSIGNATURE, ED25519, VerifierKey
from marketplace.verifier.refusal import Check

OK, FAILED, USAGE = 0, 1, 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """audit checkpoint, prove, verify, export, check, rotate, witness."""
    told = "nhật ký có bằng chứng / the provable log"
    verbs = subparsers.add_parser("audit", help=told).add_subparsers(dest="verb", required=True, metavar="VERB")

    head = _verb(verbs, "checkpoint", _checkpoint, "điểm kiểm tra mới nhất / the newest signed head")
    head.add_argument("--print-key", action="store_true", help="in khóa / print the verifier key instead")

    prove = _verb(verbs, "prove", _prove, "bằng chứng / a proof of inclusion or consistency")
    prove.add_argument("leaf", type=int, nargs="?", help="chỉ số lá / leaf index")
    prove.add_argument(
        "--size", type=int, help="kích thước cây / tree size (the newest checkpoint's, unless told)"
    )
    prove.add_argument(
        "--from-size", type=int, help="kích thước cũ / prove that the tree begins with this older one"
    )

    verify = _verb(verbs, "verify", _verify, "kiểm chứng / check a receipt, an exported log, or this home's log")
    verify.add_argument("path", type=Path, nargs="?", help="receipt.json | thư mục / folder of an exported log")
    verify.add_argument("--key", help="khóa đã lưu: tệp hoặc chuỗi / the pinned key: a file or its text")
    verify.add_argument("--policy", type=Path, metavar="FOLDER",
                        help="tính lại quyết định / decide again with this policy (policies export)")  # fmt: skip
    verify.add_argument("--seen", type=Path, action="append", default=[],
                        help="điểm kiểm tra từng giữ / a checkpoint kept from earlier (repeatable)")  # fmt: skip
    verify.add_argument("--dataset", type=Path, metavar="EVENTS",
                        help="không thiếu lần dùng nào / exported events: no use left out")  # fmt: skip
    verify.add_argument("--erased", action="store_true",
                        help="có muối đã bị xóa / with --dataset: salts of some were erased")  # fmt: skip
    verify.add_argument("--witness", action="append", default=[], metavar="KEY",
                        help="nhân chứng / a witness that must have cosigned (repeatable)")  # fmt: skip

    export = _verb(verbs, "export", _export, "xuất nhật ký công khai / write the public log as static tiles")
    export.add_argument("folder", type=Path)
    export.add_argument("--dataset", type=UUID, metavar="ID",
                        help="cả sự kiện của bộ dữ liệu / its events, too: for verify --dataset")  # fmt: skip

    _verb(
        verbs,
        "check",
        _check,
        "kiểm toán: hàng, ô, sổ / look at rows, tiles and books, and log the verdict",
    )
    audit_search.add_verbs(verbs)
    archive.add_verb(verbs)
    _verb(verbs, "rotate", _rotate, "khóa mới cho dữ kiện / a new key for facts, used from the next start")
    witness.add_verb(verbs)


def _verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], int], told: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=told, description=told)
    parser.add_argument("--json", action="store_true")
    parser.set_defaults(func=run)
    return parser


def _checkpoint(chosen: argparse.Namespace) -> int:
    config = load()
    key = str(_own_key(config))
    if chosen.print_key:
        print(_json({"key": key}) if chosen.json else key)
        return OK
    newest = _ask(config, newest_checkpoint)
    if newest is None:
        raise LogEmpty
    told = {"size": newest.size, "root": newest.root.hex(), "checkpoint": newest.note, "key": key}
    print(_json(told) if chosen.json else newest.note, end="\n" if chosen.json else "")
    return OK


def _prove(chosen: argparse.Namespace) -> int:
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

    print(_json(_ask(load(), prove)))
    return OK


def _export(chosen: argparse.Namespace) -> int:
    config = load()
    log, key = published_log(config), _own_key(config)
    try:
        size = _ask(config, lambda session: export_log(session, log, chosen.folder, key))
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    told: dict[str, Any] = {"folder": str(chosen.folder), "size": size}
    if chosen.dataset is not None:
        path, salt_key = chosen.folder / f"events-{chosen.dataset}", Keys(config.path("keys")).salt_key()
        told["events"] = str(path)
        _ask(config, lambda session: export_dataset(session, path, chosen.dataset, salt_key))
    print(_json(told) if chosen.json else f"{size} lá / leaves → {chosen.folder}")
    return OK


def _check(chosen: argparse.Namespace) -> int:
    config = load()

    async def check() -> Verdict:
        database = Database(database_url(config), connections=2)
        try:
            verdict = await look(database, Keys(config.path("keys")), config)
            await tell_log(database, verdict)
            return verdict
        finally:
            await database.close()

    try:
        verdict = asyncio.run(check())
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    lines = list(verdict.lines())
    if chosen.json:
        print(_json({"ok": verdict.whole, "size": verdict.size, "differences": lines}))
    else:
        print(*lines, f"{'✓' if verdict.whole else '✗'} {verdict.size} lá / leaves, {len(lines)} ≠", sep="\n")
    return OK if verdict.whole else FAILED


def _rotate(chosen: argparse.Namespace) -> int:
    key_id = Keys(load().path("keys")).rotate_facts()
    print(_json({"key_id": key_id}) if chosen.json else f"{FACTS}{key_id}")
    return OK


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.path is None:
        return _verify_database(chosen)
    if chosen.key is None:
        print("--key FILE | KEY", file=sys.stderr)
        return USAGE
    try:
        key = _pinned(chosen.key)
        witnesses = tuple(_pinned(each, COSIGNATURE) for each in chosen.witness)
        if chosen.path.is_dir():
            return tell(_check_folder(chosen, key, witnesses), as_json=chosen.json)
        verified = verify_receipt(read(chosen.path), key, _policy_folder(chosen.policy), witnesses)
    except KeyWrong as wrong:
        _tell(wrong.code, {})
        return USAGE
    except OSError as e:
        _tell(Unreadable.code, {"path": e.filename or chosen.path})
        return USAGE
    code = tell(verified.checks, as_json=chosen.json)
    if verified.ok and verified.receipt is not None and not chosen.json:
        receipt = verified.receipt
        price = "" if receipt.price_vnd is None else f", {receipt.price_vnd:,} đ"
        print(f"✓ biên nhận đúng / the receipt holds: {receipt.decision_id}{price}")
    return code


def _check_folder(
    chosen: argparse.Namespace, key: VerifierKey, witnesses: tuple[VerifierKey, ...]
) -> tuple[Check, ...]:
    if chosen.dataset is not None:
        events = read(chosen.dataset, MAX_EVENTS_BYTES)
        return check_dataset(chosen.path, events, key, witnesses=witnesses, erased=chosen.erased)
    return check_folder(chosen.path, key, seen=[read(each) for each in chosen.seen], witnesses=witnesses)


def _policy_folder(given: Path | None) -> Path | None:
    """The folder itself, or the one that a policy.wasm lies in."""
    return given.parent if given is not None and given.is_file() else given


def _verify_database(chosen: argparse.Namespace) -> int:
    config = load()
    key = _pinned(chosen.key) if chosen.key else _own_key(config)
    try:
        shown = published_log(config).checkpoint()
    except (StoreAway, StoreSaysNo) as away:
        raise PublishedAway from away
    seen = [*(path.read_text() for path in chosen.seen), *([shown] if shown else ())]
    salt_key = Keys(config.path("keys")).salt_key()
    findings = _ask(config, lambda session: check_log(session, key, seen=seen, salt_key=salt_key))
    if chosen.json:
        print(_json({"ok": not findings, "findings": findings}))
    else:
        for finding in findings:
            _tell(finding.code, {"where": finding.where})
        print("✓ nhật ký nguyên vẹn / the log is whole" if not findings else f"✗ {len(findings)}")
    return FAILED if findings else OK


def _pinned(given: str, kind: int = ED25519) -> VerifierKey:
    """A verifier key from its text, or from the file so named. Raises KeyWrong."""
    try:
        return read_key(given, kind)
    except Unusable as e:
        raise KeyWrong from e


def _own_key(config: Config) -> VerifierKey:
    return verifier_key(config.log_origin, Keys(config.path("keys")).log_signing())


def _ask(config: Config, read: Callable[[AsyncSession], Awaitable[Any]]) -> Any:
    """One read in a unit of work of its own."""

    async def run() -> Any:
        database = Database(database_url(config), connections=1)
        try:
            async with database.session() as session:
                return await read(session)
        finally:
            await database.close()

    return asyncio.run(run())


def _tell(code: str, params: dict[str, object]) -> None:
    for language in LANGUAGES:
        said = message(code, params, language)
        print(f"{said.what} {said.why} {said.next}", file=sys.stderr)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
