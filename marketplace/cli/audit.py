"""`sandulieu audit …`: heads, proofs, exports, checks. What is a file verifies without database or network."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from marketplace.audit.errors import KeyWrong, NotOpen, Unreadable
from marketplace.audit.verify import Verification, verify_receipt
from marketplace.cli import audit_search, witness
from marketplace.texts import LANGUAGES, message
from marketplace.verifier.command import Unusable, read, read_key, tell
from marketplace.verifier.dataset import MAX_EVENTS_BYTES, check_dataset
from marketplace.verifier.folder import check_log as check_folder
from marketplace.verifier.note import COSIGNATURE, ED25519, VerifierKey
from marketplace.verifier.refusal import Check

OK, FAILED, USAGE = 0, 1, 2


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """audit checkpoint, prove, verify, export, check, admit, rotate, witness."""
    verbs = subparsers.add_parser("audit").add_subparsers(dest="verb", required=True, metavar="VERB")

    head = _verb(verbs, "checkpoint", _at_home("checkpoint"))
    head.add_argument("--print-key", action="store_true")
    _add_prove(verbs)
    _add_verify(verbs)
    _add_export(verbs)
    _verb(verbs, "check", _at_home("check"))
    audit_search.add_verbs(verbs)
    _add_archive(verbs)
    _add_admit(verbs)
    _verb(verbs, "rotate", _at_home("rotate"))
    witness.add_verb(verbs)


def _add_prove(verbs: Any) -> None:
    prove = _verb(verbs, "prove", _at_home("prove"))
    prove.add_argument("leaf", type=int, nargs="?")
    prove.add_argument("--size", type=int)
    prove.add_argument("--from-size", type=int)


def _add_verify(verbs: Any) -> None:
    verify = _verb(verbs, "verify", _verify)
    verify.add_argument("path", type=Path, nargs="?")
    _add_key(verify)
    verify.add_argument("--policy", type=Path, metavar="FOLDER")
    verify.add_argument("--seen", type=Path, action="append", default=[])
    verify.add_argument("--dataset", type=Path, metavar="EVENTS")
    verify.add_argument("--erased", action="store_true")
    verify.add_argument("--witness", action="append", default=[], metavar="KEY")


def _add_export(verbs: Any) -> None:
    export = _verb(verbs, "export", _at_home("export"))
    export.add_argument("folder", type=Path)
    export.add_argument("--dataset", type=UUID, metavar="ID")


def _add_admit(verbs: Any) -> None:
    admit = _verb(verbs, "admit", _at_home("admit"))
    admit.add_argument("event", type=UUID)
    admit.add_argument("--reason", required=True)


def _add_archive(verbs: Any) -> None:
    archive = _verb(verbs, "archive", _later("archive", "archive"))
    archive.add_argument("folder", type=Path, nargs="?")
    _add_key(archive)


def _add_key(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--key")


def _verb(verbs: Any, name: str, run: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name)
    parser.set_defaults(func=run)
    return parser


def _later(module: str, verb: str) -> Callable[[argparse.Namespace], int]:
    """Imported when it runs: who verifies a file need not wait for the database's libraries."""

    def run(chosen: argparse.Namespace) -> int:
        found: Callable[[argparse.Namespace], int] = getattr(import_module(f"marketplace.cli.{module}"), verb)
        return found(chosen)

    return run


def _at_home(verb: str) -> Callable[[argparse.Namespace], int]:
    return _later("audit_home", verb)


def _verify(chosen: argparse.Namespace) -> int:
    if chosen.path is None:
        return _at_home("verify")(chosen)
    if chosen.key is None:
        tell_code("command.key", {})
        return USAGE
    try:
        key = pinned(chosen.key)
        witnesses = tuple(pinned(each, COSIGNATURE) for each in chosen.witness)
        if chosen.path.is_dir():
            return tell(_check_folder(chosen, key, witnesses), as_json=chosen.json)
        folder = _policy_folder(chosen.policy)
        verified = _verified(read(chosen.path), key, folder, witnesses)
    except KeyWrong as wrong:
        tell_code(wrong.code, {})
        return USAGE
    except OSError as e:
        tell_code(Unreadable.code, {"path": e.filename or chosen.path})
        return USAGE
    except NotOpen as closed:
        tell_code(closed.code, {})
        return USAGE
    code = tell(verified.checks, as_json=chosen.json)
    if verified.ok and verified.receipt is not None and not chosen.json:
        receipt = verified.receipt
        price = "" if receipt.price_vnd is None else f", {receipt.price_vnd:,} đ"
        print(f"✓ biên nhận đúng / the receipt holds: {receipt.decision_id}{price}")
    return code


def _verified(
    data: bytes, key: VerifierKey, folder: Path | None, witnesses: tuple[VerifierKey, ...]
) -> Verification:
    """With a policy's folder the decision anew. Raises NotOpen: for that every fact has to be read."""
    verified = verify_receipt(data, key, None, witnesses)
    if folder is None or verified.receipt is None:
        return verified
    if verified.receipt.facts is not None and verified.receipt.facts.closed:
        raise NotOpen
    return verify_receipt(data, key, folder, witnesses)


def _check_folder(
    chosen: argparse.Namespace, key: VerifierKey, witnesses: tuple[VerifierKey, ...]
) -> tuple[Check, ...]:
    if chosen.dataset is not None:
        events = read(chosen.dataset, MAX_EVENTS_BYTES)
        return check_dataset(chosen.path, events, key, witnesses=witnesses, erased=chosen.erased)
    return check_folder(chosen.path, key, seen=[read(each) for each in chosen.seen], witnesses=witnesses)


def _policy_folder(given: Path | None) -> Path | None:
    """The folder itself, or the one that a policy.wasm lies in. Raises OSError."""
    if given is not None:
        given.stat()
    return given.parent if given is not None and given.is_file() else given


def pinned(given: str, kind: int = ED25519) -> VerifierKey:
    """A verifier key from its text, or from the file so named. Raises KeyWrong."""
    try:
        return read_key(given, kind)
    except Unusable as e:
        raise KeyWrong from e


def tell_code(code: str, params: dict[str, object]) -> None:
    """A message in both languages, on standard error."""
    for language in LANGUAGES:
        said = message(code, params, language)
        print(f"{said.what} {said.why} {said.next}", file=sys.stderr)
