"""A verifier written from docs/verify.md alone: standard library and Ed25519, nothing of ours."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from marketplace.audit.receipt import encode
from tests.marketplace.audit.conftest import Log
from tests.marketplace.audit.test_receipt import receipt_of


def canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def sha256(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:
    """RFC 6962, recursively: the sibling is on the side where the leaf is not."""
    if size == 1:
        assert not proof
        return leaf
    half = 1 << ((size - 1).bit_length() - 1)
    *below, sibling = proof
    if index < half:
        return sha256(b"\x01", root_from(leaf, index, half, below), sibling)
    return sha256(b"\x01", sibling, root_from(leaf, index - half, size - half, below))


def verify(receipt: dict[str, Any], verifier_key: str) -> None:
    name, key_id, encoded = verifier_key.split("+", 2)
    public = base64.b64decode(encoded)
    assert sha256(name.encode(), b"\n", public)[:4].hex() == key_id
    text, _, signature_line = receipt["log"]["checkpoint"].rpartition("\n\n")
    signature = base64.b64decode(signature_line.strip().split(" ")[2])
    assert signature[:4].hex() == key_id
    Ed25519PublicKey.from_public_bytes(public[1:]).verify(signature[4:], f"{text}\n".encode())
    origin, size, root = text.split("\n")
    assert origin == name

    leaf = receipt["log"]["leaf"]
    proof = [bytes.fromhex(each) for each in receipt["log"]["inclusion"]]
    computed = root_from(sha256(b"\x00", leaf.encode()), receipt["log"]["index"], int(size), proof)
    assert computed == base64.b64decode(root)
    event, salt = receipt["event"], bytes.fromhex(receipt["salt"])
    assert sha256(salt, canonical(event)).hex() == json.loads(leaf)["c"]
    for field in ("query_id", "purpose", "price_vnd", "version_id", "revision"):
        assert receipt[field] == event[field]
    for field in ("outcome", "decision", "usage", "columns", "result_sha256"):
        assert receipt[field] == event["body"][field]
    facts = receipt["facts"]
    leaves = {fact["index"]: leaf_of(fact) for fact in facts["facts"]}
    closed = [bytes.fromhex(each) for each in facts["closed"]]
    root = root_over(0, facts["size"], leaves, closed)
    assert event["body"]["facts"] == {"root": root.hex(), "size": facts["size"]}
    assert not closed


def leaf_of(fact: dict[str, Any]) -> bytes:
    assert canonical(json.loads(fact["value"])).decode() == fact["value"]
    data = f'["{fact["name"]}",{fact["value"]}]'.encode()
    return sha256(b"\x00sandulieu fact/1\n", bytes.fromhex(fact["salt"]), data)


def root_over(start: int, end: int, leaves: dict[int, bytes], closed: list[bytes]) -> bytes:
    """What is closed is taken from the left, one hash for each largest subtree in which nothing is open."""
    if not any(start <= index < end for index in leaves):
        return closed.pop(0)
    if end - start == 1:
        return leaves[start]
    middle = start + (1 << ((end - start - 1).bit_length() - 1))
    left = root_over(start, middle, leaves, closed)
    return sha256(b"\x01", left, root_over(middle, end, leaves, closed))


async def test_a_stranger_can_verify_a_receipt_with_the_documentation_alone(log: Log) -> None:
    receipt = json.loads(encode(await receipt_of(log)))
    assert "wallet.available_vnd" in {fact["name"] for fact in receipt["facts"]["facts"]}
    verify(receipt, str(log.key))
