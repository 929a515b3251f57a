"""Signs each document once and asks the tax office for its code until it answers; what it answers is for good."""

from __future__ import annotations

import logging
import traceback
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msgspec import Struct
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.audit.actions import record
from marketplace.db.engine import Database
from marketplace.einvoices.gateway import Gateway
from marketplace.einvoices.identity import Identity
from marketplace.einvoices.messages import Coded, NotAnswered, Refusal, asking, message_id, understand
from marketplace.einvoices.signed import seller_signed
from marketplace.errors import Unavailable
from marketplace.faults import point
from marketplace.invoices.reads import find
from marketplace.invoices.schemas import Office

logger = logging.getLogger(__name__)

BATCH = 100
LONGEST_DOUBLING = 7
"""Attempts are that many times doubled apart, then always as far."""
FAULT_CHARACTERS = 300
_UNSIGNED = text("""
    select invoice_id from einvoice where state = 'unsigned' and next_at <= :at and invoice_id > :after
    order by invoice_id limit :rows
""")
_SIGNED = text("""
    update einvoice set state = 'waiting', message_id = :message, xml = :xml, signed_at = :at, next_at = :at,
           attempts = 0, trouble = null, fault = null
    where invoice_id = :id and edition = :edition and state = 'unsigned' returning invoice_id
""")
_NOT_SIGNED = text("""
    update einvoice set attempts = attempts + 1, trouble = 'fault', fault = :fault,
           next_at = :at + make_interval(secs => :retry_after_s * power(2, least(attempts, :doubling)))
    where invoice_id = :id and state = 'unsigned' returning next_at
""")
_HELD_UP = text("""
    update einvoice set trouble = :trouble, fault = :fault,
           next_at = case when state = 'unsigned' then now() else next_at end
    where state = :state and trouble is distinct from :trouble
""")
_DUE = text("""
    select e.invoice_id, e.message_id, e.xml, e.attempts, i.organisation_id,
           case when x.id is null then i.seller_tax_code else x.seller_tax_code end as seller_tax_code
    from einvoice e join invoice i on i.id = e.invoice_id
    left join invoice_edition x on x.invoice_id = e.invoice_id and x.edition = e.edition
    where e.state = 'waiting' and e.next_at <= :at order by e.next_at, e.invoice_id limit :rows
""")
_LATER = text("""
    update einvoice set attempts = attempts + 1, trouble = :trouble, fault = :fault, next_at = :next
    where message_id = :message and state = 'waiting'
""")
_ANSWERED = text("""
    update einvoice set state = :state, attempts = attempts + 1, trouble = null, fault = null,
           code = :code, coded_xml = :xml, refusal = :refusal, answered_at = :at
    where message_id = :message and state = 'waiting' returning invoice_id
""")


class Signing(Struct, frozen=True):
    """Under whose certificate documents are signed, the seller's address on them, when, and the first wait
    after one that cannot be signed."""

    identity: Identity
    seller_address: str
    at: datetime
    retry_after_s: int


async def sign_new(
    database: Database, identity: Identity, *, seller_address: str, at: datetime, retry_after_s: int
) -> int:
    """Sign what is due and not signed yet, for good. How many; one that cannot be signed keeps no other from it,
    and is due again later each time.

    Raises Unavailable, DBAPIError."""
    signing = Signing(identity, seller_address, at, retry_after_s)
    signed, after = 0, UUID(int=0)
    while True:
        async with database.reading() as session:
            ids = (await session.scalars(_UNSIGNED, {"at": at, "after": after, "rows": BATCH})).all()
        for invoice_id in ids:
            signed += await _signed(database, invoice_id, signing)
        if len(ids) < BATCH:
            return signed
        after = ids[-1]


async def _signed(database: Database, invoice_id: UUID, signing: Signing) -> bool:
    try:
        async with database.session() as session:
            signed = await _sign(session, invoice_id, signing)
            point("einvoice-signed")
            return signed
    except (Unavailable, DBAPIError):
        raise
    except Exception as fault:
        told = {
            "id": invoice_id, "fault": _told(fault), "at": signing.at, "doubling": LONGEST_DOUBLING,
            "retry_after_s": signing.retry_after_s,
        }  # fmt: skip
        async with database.session() as session:
            again = await session.scalar(_NOT_SIGNED, told)
        logger.error("invoice %s cannot be signed, again at %s: %s", invoice_id, again, _placed(fault))
        return False


