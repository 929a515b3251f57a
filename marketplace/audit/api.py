"""HTTP face of the log: heads, tiles and proofs for everybody, for they name nobody; receipts for parties."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Annotated, TypeVar
from uuid import UUID

from litestar import Response, get
from litestar.params import HeaderParameter
from litestar.types import ControllerRouterHandler
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Caller
from marketplace.audit.errors import LogEmpty, NotWitnessed, OutsideLog, PublishedAway
from marketplace.audit.log_store import published_log
from marketplace.audit.note import verifier_key
from marketplace.audit.proofs import (
    ConsistencyProof,
    InclusionProof,
    consistency_proof,
    inclusion_proof,
    newest_checkpoint,
    with_cosignatures,
    witnessed_checkpoint,
)
from marketplace.audit.published import PublishedBroken, PublishedLog, read_tile
from marketplace.audit.publishing import READERS
from marketplace.audit.reads import Completeness, View, Viewer, completeness, concerns
from marketplace.audit.receipt import served
from marketplace.audit.receipts import receipt_for
from marketplace.audit.tiles import WIDTH, parse_tile
from marketplace.config import Config
from marketplace.db.keys import Keys
from marketplace.errors import Forbidden, NotFound, Problem

NOTE = "text/plain"
_T = TypeVar("_T")
Accepted = Annotated[str | None, HeaderParameter(name="Accept")]
FOREVER = "public, max-age=31536000, immutable"
VIEWS: dict[str, View] = {
    "regulator": "regulator", "operator": "operator", "owner": "owner", "startup": "startup",
}  # fmt: skip


def viewer_of(caller: Caller) -> Viewer:
    """What of the log a caller may see. Raises Forbidden, ScopeMissing."""
    caller.require("audit")
    view = VIEWS.get(caller.organisation_kind)
    role = {"regulator": "reader", "operator": "operator"}.get(caller.organisation_kind)
    if view is None or (role is not None and role not in caller.roles):
        raise Forbidden(needs=f"{caller.organisation_kind}:{role or '*'}")
    return Viewer(caller.person_id, caller.organisation_id, view)


@get("/api/v1/audit/completeness/{dataset_id:uuid}", operation_id="checkCompleteness")
async def check_completeness(session: AsyncSession, caller: Caller, keys: Keys, dataset_id: UUID) -> Completeness:
    """Whether the dataset's chain has no gap, and its key; for its owners and the regulator."""
    viewer = viewer_of(caller)
    # Not for startups: it counts what others asked.
    if viewer.view not in ("owner", "regulator") or not await concerns(session, viewer, dataset_id):
        raise NotFound
    return await completeness(session, dataset_id, salt_key=keys.salt_key())


@get("/api/v1/audit/checkpoint", operation_id="readCheckpoint")
async def read_checkpoint(session: AsyncSession, config: Config, witnessed: bool = False) -> Response[str]:
    """The newest signed head (C2SP checkpoint), or the newest that an outside witness has cosigned."""
    if witnessed:
        checkpoint = await witnessed_checkpoint(session)
        if checkpoint is None:
            raise NotWitnessed
        note = checkpoint.note
    else:
        shown = await _published(config, lambda log: log.checkpoint())
        if not shown:
            raise LogEmpty
        note = await with_cosignatures(session, shown)
    return Response(note, media_type=NOTE, headers={"Cache-Control": "no-cache"})


@get("/api/v1/audit/key", operation_id="readLogKey")
async def read_key(config: Config, keys: Keys) -> Response[str]:
    """The log's verifier key (C2SP signed note). Pin it; do not fetch it together with what it verifies."""
    return Response(f"{verifier_key(config.log_origin, keys.log_signing())}\n", media_type=NOTE)


@get("/api/v1/audit/proof", operation_id="proveInclusion")
async def prove_inclusion(session: AsyncSession, leaf: int, size: int | None = None) -> InclusionProof:
    """That a leaf is in the tree of `size` leaves (the newest checkpoint's, unless told)."""
    newest = await _size(session)
    wanted = newest if size is None else size
    if not 0 <= leaf < wanted <= newest:
        raise OutsideLog(size=newest)
    return await inclusion_proof(session, leaf, wanted)


@get("/api/v1/audit/consistency", operation_id="proveConsistency")
async def prove_consistency(session: AsyncSession, first: int, second: int | None = None) -> ConsistencyProof:
    """That the tree of `second` leaves (the newest, unless told) begins with that of `first`."""
    newest = await _size(session)
    wanted = newest if second is None else second
    if not 0 < first <= wanted <= newest:
        raise OutsideLog(size=newest)
    return await consistency_proof(session, first, wanted)


@get("/api/v1/audit/tile/{tile:path}", operation_id="readTile", opt={"points": 0})
async def fetch_tile(config: Config, tile: str) -> Response[bytes]:
    """A tile of hashes or a bundle of leaf data (C2SP tlog-tiles)."""
    wanted = parse_tile(str(tile).removeprefix("/"))
    data = await _published(config, lambda log: read_tile(log, wanted)) if wanted is not None else None
    if wanted is None or data is None:
        raise NotFound
    headers = {"Cache-Control": FOREVER} if wanted.width == WIDTH else {}
    return Response(data, media_type="application/octet-stream", headers=headers)


@get("/api/v1/decisions/{decision_id:uuid}/receipt", operation_id="fetchDecisionReceipt")
async def fetch_decision_receipt(
    decision_id: UUID, caller: Caller, session: AsyncSession, keys: Keys, accepted: Accepted = None
) -> Response[bytes]:
    """Facts, decision and proof in the caller's edition: of a query, a quote or application denied, a listing; as
    a C2SP tlog-proof where `Accept` is text/plain."""
    caller.require("read")
    receipt = await receipt_for(
        session, keys, decision_id, kind=caller.organisation_kind, organisation_id=caller.organisation_id
    )
    body, media_type = served(receipt, accepted)
    return Response(body, media_type=media_type)


async def _published(config: Config, read: Callable[[PublishedLog], _T]) -> _T:
    """What is read of the published log. Raises PublishedAway."""
    try:
        return await asyncio.get_running_loop().run_in_executor(READERS, lambda: read(published_log(config)))
    except (OSError, PublishedBroken, Problem) as away:
        raise PublishedAway from away


async def _size(session: AsyncSession) -> int:
    checkpoint = await newest_checkpoint(session)
    return 0 if checkpoint is None else checkpoint.size


handlers: list[ControllerRouterHandler] = [
    check_completeness,
    read_checkpoint,
    read_key,
    prove_inclusion,
    prove_consistency,
    fetch_tile,
    fetch_decision_receipt,
]
