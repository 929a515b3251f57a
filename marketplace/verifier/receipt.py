"""A receipt: an event, the proof that it is in the log, and the facts that its edition opens."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from marketplace.verifier.bundle import is_bundle, unbundled
from marketplace.verifier.note import VerifierKey, cosigned_at, open_checkpoint
from marketplace.verifier.refusal import Check, Refused, checked
from marketplace.verifier.strict_json import Fraction, canonical, hex32, load, one_of, shaped
from marketplace.verifier.tree import EMPTY_ROOT, leaf_hash, node_hash, split, verify_inclusion

MAX_FACTS = 10_000
TEXT, NUMBER, OBJECT = (str,), (int,), (dict,)
MAYBE_TEXT, MAYBE_NUMBER, MAYBE_OBJECT = (str, type(None)), (int, type(None)), (dict, type(None))
FROM_EVENT = {"query_id": MAYBE_TEXT, "price_vnd": MAYBE_NUMBER, "purpose": MAYBE_TEXT, "version_id": MAYBE_TEXT,
              "revision": MAYBE_NUMBER}  # fmt: skip
FROM_BODY = {"outcome": MAYBE_TEXT, "decision": MAYBE_OBJECT, "usage": MAYBE_OBJECT, "columns": [TEXT],
             "result_sha256": MAYBE_TEXT}  # fmt: skip
EVENT = FROM_EVENT | {
    "id": TEXT, "at": NUMBER, "name": TEXT, "actor_person_id": MAYBE_TEXT, "actor_organisation_id": MAYBE_TEXT,
    "parties": [TEXT], "dataset_id": MAYBE_TEXT, "agreement_id": MAYBE_TEXT, "bytes": MAYBE_NUMBER, "body": OBJECT,
}  # fmt: skip
FACT = {"index": NUMBER, "name": TEXT, "value": TEXT, "salt": TEXT}
OPENED = {"size": NUMBER, "facts": [FACT], "closed": [TEXT]}
LOG = {"index": NUMBER, "leaf": TEXT, "inclusion": [TEXT], "checkpoint": TEXT}
RECEIPT = FROM_EVENT | FROM_BODY | {"version": NUMBER, "decision_id": MAYBE_TEXT, "event": EVENT, "salt": TEXT,
                                    "facts": MAYBE_OBJECT, "settled": MAYBE_OBJECT, "log": LOG}  # fmt: skip
TREES = ("facts", "settled")
VERSION = 4
FACT_LEAF = b"sandulieu fact/1\n"
LEAF_FORM = rb'\{"c":"([0-9a-f]{64})","l":"[0-9a-f]{64}"\}'
LEAF = re.compile(LEAF_FORM)


def check_receipt(data: bytes, key: VerifierKey, witnesses: Sequence[VerifierKey] = ()) -> tuple[Check, ...]:
    """Form, signature, inclusion, commitment to the event, repeated fields, opened facts."""
    read: list[dict[str, Any]] = []

    def form() -> str:
        read.append(read_receipt(data))
        return ""

    formed = checked("form", form)
    if not formed.ok:
        return (formed,)
    receipt = read[0]
    return (
        formed,
        checked("signature", signed_by, receipt["log"]["checkpoint"], key, witnesses),
        checked("inclusion", _inclusion, receipt["log"], key),
        checked("event", _event, receipt),
        checked("fields", _fields, receipt),
        checked("opened", _opened, receipt),
    )


def read_receipt(data: bytes) -> dict[str, Any]:
    """A receipt of this version, as JSON or as a tlog-proof, every field of its type. Raises Refused."""
    receipt: dict[str, Any] = unbundled(data) if is_bundle(data) else load(data)
    shaped(receipt, RECEIPT, "")
    for tree in TREES:
        if receipt[tree] is not None:
            shaped(receipt[tree], OPENED, tree)
    if receipt["version"] != VERSION:
        raise Refused("form.field", "version")
    return receipt


def signed_by(note: str, key: VerifierKey, witnesses: Sequence[VerifierKey]) -> str:
    """Origin and size of a checkpoint; its witnesses, and as of when each knew no longer log. Raises Refused."""
    head = open_checkpoint(note, key, witnesses)
    return ", ".join(
        (head.origin, str(head.size), *(f"{each.name} {cosigned_at(note, each)}" for each in witnesses))
    )


def _inclusion(log: Mapping[str, Any], key: VerifierKey) -> str:
    head = open_checkpoint(log["checkpoint"], key)
    proof = [hex32(each) for each in log["inclusion"]]
    if not verify_inclusion(leaf_hash(log["leaf"].encode()), log["index"], head.size, proof, head.root):
        raise Refused("inclusion.path", log["index"])
    return f"{log['index']} < {head.size}"


def _event(receipt: Mapping[str, Any]) -> str:
    log, event, salt = receipt["log"], receipt["event"], receipt["salt"]
    leaf = LEAF.fullmatch(log["leaf"].encode())
    if leaf is None:
        raise Refused("leaf.form", log["index"])
    if commitment(salt, event) != leaf[1]:
        raise Refused("event.commitment")
    return f"{event['name']} {receipt['decision_id'] or ''}".rstrip()


def commitment(salt: str, event: Mapping[str, Any]) -> bytes:
    """SHA-256(salt || canonical JSON of the event), in hexadecimal as the leaf has it. Raises Refused."""
    if re.fullmatch("(?:[0-9a-f]{2}){1,64}", salt) is None:
        raise Refused("form.hex", ascii(salt)[:80])
    return hashlib.sha256(bytes.fromhex(salt) + canonical(event).encode()).hexdigest().encode()


def repeated(event: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a receipt that repeat its event, taken from the event."""
    body = event["body"]
    fields = {name: event[name] for name in FROM_EVENT} | {name: body.get(name) for name in FROM_BODY}
    columns = fields["columns"] or ()
    fields["columns"] = tuple(columns) if isinstance(columns, list | tuple) else columns
    return fields | {"decision_id": body.get("decision_id", event["query_id"])}


