"""Checks a receipt offline against a pinned key: no database, no network, nothing believed but the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from marketplace.audit import tree
from marketplace.audit.canonical import exact
from marketplace.audit.commitment import commitment
from marketplace.audit.facttree import root_of
from marketplace.audit.leaf import read_leaf
from marketplace.audit.note import NoteRefused, VerifierKey, open_checkpoint
from marketplace.audit.receipt import Receipt, repeated

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 50


class Check(msgspec.Struct, frozen=True):
    """One thing that was checked; `detail` names what it was about, never a secret."""

    name: str
    ok: bool
    detail: str = ""


class Verification(msgspec.Struct, frozen=True):
    """ok: every check holds. `receipt` is None where it could not even be read."""

    ok: bool
    checks: tuple[Check, ...]
    receipt: Receipt | None = None


class _Failed(Exception):
    pass


def verify_receipt(
    receipt_json: bytes, public_key: VerifierKey, policy_folder: Path | None = None
) -> Verification:
    """Form, signature, inclusion, commitment to the event, repeated fields, opened facts.

    With the folder of a kept policy also: policy, facts, and the decision computed again.
    """
    try:
        receipt = _read(receipt_json)
    except (ValueError, RecursionError) as e:
        return Verification(False, (Check("form", False, str(e)),))
    checks = [
        Check("form", True),
        _check("signature", _signature, receipt, public_key),
        _check("inclusion", _inclusion, receipt, public_key),
        _check("event", _event, receipt),
        _check("fields", _fields, receipt),
        _check("opened", _opened, receipt),
        *(_again(receipt, policy_folder) if policy_folder else ()),
    ]
    return Verification(all(check.ok for check in checks), tuple(checks), receipt)


def _again(receipt: Receipt, folder: Path) -> Iterator[Check]:
    # Here, because the engine takes a tenth of a second to import, and most receipts are verified without.
    from marketplace.audit.again import Differs, checks

    for name, rule in checks(receipt, folder):
        try:
            yield Check(name, True, rule())
        except Differs as differs:
            yield Check(name, False, str(differs))


def _check(name: str, rule: Any, *arguments: Any) -> Check:
    try:
        return Check(name, True, rule(*arguments))
    except (_Failed, NoteRefused, ValueError, KeyError, TypeError) as e:
        return Check(name, False, str(e) or type(e).__name__)


def _read(data: bytes) -> Receipt:
    if len(data) > MAX_BYTES:
        raise ValueError(f"larger than {MAX_BYTES} bytes")
    # msgspec and json keep the last of two equal keys; a reader of the file might look at the first.
    json.loads(data, object_pairs_hook=_unique)
    return msgspec.json.decode(data, type=Receipt)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a key stands twice")
    return result


def _signature(receipt: Receipt, key: VerifierKey) -> str:
    head = open_checkpoint(receipt.log.checkpoint, key)
    return f"{head.origin}, {head.size}"


def _inclusion(receipt: Receipt, key: VerifierKey) -> str:
    head = open_checkpoint(receipt.log.checkpoint, key)
    proof = [_hex(each) for each in receipt.log.inclusion]
    leaf = tree.leaf_hash(receipt.log.leaf.encode())
    if not tree.verify_inclusion(leaf, receipt.log.index, head.size, proof, head.root):
        raise _Failed("the proof does not lead from the leaf to the signed root")
    return f"{receipt.log.index} < {head.size}"


def _event(receipt: Receipt) -> str:
    leaf = read_leaf(receipt.log.leaf)
    if commitment(_hex(receipt.salt), exact(receipt.event)).hex() != leaf.c:
        raise _Failed("the event and its salt do not open the leaf's commitment")
    return str(receipt.event["name"])


def _fields(receipt: Receipt) -> str:
    for name, value in repeated(receipt.event).items():
        # As JSON, because in Python 1 == True == 1.0.
        if exact(getattr(receipt, name)) != exact(value):
            raise _Failed(name)
    return ""


def _opened(receipt: Receipt) -> str:
    """What is open and what is closed give the root in the event."""
    head = receipt.event["body"].get("facts")
    if receipt.facts is None:
        if head is not None:
            raise _Failed("the event holds a root of facts, and the receipt none")
        return "no facts"
    if exact(head) != exact({"root": root_of(receipt.facts).hex(), "size": receipt.facts.size}):
        raise _Failed("the facts do not lead to the root in the event")
    return f"{len(receipt.facts.facts)} of {receipt.facts.size}"


def _hex(text: str) -> bytes:
    data = bytes.fromhex(text)
    if data.hex() != text:
        raise _Failed("not lower-case hexadecimal")
    return data
