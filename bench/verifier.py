"""docs/verify.py: how fast it checks an exported log, beside the bare hashing of the same bytes."""

from __future__ import annotations

import hashlib
import secrets
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.figure import figure
from marketplace.audit import tree
from marketplace.audit.leaf import Leaf, leaf_data
from marketplace.audit.note import sign_checkpoint, verifier_key
from marketplace.audit.tiles import WIDTH, Tile, tile_path
from marketplace.verifier.folder import check_log
from marketplace.verifier.note import VerifierKey
from marketplace.verifier.refusal import holds

LEAVES = 262_144 + 100
ORIGIN = "bench.example/log"
LEAST_PER_S = 200_000
ROUNDS = 5


async def figures() -> list[dict[str, Any]]:
    """One log of a quarter million leaves, read from disk; the best of a few rounds of each."""
    with tempfile.TemporaryDirectory() as folder:
        key = _written(Path(folder))
        rounds = [(_checked(Path(folder), key), _hashed(Path(folder))) for _ in range(ROUNDS)]
    rate, bare = (LEAVES / min(seconds) for seconds in zip(*rounds, strict=True))
    told = figure("verify.py: leaves of an exported log checked", rate, "leaves/s", n=LEAVES, goal=LEAST_PER_S,
                  better="higher")  # fmt: skip
    ratio = figure("verify.py: beside SHA-256 alone over the same bytes", rate, "leaves/s", n=LEAVES,
                   baseline=bare, goal=0.3, better="higher")  # fmt: skip
    return [told, ratio]


def _checked(folder: Path, key: VerifierKey) -> float:
    began = time.perf_counter()
    if not holds(check_log(folder, key)):
        raise RuntimeError("the log that was just written does not check")
    return time.perf_counter() - began


def _written(folder: Path) -> VerifierKey:
    leaves = [leaf_data(Leaf(secrets.token_hex(32), secrets.token_hex(32))) for _ in range(LEAVES)]
    level, hashes = 0, [tree.leaf_hash(each) for each in leaves]
    root = tree.root_of(hashes)
    for number, bundle in enumerate(_parts(leaves)):
        data = b"".join(len(each).to_bytes(2, "big") + each for each in bundle)
        _write(folder, Tile(None, number, len(bundle)), data)
    while hashes:
        for number, part in enumerate(_parts(hashes)):
            _write(folder, Tile(level, number, len(part)), b"".join(part))
        hashes = [tree.root_of(part) for part in _parts(hashes) if len(part) == WIDTH]
        level += 1
    signer = Ed25519PrivateKey.generate()
    (folder / "checkpoint").write_text(sign_checkpoint(ORIGIN, signer, LEAVES, root))
    return verifier_key(ORIGIN, signer)


def _parts(items: list[bytes]) -> Iterator[list[bytes]]:
    return (items[start : start + WIDTH] for start in range(0, len(items), WIDTH))


def _write(folder: Path, tile: Tile, data: bytes) -> None:
    path = folder / "tile" / tile_path(tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _hashed(folder: Path) -> float:
    """Seconds to hash each leaf, and as many nodes, with nothing parsed, compared or read."""
    bundles = [path.read_bytes() for path in sorted((folder / "tile" / "entries").rglob("*")) if path.is_file()]
    leaves = [b"\0" + data[at + 2 : at + 145] for data in bundles for at in range(0, len(data), 145)]
    pair = secrets.token_bytes(65)
    sha256 = hashlib.sha256
    began = time.perf_counter()
    for leaf in leaves:
        sha256(leaf).digest()
        sha256(pair).digest()
    return time.perf_counter() - began