async def _sign(session: AsyncSession, invoice_id: UUID, signing: Signing) -> bool:
    """Whether it was not signed already, by somebody else."""
    document = (await find(session, invoice_id, party=None)).document
    row = {
        "id": invoice_id,
        "edition": document.edition,
        "message": message_id(invoice_id, document.seller.tax_code, edition=document.edition),
        "xml": seller_signed(document, signing.identity, seller_address=signing.seller_address, at=signing.at),
        "at": signing.at,
    }
    return (await session.execute(_SIGNED, row)).one_or_none() is not None


def _placed(fault: Exception) -> str:
    """In one line, with where it came from: what is tried again each time would fill the log with tracebacks."""
    places = traceback.extract_tb(fault.__traceback__)
    where = f" ({places[-1].filename}:{places[-1].lineno})" if places else ""
    return " ".join(_told(fault).split()) + where


def _told(fault: Exception) -> str:
    """Without NUL, which the database does not take."""
    return f"{type(fault).__name__}: {fault}".replace("\0", "")[:FAULT_CHARACTERS]


async def hold_up(database: Database, *, state: Office, trouble: str, fault: str | None = None) -> None:
    """Say of each document in `state` why none of them gets further."""
    async with database.session() as session:
        await session.execute(_HELD_UP, {"state": state, "trouble": trouble, "fault": fault})


async def send_due(database: Database, gateway: Gateway, *, at: datetime, retry_after_s: int) -> int:
    """Ask for the code of each that is due. How many were answered; it stops where nobody can be reached."""
    answered = 0
    async with database.reading() as session:
        due = (await session.execute(_DUE, {"at": at, "rows": BATCH})).all()
    for row in due:
        try:
            body = await gateway.ask(asking(row.xml, message=row.message_id, tax_code=row.seller_tax_code))
            point("einvoice-asked")
            said = understand(body, xml=row.xml, message=row.message_id, certificate=gateway.certificate)
            answered += await _settle(database, row, said, at)
        except NotAnswered as trouble:
            await _later(database, row, trouble.why, at, retry_after_s)
            if trouble.why == "unreachable":
                break
        except (Unavailable, DBAPIError):
            raise
        except Exception as fault:
            logger.error("invoice %s: what the tax office said is not settled: %s", row.invoice_id, _placed(fault))
            await _later(database, row, "fault", at, retry_after_s, fault=_told(fault))
    return answered


async def _later(
    database: Database, row: Any, why: str, at: datetime, retry_after_s: int, *, fault: str | None = None
) -> None:
    logger.warning("the tax office settled nothing of invoice %s: %s", row.invoice_id, why)
    wait = timedelta(seconds=retry_after_s * 2 ** min(row.attempts, LONGEST_DOUBLING))
    async with database.session() as session:
        told = {"message": row.message_id, "trouble": why, "fault": fault, "next": at + wait}
        await session.execute(_LATER, told)


async def _settle(database: Database, row: Any, said: Coded | Refusal, at: datetime) -> bool:
    """Whether this was the answer: somebody else may have heard it first."""
    coded = isinstance(said, Coded)
    found = {
        "message": row.message_id,
        "state": "coded" if coded else "refused",
        "code": said.code if isinstance(said, Coded) else None,
        "xml": said.xml if isinstance(said, Coded) else None,
        "refusal": said.reason if isinstance(said, Refusal) else None,
        "at": at,
    }
    async with database.session() as session:
        if (await session.execute(_ANSWERED, found)).one_or_none() is None:
            return False
        body = {"invoice": str(row.invoice_id), "message": row.message_id}
        told = {"code": found["code"]} if coded else {"refusal": found["refusal"]}
        await record(
            session,
            "einvoice:code" if coded else "einvoice:refuse",
            parties=(row.organisation_id,),
            body=body | told,
        )
        point("einvoice-before-commit")
    return True
