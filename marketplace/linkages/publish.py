"""Joining: each owner says with which half of the other's it wants its own joined; the second yes does it.

A half is joined once, released or refused: so neither can try what comes out with one person more without the
other sending, and agreeing, anew.
"""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import Sequence

from msgspec import Struct
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.errors import PublicationRefused, code_of
from catalog.joint.agreeing import agree as agree_manifests
from catalog.joint.publish import Contributed, JointPublication, publish_joint
from catalog.manifest import Manifest
from marketplace.accounts.callers import Steward
from marketplace.accounts.senders import Sender
from marketplace.audit.facttree import grow
from marketplace.audit.sealing import Sealed, seal
from marketplace.db.base import new_id, utcnow
from marketplace.db.together import perform
from marketplace.errors import Problem, Unavailable
from marketplace.linkages.actions import erase_contribution, locked_linkage, record_linkage, standing
from marketplace.linkages.contributions import require_approved
from marketplace.linkages.errors import NothingSent, OtherContribution
from marketplace.linkages.floors import require_no_floor
from marketplace.linkages.models import Contribution, Linkage
from marketplace.linkages.schemas import Joined
from marketplace.listings.actions import release
from marketplace.listings.errors import ConsentsMoved, Judged, ListingDenied, VersionRefused
from marketplace.listings.known import previous_facts, publisher_facts
from marketplace.listings.leftovers import removed_unless_released
from marketplace.listings.once import Released
from marketplace.listings.parsing import parse_manifest
from marketplace.listings.permission import require_listing
from marketplace.listings.places import Pair, Place, find_joint_place
from marketplace.listings.press import Press
from marketplace.listings.publish import ATTEMPTS, alone
from marketplace.listings.recording import record_refusal
from marketplace.listings.register import Register
from marketplace.listings.standing import read_register
from policies.decision import Caller, PreviousFacts
from sandbox.job import SandboxFailed


class _Join(Struct, frozen=True, kw_only=True):
    """Both halves, agreed to by both; the lead's first."""

    linkage_id: uuid.UUID
    lineage_id: uuid.UUID
    pair: Pair
    purposes: tuple[str, ...]
    halves: tuple[Contributed, Contributed]
    senders: tuple[Sender, Sender]
    manifest: Manifest


class _Ground(Struct, frozen=True, kw_only=True):
    """What a version is made on, as of one instant."""

    place: Place
    register: Register | None
    callers: tuple[Caller, Caller]
    listed: PreviousFacts


async def agree(press: Press, *, linkage_id: uuid.UUID, other: uuid.UUID, by: Steward) -> Joined:
    """Say yes to joining with that half of the other owner; if it has said yes to ours, the join is made.

    Raises NotFound, LinkageWrongState, NothingSent, OtherContribution, FloorStands (nothing was opened, both yeses
    stand), and what a publication raises; a version that is refused has used both halves up.
    """
    join = await _say_yes(press, linkage_id, other, by)
    if join is None:
        return Joined()
    for caller in await _callers(press, join):
        await require_no_floor(press.engine, caller=caller, manifest=join.manifest)
    one, two = (sender.organisation_id for sender in join.senders)
    sender = Sender(
        person_id=by.person_id, organisation_id=by.organisation_id,
        beside=(two if by.organisation_id == one else one,),
    )  # fmt: skip
    try:
        async with alone(press.database, join.manifest.dataset):
            for _ in range(ATTEMPTS - 1):
                with contextlib.suppress(ConsentsMoved):
                    return await _attempt(press, join, sender, by)
            return await _attempt(press, join, sender, by)
    except Problem as problem:
        async with press.database.session() as session:
            if isinstance(problem, VersionRefused | ListingDenied):
                await _use_up(press, session, join)
            await record_refusal(session, press.keys, slug=join.manifest.dataset, problem=problem, by=sender)
        raise


async def _say_yes(press: Press, linkage_id: uuid.UUID, other: uuid.UUID, by: Steward) -> _Join | None:
    async with press.database.session() as session:
        linkage = await locked_linkage(session, linkage_id, organisation_id=by.organisation_id)
        require_approved(linkage, "publish")
        sent = {each.owner_id: each for each in await standing(session, linkage.id)}
        mine = sent.pop(by.organisation_id, None)
        theirs = next(iter(sent.values()), None)
        if mine is None:
            raise NothingSent
        if theirs is None or theirs.id != other:
            raise OtherContribution
        if mine.agreed_to != theirs.id:
            mine.agreed_to = theirs.id
            await session.flush()
            said = {"contribution": str(mine.id), "with": str(theirs.id)}
            await record_linkage(session, "linkage:agree", linkage, by, said)
        lead_first = (mine, theirs) if mine.owner_id == linkage.lead_id else (theirs, mine)
        join = await asyncio.to_thread(_join, press, linkage, *lead_first)
        return join if theirs.agreed_to == mine.id else None


