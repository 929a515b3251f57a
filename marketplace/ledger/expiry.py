"""Holds whose time is over are given back."""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import text

from marketplace.audit.actions import record
from marketplace.db.engine import Database
from marketplace.errors import Unavailable
from marketplace.ledger.actions import Movement, transfers
from marketplace.ledger.errors import AtOnce, HoldResolved

logger = logging.getLogger(__name__)

_SPACE = UUID("5d1a0000-0000-8000-8000-e49000000000")
_DUE = text("""
select p.id, p.amount, p.currency, p.query_id, p.dataset_id,
       array_remove(array[d.organisation_id, c.organisation_id], null) as parties
from transfer p join account d on d.id = p.debit_account_id join account c on c.id = p.credit_account_id
where p.expires_at <= clock_timestamp() and p.expires_at > clock_timestamp() - interval '30 days'
    and not exists (select from transfer t where t.pending_id = p.id)
order by p.expires_at limit 1000
""")
"""Looks back a month, so that it reads no more as the books grow; `ledger reconcile` names what is older."""


async def expire_holds(database: Database) -> int:
    """Void every expired hold, each with its event; how many. One that somebody resolves meanwhile is left, and
    one that cannot be voided keeps no other from it. Raises Unavailable."""
    voided = 0
    for due in await database.all(_DUE, {}):
        try:
            voided += await _expire(database, due)
        except Unavailable:
            raise
        except (HoldResolved, AtOnce):
            continue
        except Exception:
            logger.exception("hold %s has expired, and cannot be voided", due.id)
    return voided


async def _expire(database: Database, due: Any) -> bool:
    """Whether it was voided now."""
    async with database.session() as session:
        void = Movement(
            id=uuid5(_SPACE, str(due.id)), kind="void", code="hold_expired", hold_id=due.id,
            query_id=due.query_id, dataset_id=due.dataset_id,
        )  # fmt: skip
        if not await transfers(session, [void]):
            return False
        await record(
            session,
            "hold:expire",
            parties=due.parties,
            query_id=due.query_id,
            dataset_id=due.dataset_id,
            body={"hold": due.id, "amount": due.amount, "currency": due.currency},
        )
    return True
