"""HTTP face of the owner's preview: who could ask what. Nothing is kept of it, and nothing is logged."""

from __future__ import annotations

import uuid
from typing import Annotated

from litestar import get, post
from litestar.types import ControllerRouterHandler
from msgspec import Meta, Struct
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.accounts.callers import Approver, Owner, Steward
from marketplace.agreements.parties import as_decider
from marketplace.agreements.preview import (
    AnswerView,
    PreviewView,
    preview_acceptance,
    preview_listed,
    preview_manifest,
)
from marketplace.agreements.schemas import DecisionBody
from marketplace.config import Config
from marketplace.db.base import utcnow
from policies.engine import Engine

MANIFEST_CHARACTERS = 256 * 1024
PERSONS_MAX = 10**9


class ManifestBody(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest's YAML, and of how many persons the version would be."""

    manifest: Annotated[str, Meta(min_length=1, max_length=MANIFEST_CHARACTERS)]
    persons: Annotated[int, Meta(ge=1, le=PERSONS_MAX)]


@post("/api/v1/previews", status_code=200, operation_id="previewManifest")
async def post_preview(
    session: AsyncSession, engine: Engine, config: Config, steward: Steward, data: ManifestBody
) -> PreviewView:
    """Who could ask what of a version by this manifest; nothing is published."""
    steward.require("publish")
    return await preview_manifest(
        session, engine, config, manifest_text=data.manifest, persons=data.persons, by=steward
    )


@get("/api/v1/datasets/{dataset:str}/preview", operation_id="previewDataset")
async def get_preview(
    session: AsyncSession, engine: Engine, config: Config, owner: Owner, dataset: str
) -> PreviewView:
    """Who could ask what of a dataset of the caller's as it is listed now, and who may under which agreement."""
    owner.require("read")
    return await preview_listed(session, engine, config, dataset=dataset, by=owner)


@post("/api/v1/applications/{application_id:uuid}/preview", status_code=200, operation_id="previewAcceptance")
async def post_acceptance(
    session: AsyncSession,
    engine: Engine,
    config: Config,
    approver: Approver,
    application_id: uuid.UUID,
    data: DecisionBody,
) -> AnswerView:
    """What could be asked if the application were accepted so; nothing is decided."""
    by, at = as_decider(approver), utcnow()
    return await preview_acceptance(
        session, engine, config, application_id=application_id, terms=data.granted(), by=by, at=at
    )


handlers: list[ControllerRouterHandler] = [post_preview, get_preview, post_acceptance]
