"""What a verifier is given, made without a database: a log in a folder, its events, receipts, proofs."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from marketplace.audit import tree
from marketplace.audit.canonical import exact, plain
from marketplace.audit.commitment import commit
from marketplace.audit.facttree import FactTree, grow
from marketplace.audit.leaf import ALONE, Leaf, Place, chain_key, leaf_data, link
from marketplace.audit.note import sign_checkpoint, verifier_key
from marketplace.audit.receipt import Edition, LogProof, Receipt, encode, encode_bundle, opens
from marketplace.audit.settlement import Posted, opens_settled, settled_tree
from marketplace.audit.tiles import HEIGHT, WIDTH, Tile, tile_path
from marketplace.verifier.note import VerifierKey
from marketplace.verifier.receipt import repeated
from tests.policies.cases import question

AT_MS = 1_790_000_000_000
CHARGED = [Posted("query_charge", uuid4(), 1_234), Posted("share_owner", uuid4(), 900)]
SETTLED = settled_tree({"wall_us": 9, "cpu_us": 77, "peak_memory_bytes": 5}, CHARGED, bytes(32))
ORIGIN = "exchange.example/log"
NOTHING = dict.fromkeys(
    ("actor_person_id", "actor_organisation_id", "dataset_id", "agreement_id", "query_id", "purpose", "version_id",
     "revision", "bytes", "price_vnd"),
)  # fmt: skip


@dataclass
class Made:
    """A log of events; each is (event, salt in hex). Grows at its end only."""

    signer: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    salt_key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    events: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    leaves: list[bytes] = field(default_factory=list)
    places: list[Place | None] = field(default_factory=list)
    last: dict[UUID, Place] = field(default_factory=dict)
    frontier: list[bytes] = field(default_factory=list)
    nodes: dict[tree.Node, bytes] = field(default_factory=dict)

    @cached_property
    def key(self) -> VerifierKey:
        return verifier_key(ORIGIN, self.signer)

    def add(self, name: str = "test:event", *, dataset_id: UUID | None = None, **more: Any) -> int:
        """One event more; its leaf index."""
        fields: dict[str, Any] = NOTHING | {
            "id": uuid4(),
            "at": AT_MS,
            "name": name,
            "parties": [],
            "body": {},
        }
        event = plain(fields | {"dataset_id": dataset_id} | more)
        salt, commitment = commit(exact(event))
        place = ALONE
        if dataset_id in self.last:
            place = Place(self.last[dataset_id].n + 1, self.last[dataset_id].p)
        if dataset_id is not None:
            self.last[dataset_id] = Place(place.n, len(self.leaves))
        self.places.append(place if dataset_id else None)
        self.events.append((event, salt.hex()))
        key = chain_key(self.salt_key, dataset_id or fields["id"])
        self.leaves.append(leaf_data(Leaf(commitment.hex(), link(key, place))))
        self.nodes.update(tree.append(self.frontier, len(self.leaves) - 1, [tree.leaf_hash(self.leaves[-1])]))
        return len(self.leaves) - 1

    def root(self, size: int) -> bytes:
        return tree.fold([self.nodes[node] for node in tree.range_nodes(0, size)])

    def checkpoint(self, size: int | None = None) -> str:
        size = len(self.leaves) if size is None else size
        return sign_checkpoint(ORIGIN, self.signer, size, self.root(size))

    def inclusion(self, index: int) -> tuple[str, ...]:
        ranges = tree.inclusion_ranges(index, len(self.leaves))
        return tuple(each.hex() for each in tree.prove(ranges, self.nodes.__getitem__))

    def consistency(self, first: int, second: int) -> bytes:
        """As GET /api/v1/audit/consistency answers."""
        hashes = [
            each.hex() for each in tree.prove(tree.consistency_ranges(first, second), self.nodes.__getitem__)
        ]
        return json.dumps({"first": first, "second": second, "hashes": hashes}, separators=(",", ":")).encode()

    def write(self, folder: Path) -> Path:
        """The public log as `sandulieu audit export` writes it."""
        size, level = len(self.leaves), 0
        for start in range(0, size, WIDTH):
            bundle = self.leaves[start : start + WIDTH]
            data = b"".join(len(each).to_bytes(2, "big") + each for each in bundle)
            _write(folder, Tile(None, start // WIDTH, len(bundle)), data)
        while count := size >> (level * HEIGHT):
            for start in range(0, count, WIDTH):
                indices = range(start, min(start + WIDTH, count))
                data = b"".join(self.nodes[level * HEIGHT, index] for index in indices)
                _write(folder, Tile(level, start // WIDTH, len(indices)), data)
            level += 1
        (folder / "checkpoint").write_text(self.checkpoint())
        return folder

    def views(self, dataset_id: UUID) -> list[dict[str, Any]]:
        """The dataset's events as GET /api/v1/audit/events gives them to its owner."""
        return [
            event | {"salt": salt, "leaf_index": index, "dataset_counter": place.n, "dataset_previous": place.p,
                     "commitment": json.loads(self.leaves[index])["c"]}
            for index, ((event, salt), place) in enumerate(zip(self.events, self.places, strict=True))
            if event["dataset_id"] == str(dataset_id) and place is not None
        ]  # fmt: skip

    def completeness(self, dataset_id: UUID) -> dict[str, Any]:
        """As GET /api/v1/audit/completeness/{dataset_id} answers its owner."""
        return {"leaves": 1, "newest": 0, "wrong": [], "chain_key": chain_key(self.salt_key, dataset_id).hex()}


def _write(folder: Path, tile: Tile, data: bytes) -> None:
    path = folder / "tile" / tile_path(tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def receipt_of(log: Made, *, edition: Edition = "startup", facts: FactTree | None = None) -> bytes:
    """A settled query among some other events, as its receipt."""
    return encode(receipt(log, edition=edition, facts=facts))


def bundle_of(log: Made, *, edition: Edition = "startup", facts: FactTree | None = None) -> bytes:
    """The same as a tlog-proof."""
    return encode_bundle(receipt(log, edition=edition, facts=facts))


def receipt(log: Made, *, edition: Edition, facts: FactTree | None) -> Receipt:
    """A settled query among some other events, as its receipt."""
    facts = facts or grow(question("rows", {}), "select tuổi from adult")
    query_id = uuid4()
    body = {
        "decision": {"allow": True, "reasons": []}, "facts": facts.head, "usage": {"rows": 7},
        "settled": SETTLED.head, "columns": ["tuổi"], "outcome": "ready", "result_sha256": "cd" * 32,
    }  # fmt: skip
    for _ in range(3):
        log.add()
    index = log.add(
        "query:settle", dataset_id=uuid4(), query_id=query_id, purpose="research.academic", version_id="ab" * 32,
        revision=2, bytes=9, price_vnd=1_234, body=body, parties=[uuid4()],
    )  # fmt: skip
    log.add()
    event, salt = log.events[index]
    proof = LogProof(index, log.leaves[index].decode(), log.inclusion(index), log.checkpoint())
    opened = facts.opened(lambda name: opens("access", edition, name))
    return Receipt(version=4, **repeated(event), event=event, salt=salt, facts=opened, log=proof,
                   settled=SETTLED.opened(lambda name: opens_settled(edition, name)))  # fmt: skip


def document(receipt: bytes) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(receipt)
    return found
