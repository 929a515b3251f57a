"""Who calls the register: somebody of an owner, or a person about herself."""

from __future__ import annotations

import hashlib
import hmac
from uuid import UUID

import msgspec
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from catalog.storage import Store
from marketplace.accounts.callers import Owner, Presented, narrow
from marketplace.config import Config
from marketplace.consents.actions import record_consent_event
from marketplace.consents.actors import Actor, DataSubject
from marketplace.consents.reads import read_receipt
from marketplace.consents.schemas import Circumstances, ConsentBody, ConsentReceipt
from marketplace.db.base import new_id
from marketplace.db.engine import Database
from marketplace.db.idempotency import claim
from marketplace.db.keys import Keys
from marketplace.errors import Invalid
from marketplace.identity.callers import COOKIE, AnyRequest, Subject, bearer_of, provide_subject

OWNERS_FIELDS = ("notice_sha256", "notice_language", "notice_version", "evidence", "method", "jurisdiction")


class Speaker(Struct, frozen=True):
    """One of the two, never both."""

    owner: Owner | None = None
    subject: Subject | None = None


async def provide_speaker(
    request: AnyRequest, presented: Presented, database: Database, config: Config, keys: Keys
) -> Speaker:
    """A person's token or, where no organisation is signed in, cookie; else an owner. Raises as both do."""
    if bearer_of(request) is not None or (presented.caller is None and COOKIE in request.cookies):
        return Speaker(subject=await provide_subject(request, presented, database, config, keys))
    owner = narrow(presented.known(), Owner, "owner", None)
    owner.require("consent")
    return Speaker(owner=owner)


async def record_once(
    session: AsyncSession,
    *,
    speaker: Speaker,
    said: ConsentBody,
    idempotency_key: str | None,
    store: Store,
    keys: Keys,
) -> ConsentReceipt:
    """Record what a speaker says; the same key and body again is the same event.

    Raises what `record_consent_event` raises, KeyReused, and Invalid where an owner names nobody.
    """
    by, subject = _actor_and_subject(speaker, said.subject)
    consent_id = new_id()
    if idempotency_key is not None:
        # Keyed, because a plain hash of the body would give the subject away to whoever tries all of them.
        body = hmac.digest(keys.salt_key(), msgspec.json.encode(said), hashlib.sha256)
        first = await claim(session, _idempotency_scope(speaker, keys), idempotency_key, body, consent_id)
        if first != consent_id:
            return await read_receipt(session, first)
    return await record_consent_event(
        session,
        by=by,
        consent_id=consent_id,
        dataset_id=said.dataset_id,
        subject=subject,
        purpose=said.purpose,
        event=said.event,
        at=said.at,
        store=store,
        keys=keys,
        circumstances=_circumstances(speaker, said),
    )


def _circumstances(speaker: Speaker, said: ConsentBody) -> Circumstances:
    """As an owner sent them; a person may say until when, the rest is how an owner got to know. Raises Invalid.

    So no free text of hers, in which she might name herself, is kept.
    """
    if speaker.subject is None:
        return said
    told = [name for name in OWNERS_FIELDS if getattr(said, name) is not None]
    if told:
        raise Invalid(errors=[{"path": n, "code": "consent.owners_field", "params": {"field": n}} for n in told])
    return Circumstances(expires_at=said.expires_at, method="web" if speaker.subject.via == "session" else "app")


def _actor_and_subject(speaker: Speaker, named: str | None) -> tuple[Actor, str]:
    """Who acts, and about whom: an owner must name the person, a person means herself. Raises Invalid.

    A person who names another is refused by the register (OtherSubject), not silently taken for herself.
    """
    if speaker.subject is not None:
        own = speaker.subject.session.subject
        return DataSubject(subject=own), own if named is None else named
    assert speaker.owner is not None  # one of the two
    if named is None:
        raise Invalid(errors=[{"path": "subject", "code": "consent.subject_needed", "params": {}}])
    return speaker.owner, named


def _idempotency_scope(speaker: Speaker, keys: Keys) -> UUID:
    """Within what an `Idempotency-Key` is unique: the organisation, or the session (and so not the person)."""
    if speaker.subject is not None:
        number = speaker.subject.session.number
        return UUID(bytes=hmac.digest(keys.salt_key(), b"idempotency " + number, hashlib.sha256)[:16])
    assert speaker.owner is not None  # one of the two
    return speaker.owner.organisation_id
