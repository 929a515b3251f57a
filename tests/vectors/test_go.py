"""What we make of the log, judged by Go's own tree and note code and by another's cosignatures and tlog-proofs."""

from __future__ import annotations

import json
import os
import random
import subprocess
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace

from marketplace.audit import tree
from marketplace.audit.receipt import encode_bundle
from marketplace.verifier.note import COSIGNATURE, VerifierKey
from marketplace.verifier.tree import verify_consistency, verify_inclusion
from marketplace.witness.cosigning import cosignature_line
from tests.marketplace.verifier.material import Made, receipt
from tests.vectors.build import judge
from tools.fetch import FetchFailed

SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 600)
WITNESS = "witness.example/w1"
TIME_S = 1_790_000_000


@pytest.fixture(scope="module")
def program() -> Path:
    """Missing: a loud skip here, a failure in CI."""
    try:
        return judge()
    except FetchFailed as failed:
        if os.environ.get("CI"):
            pytest.fail(str(failed))
        warnings.warn(f"NOT CHECKED BY GO: {failed}", stacklevel=1)
        pytest.skip(str(failed))


@pytest.fixture(scope="module")
def log() -> Made:
    made, dataset = Made(), uuid4()
    for n in range(600):
        made.add(dataset_id=dataset if n % 2 else None)
    return made


def test_go_says_the_same_of_everything_we_make(program: Path, log: Made, tmp_path: Path) -> None:
    signer = Ed25519PrivateKey.generate()
    witness = VerifierKey(WITNESS, signer.public_key().public_bytes_raw(), COSIGNATURE)
    draw = random.Random(6)
    vectors: dict[str, Any] = {
        "key": str(log.key),
        "witness": str(witness),
        "checkpoints": checkpoints(log, signer),
        "inclusion": [each for size in SIZES for each in inclusions(log, size, draw)],
        "consistency": [each for first in SIZES for second in SIZES if first <= second
                        for each in consistencies(log, first, second, draw)],
        "folder": str(log.write(tmp_path / "log")),
    }  # fmt: skip
    vectors["proofs"] = bundles(log, signer)
    assert {each["holds"] for each in vectors["inclusion"]} == {True, False}
    given = tmp_path / "vectors.json"
    given.write_text(json.dumps(vectors))
    done = subprocess.run([program, given], capture_output=True, text=True, timeout=60, check=False)
    assert done.stderr == ""
    told = json.loads(done.stdout)
    assert (done.returncode, told["wrong"]) == (0, None)
    counted = [len(each) for each in (vectors["inclusion"], vectors["consistency"], vectors["proofs"])]
    assert told["checked"] == sum(counted) + 2 * len(vectors["checkpoints"]) + 1


def cosigned(note: str, signer: Ed25519PrivateKey) -> str:
    text = note.rpartition("\n\n")[0] + "\n"
    return note + cosignature_line(text, WITNESS, signer, TIME_S)


def checkpoints(log: Made, signer: Ed25519PrivateKey) -> list[dict[str, Any]]:
    """Signed, cosigned, by somebody else, and with another size."""
    found = []
    for size in SIZES:
        note, root = log.checkpoint(size), log.root(size).hex()
        strange = Made()
        strange.add()
        more = cosigned(note, signer)
        found += [
            {"note": note, "size": size, "root": root, "signed": True, "cosigned": False},
            {"note": more, "size": size, "root": root, "signed": True, "cosigned": True},
            {"note": more.replace(f"\n{size}\n", f"\n{size}0\n"), "size": size * 10, "root": root,
             "signed": False, "cosigned": False},
            {"note": strange.checkpoint(), "size": 1, "root": strange.root(1).hex(), "signed": False,
             "cosigned": False},
        ]  # fmt: skip
    return found


def inclusions(log: Made, size: int, draw: random.Random) -> list[dict[str, Any]]:
    """Each as it is, and with one thing changed; `holds` is what our verifier says."""
    found = []
    for index in {0, size - 1, draw.randrange(size)}:
        proof = tree.prove(tree.inclusion_ranges(index, size), log.nodes.__getitem__)
        for path in (proof, spoilt(proof, draw), [*proof, log.root(1)], proof[:-1]):
            for root in (log.root(size), log.root(max(1, size - 1))):
                leaf = log.leaves[index]
                holds = verify_inclusion(tree.leaf_hash(leaf), index, size, path, root)
                found.append({"leaf": leaf.decode(), "index": index, "size": size, "root": root.hex(),
                              "hashes": [each.hex() for each in path], "holds": holds})  # fmt: skip
    return found


def consistencies(log: Made, first: int, second: int, draw: random.Random) -> list[dict[str, Any]]:
    proof = tree.prove(tree.consistency_ranges(first, second), log.nodes.__getitem__)
    found = []
    for path in (proof, spoilt(proof, draw), [*proof, log.root(1)], proof[:-1]):
        for old in (log.root(first), log.root(2)):
            holds = verify_consistency(first, second, old, log.root(second), path)
            found.append({"first": first, "second": second, "firstRoot": old.hex(),
                          "secondRoot": log.root(second).hex(), "hashes": [each.hex() for each in path],
                          "holds": holds})  # fmt: skip
    return found


def spoilt(proof: Sequence[bytes], draw: random.Random) -> list[bytes]:
    """One bit is another, if there is one."""
    changed = list(proof)
    if changed:
        at = draw.randrange(len(changed))
        changed[at] = bytes([changed[at][0] ^ 1]) + changed[at][1:]
    return changed


def bundles(log: Made, signer: Ed25519PrivateKey) -> list[dict[str, Any]]:
    """Receipts as tlog-proofs: with both signatures, without the witness's, and of another leaf."""
    made = receipt(log, edition="regulator", facts=None)
    both = encode_bundle(replace(made, log=replace(made.log, checkpoint=cosigned(made.log.checkpoint, signer))))
    return [
        {"bundle": both.decode(), "leaf": made.log.leaf, "holds": True},
        {"bundle": encode_bundle(made).decode(), "leaf": made.log.leaf, "holds": False},
        {"bundle": both.decode(), "leaf": log.leaves[0].decode(), "holds": False},
    ]
