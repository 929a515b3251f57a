"""What a quote promises, signed: a price for one question, to one person, until an instant.

Ed25519 and not a shared secret, so that a startup can show anybody what was promised it, and we can deny none of
it. A query is held to the signed text alone, so that a changed row of the table promises nothing.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Struct

from marketplace.accounts.callers import Caller
from marketplace.audit.canonical import canonical
from marketplace.audit.note import signature_line, verifier_key
from marketplace.billing.price import Item
from marketplace.calendar import month_of, month_start, next_month
from marketplace.db.base import ms_of, new_id, utcnow
from marketplace.queries.errors import QuoteExpired, QuoteMismatch
from marketplace.queries.lines import Line
from marketplace.queries.models import Quote
from marketplace.queries.prepare import Prepared
from marketplace.queries.schemas import Ask
from marketplace.queries.services import Services
from marketplace.verifier.note import VerifierKey, open_note
from marketplace.verifier.refusal import Refused


class PromisedLine(Struct, frozen=True, kw_only=True):
    """One dataset: the version of the offer, what is read, and the price's lines. `ceiling_vnd`: their sum."""

    agreement: UUID
    dataset: UUID
    offer: UUID
    offer_name: str
    offer_number: int
    bytes: int
    items: tuple[Item, ...]
    ceiling_vnd: int


class Promise(Struct, frozen=True, kw_only=True):
    """What is signed. A query under it pays `ceiling_vnd` at most. `rho_micro`, `stored`: dp mode."""

    quote: UUID
    organisation: UUID
    person: UUID
    purpose: str
    sql_sha256: str
    lines: tuple[PromisedLine, ...]
    ceiling_vnd: int
    at_ms: int
    expires_at_ms: int
    rho_micro: int | None
    stored: bool

    @property
    def prices_vnd(self) -> dict[UUID, int]:
        """By agreement."""
        return {line.agreement: line.ceiling_vnd for line in self.lines}


class SignedPromise(Struct, frozen=True, kw_only=True):
    promise: Promise
    note: str


def promise(services: Services, caller: Caller, ask: Ask, prepared: Prepared) -> SignedPromise:
    """For as long as configuration says, but what a month's count or a trial gave for this month only."""
    at = utcnow()
    until = min(at + timedelta(seconds=services.config.quote_lifetime_s), month_start(next_month(month_of(at))))
    promised = Promise(
        quote=new_id(),
        organisation=caller.organisation_id,
        person=caller.person_id,
        purpose=ask.purpose,
        sql_sha256=_sql_sha256(ask.sql),
        lines=tuple(_line(each) for each in prepared.lines),
        ceiling_vnd=prepared.price_vnd,
        at_ms=ms_of(at),
        expires_at_ms=ms_of(until),
        rho_micro=prepared.spend.rho_micro if prepared.spend else None,
        stored=prepared.spend is not None and prepared.spend.stored is not None,
    )
    name = _name(services)
    body = f"{name}\n{canonical(promised).decode()}\n"
    note = f"{body}\n{signature_line(body, name, services.keys.quote_signing())}"
    return SignedPromise(promise=promised, note=note)


def quote_key(services: Services) -> VerifierKey:
    """With which anybody checks a quote."""
    return verifier_key(_name(services), services.keys.quote_signing())


async def promised(services: Services, caller: Caller, ask: Ask) -> Promise | None:
    """The quote named, if it is this caller's, for this question, and valid.

    Raises QuoteMismatch, QuoteExpired."""
    if ask.quote_id is None:
        return None
    async with services.database.reading() as session:
        row = await session.get(Quote, ask.quote_id)
    found = _opened(services, row.note) if row else None
    if found is None or (found.quote, found.person) != (ask.quote_id, caller.person_id):
        raise QuoteMismatch(quote_id=str(ask.quote_id))
    same = found.prices_vnd.keys() == set(ask.agreement_ids) and found.purpose == ask.purpose
    if not same or found.sql_sha256 != _sql_sha256(ask.sql):
        raise QuoteMismatch(quote_id=str(ask.quote_id))
    if found.expires_at_ms <= ms_of(utcnow()):
        raise QuoteExpired(quote_id=str(ask.quote_id))
    return found


def require_promised(found: Promise, prepared: Prepared) -> None:
    """What a price stood on must still be there: in dp mode its ρ and the answer bought before; a trial, a
    used-up cap, a place in the tiers: what queries made cheaper that were cancelled since is no promise.

    Raises QuoteMismatch, QuoteExpired."""
    spend = prepared.spend
    if spend is not None and found.rho_micro != spend.rho_micro:
        raise QuoteMismatch(quote_id=str(found.quote))
    gone = spend is not None and found.stored and spend.stored is None
    lines = {line.agreement: line for line in found.lines}
    if gone or any(_fallen(lines[line.facts.agreement_id], line) for line in prepared.lines):
        raise QuoteExpired(quote_id=str(found.quote))


def _fallen(promised: PromisedLine, line: Line) -> bool:
    """Whether the promise is for less only because of what no longer is so."""
    now = {item.code: item for item in line.price.items}
    if "promised" not in now:
        return False
    then = {item.code: item for item in promised.items}
    if "cap" in then or ("trial" in then and line.price.trial_vnd is None):
        return True
    return "query" in then and then["query"].rate_micro < now["query"].rate_micro  # tiers fall


def _line(line: Line) -> PromisedLine:
    facts = line.facts
    assert facts.offer_id is not None  # without an offer there is no price, and it was not allowed
    assert facts.offer_name is not None
    assert facts.offer_number is not None
    return PromisedLine(
        agreement=facts.agreement_id,
        dataset=facts.dataset_id,
        offer=facts.offer_id,
        offer_name=facts.offer_name,
        offer_number=facts.offer_number,
        bytes=line.bytes,
        items=line.price.items,
        ceiling_vnd=line.price_vnd,
    )


def _opened(services: Services, note: str) -> Promise | None:
    try:
        text, signers = open_note(note, (quote_key(services),))
        found: Any = msgspec.json.decode(text.split("\n")[1], type=Promise, strict=False)
    except (Refused, msgspec.ValidationError, msgspec.DecodeError, IndexError):
        return None
    return found if signers else None


def _name(services: Services) -> str:
    return f"{services.config.log_origin}/quote"


def _sql_sha256(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()
