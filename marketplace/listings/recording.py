"""What the log is told of a publication, released or refused."""

from __future__ import annotations

import uuid

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.publish import Publication
from marketplace.accounts.senders import Sender, record_sent
from marketplace.audit.facttree import grow
from marketplace.audit.sealing import Sealed, seal
from marketplace.db.base import new_id
from marketplace.db.keys import Keys
from marketplace.db.together import perform
from marketplace.errors import Problem
from marketplace.listings.errors import ListingDenied
from marketplace.listings.models import Dataset, DatasetVersion
from policies.decision import Decision


async def record_release(
    session: AsyncSession,
    dataset: Dataset,
    row: DatasetVersion,
    publication: Publication,
    by: Sender,
    taken_out: int,
    sealed: Sealed,
) -> uuid.UUID:
    """The version that is shown from now on, with the decision that let it; the event's id."""
    version = publication.version
    await perform(session, sealed.stored)
    return await record_sent(
        session,
        "dataset:publish",
        by,
        dataset_id=dataset.id,
        version_id=version.id,
        body={
            "dataset": dataset.slug,
            "number": row.number,
            "manifest_sha256": version.manifest_sha256,
            "mode": version.mode,
            "k": version.measured.k,
            "persons": version.persons,
            "parent": version.parent,
            "via": by.via,
            "stage": "version",
            # In dp mode a cohort is a person, and the number of those who left would be exact.
            **({} if version.mode == "dp" else {"cohorts_taken_out": taken_out}),
            **sealed.body,
        },
    )


async def record_alarm(session: AsyncSession, row: DatasetVersion, decision: Decision, by: Sender) -> None:
    """An event of its own, so that an owner who looks for what changed its duties finds it."""
    await record_sent(
        session,
        "dataset:alarm",
        by,
        dataset_id=row.dataset_id,
        version_id=row.id,
        body={"reasons": msgspec.to_builtins(decision.reasons)},
    )


async def record_overrides(
    session: AsyncSession, row: DatasetVersion, publication: Publication, by: Sender
) -> None:
    """Who let something go that a scan took for personal data, and why; examples stay out of the log."""
    await record_sent(
        session,
        "dataset:override",
        by,
        dataset_id=row.dataset_id,
        version_id=row.id,
        body={
            "answers": [
                {
                    "columns": each.finding.columns,
                    "finding": each.finding.finding,
                    "code": each.finding.code,
                    "share_basis_points": round(10_000 * each.finding.share),
                    "declared": each.finding.declared,
                    "reason": each.reason,
                }
                for each in publication.overridden
            ]
        },
    )


async def record_refusal(
    session: AsyncSession, keys: Keys, *, slug: str | None, problem: Problem, by: Sender
) -> None:
    """A publication that was refused is logged too; a denial's decision is kept, and the problem tells its id."""
    dataset_id = await session.scalar(
        select(Dataset.id).where(Dataset.slug == slug, Dataset.owner_id == by.organisation_id)
    )
    body = {
        "dataset": slug,
        "code": problem.code,
        "reasons": msgspec.to_builtins(problem.reasons),
        "via": by.via,
    }
    version = None
    if isinstance(problem, ListingDenied):
        question, version = problem.judged.question, problem.judged.question.version
        sealed = seal(keys, decision_id=new_id(), tree=grow(question), decision=problem.judged.decision)
        await perform(session, sealed.stored)
        problem.params["decision_id"] = str(sealed.row.id)
        manifest_sha256 = version.manifest_sha256 if version else None
        body |= {"stage": question.stage, "manifest_sha256": manifest_sha256, **sealed.body}
    await record_sent(
        session, "dataset:refuse", by, dataset_id=dataset_id, version_id=version.id if version else None, body=body
    )
