"""An agreement's privacy budget is nearly spent: what it may still ask tells the regulator where caps bind."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from marketplace.ledger.actions import PRIVACY
from marketplace.oversight.rules.rule import Cause, Rule, Span

# The account is that of `billing.budget.share_kind`.
_DRAINED = text("""
    SELECT agreement.id, agreement.dataset_id, agreement.startup_id, balance.credits_posted AS given,
        balance.credits_posted - balance.debits_posted - balance.debits_pending AS remains
    FROM agreement
    JOIN account ON account.kind = 'privacy:' || agreement.id AND account.currency = :currency
        AND account.organisation_id IS NULL
    JOIN account_balance AS balance ON balance.account_id = account.id
    WHERE agreement.ended_at IS NULL AND agreement.expires_at > :at
        AND (balance.credits_posted - balance.debits_posted - balance.debits_pending) * 1000
            <= balance.credits_posted * :permille
""")


async def _look(session: AsyncSession, span: Span) -> list[Cause]:
    asked = {"at": span.at, "permille": span.thresholds.budget_left_permille, "currency": PRIVACY}
    return [
        Cause(
            key=str(row.id),
            dataset_id=row.dataset_id,
            organisation_id=row.startup_id,
            told={"agreement": str(row.id), "rho_micro": row.given, "remains_rho_micro": row.remains},
        )
        for row in await session.execute(_DRAINED, asked)
    ]


RULE = Rule("budget_drained", _look)