def _join(press: Press, linkage: Linkage, lead: Contribution, partner: Contribution) -> _Join:
    """Raises VersionRefused for manifests that do not fit together: what was sent stays, nothing was looked at."""
    assert linkage.lineage_id is not None  # approved
    halves = tuple(
        Contributed(id=str(c.id), manifest=parse_manifest(c.manifest), key=press.keys.contribution(c.id))
        for c in (lead, partner)
    )
    try:
        manifest = agree_manifests(halves[0].manifest, halves[1].manifest, purposes=linkage.purposes)
    except PublicationRefused as refused:
        raise VersionRefused(refused.code, **refused.params) from refused
    return _Join(
        linkage_id=linkage.id,
        lineage_id=linkage.lineage_id,
        pair=Pair(linkage_id=linkage.id, lead_id=linkage.lead_id, partner_id=linkage.partner_id),
        purposes=tuple(linkage.purposes),
        halves=(halves[0], halves[1]),
        senders=(_sender(lead), _sender(partner)),
        manifest=manifest,
    )


def _sender(contribution: Contribution) -> Sender:
    return Sender(person_id=contribution.sent_by, organisation_id=contribution.owner_id)


async def _attempt(press: Press, join: _Join, sender: Sender, by: Steward) -> Joined:
    ground = await _ground(press, join)
    for caller in ground.callers:
        await require_listing(press.engine, caller=caller, manifest=join.manifest)
    made = await _make(press, join, ground)
    version = made.publication.version
    async with removed_unless_released(press, version.id):
        judged = [
            await require_listing(
                press.engine, caller=caller, manifest=join.manifest, version=version, previous=ground.listed
            )
            for caller in ground.callers
        ]
        sealed = [_sealed(press, each) for each in judged]
        async with press.database.session() as session:
            linkage = await locked_linkage(session, join.linkage_id, organisation_id=by.organisation_id)
            require_approved(linkage, "publish")
            _require_standing(join, await standing(session, linkage.id))
            row = await release(
                session, publication=made.publication, sealed=sealed[0], place=ground.place,
                register=ground.register, store=press.store, by=sender, at=utcnow(),
            )  # fmt: skip
            await _use_up(press, session, join)
            await perform(session, sealed[1].stored)
            told = {"version": row.id, "joined": {"at_least": made.joined.at_least, "below": made.joined.below}}
            await record_linkage(session, "linkage:publish", linkage, by, told | sealed[1].body)
    released = Released(
        dataset_id=row.dataset_id, slug=join.manifest.dataset, version_id=row.id, number=row.number, waiting=(),
        state_class=row.state_class, personal_class=row.personal_class, warnings=judged[0].decision.reasons,
    )  # fmt: skip
    return Joined(released=released, joined=made.joined)


async def _callers(press: Press, join: _Join) -> tuple[Caller, Caller]:
    async with press.database.session() as session:
        lead, partner = [
            await publisher_facts(session, person_id=each.person_id, organisation_id=each.organisation_id)
            for each in join.senders
        ]
    return lead, partner


async def _ground(press: Press, join: _Join) -> _Ground:
    callers = await _callers(press, join)
    async with press.database.session() as session:
        place = await find_joint_place(session, manifest=join.manifest, lineage_id=join.lineage_id, pair=join.pair)
        register = None
        if place.dataset_id:
            register = await read_register(press.database, place.dataset_id, join.manifest.purposes)
        return _Ground(
            place=place,
            register=register,
            callers=callers,
            listed=await previous_facts(session, place.previous),
        )


async def _make(press: Press, join: _Join, ground: _Ground) -> JointPublication:
    try:
        return await asyncio.to_thread(
            publish_joint,
            *join.halves,
            purposes=join.purposes,
            store=press.store,
            consents=ground.register.consents if ground.register else None,
            previous=ground.place.newest,
            limits=press.config.ingest_limits(),
        )
    except PublicationRefused as refused:
        raise VersionRefused(refused.code, **refused.params) from refused
    except SandboxFailed as failed:
        if failed.code == "sandbox.unavailable":
            raise Unavailable(reason=failed.code) from failed
        raise VersionRefused(code_of(failed)) from failed


def _sealed(press: Press, judged: Judged) -> Sealed:
    return seal(press.keys, decision_id=new_id(), tree=grow(judged.question), decision=judged.decision)


def _require_standing(join: _Join, sent: Sequence[Contribution]) -> None:
    """Raises OtherContribution if either owner has sent another half meanwhile."""
    if {str(each.id) for each in sent} != {half.id for half in join.halves}:
        raise OtherContribution


async def _use_up(press: Press, session: AsyncSession, join: _Join) -> None:
    ids = [uuid.UUID(half.id) for half in join.halves]
    for contribution in await session.scalars(select(Contribution).where(Contribution.id.in_(ids))):
        erase_contribution(press.keys, press.store, contribution, at=utcnow())