def _fields(receipt: Mapping[str, Any]) -> str:
    for name, value in repeated(receipt["event"]).items():
        if canonical(receipt[name]) != canonical(value):  # as JSON, because in Python 1 == True
            raise Refused("fields.differ", name)
    return ""


def _opened(receipt: Mapping[str, Any]) -> str:
    """Of each tree, what is open and what is closed give the root in the event."""
    told = []
    for name in TREES:
        head, opened = receipt["event"]["body"].get(name), receipt[name]
        if opened is None and head is None:
            continue
        if opened is None or canonical(head) != canonical(
            {"root": opened_root(opened).hex(), "size": opened["size"]}
        ):
            raise Refused("facts.root", name)
        told.append(f"{name} {len(opened['facts'])} of {opened['size']}")
    return ", ".join(told)


def opened_root(opened: Mapping[str, Any]) -> bytes:
    """The root that opened facts and closed hashes give. Raises Refused: they are no edition of any tree."""
    facts, size = opened["facts"], opened["size"]
    names, indices = [fact["name"] for fact in facts], [fact["index"] for fact in facts]
    if not 0 <= size <= MAX_FACTS or names != sorted(set(names)) or indices != sorted(set(indices)):
        raise Refused("facts.order")
    if indices and not 0 <= indices[0] <= indices[-1] < size:
        raise Refused("facts.order")
    leaves = {fact["index"]: _fact_hash(fact) for fact in facts}
    closed = iter([hex32(each) for each in opened["closed"]])
    try:
        root = _subtree(0, size, indices, leaves, closed) if size else EMPTY_ROOT
    except StopIteration:
        raise Refused("facts.order") from None
    if next(closed, None) is not None:
        raise Refused("facts.order")
    return root


def _subtree(
    start: int, end: int, indices: Sequence[int], leaves: Mapping[int, bytes], closed: Iterator[bytes]
) -> bytes:
    """Of a part without an opened leaf the next closed hash, from left to right."""
    at = bisect_left(indices, start)
    if at == len(indices) or indices[at] >= end:
        return next(closed)
    if end - start == 1:
        return leaves[start]
    middle = start + split(end - start)
    left = _subtree(start, middle, indices, leaves, closed)
    return node_hash(left, _subtree(middle, end, indices, leaves, closed))


def _fact_hash(fact: Mapping[str, Any]) -> bytes:
    name, value = fact["name"], fact["value"]
    if re.fullmatch("[A-Za-z0-9_.]+", name) is None or canonical(one_of(value, Fraction)) != value:
        raise Refused("facts.value", ascii(name)[:80])
    return leaf_hash(FACT_LEAF + hex32(fact["salt"]) + f'["{name}",{value}]'.encode())
