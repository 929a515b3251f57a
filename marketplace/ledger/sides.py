"""What a transfer does to the account on each of its sides, as SQL."""

from __future__ import annotations

from uuid import UUID

LAST_ID = UUID(int=2**128 - 1)
SUMS = """
  coalesce(sum(debits_posted), 0)::bigint as debits_posted,
  coalesce(sum(credits_posted), 0)::bigint as credits_posted,
  coalesce(sum(debits_pending), 0)::bigint as debits_pending,
  coalesce(sum(credits_pending), 0)::bigint as credits_pending
"""
_POSTED = "case when t.kind in ('single', 'post') then t.amount else 0 end"
_PENDING = "case t.kind when 'pending' then t.amount when 'single' then 0 else -t.released end"
_COLUMNS = {
    "debit": f"{_POSTED} as debits_posted, 0 as credits_posted, {_PENDING} as debits_pending,"
    " 0 as credits_pending",
    "credit": f"0 as debits_posted, {_POSTED} as credits_posted, 0 as debits_pending,"
    f" {_PENDING} as credits_pending",
}


def side(of: str, where: str, more: str = "") -> str:
    """A row a transfer `t`: the account on that side (debit | credit), `more`, and what it changes there."""
    return f"select t.{of}_account_id as account_id{more}, {_COLUMNS[of]} from transfer t where {where}"


def sides(where: str = "true", more: str = "") -> str:
    """Two rows a transfer; `{0}` in `where` is the side."""
    return " union all ".join(side(of, where.format(of), more) for of in _COLUMNS)


EVERY = f"select account_id, {SUMS} from ({sides()}) side group by account_id"
"""The sums of each account, from its transfers alone."""
