"""What the terms of an offer must keep, beyond the form that each of them has."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from marketplace.billing.terms import Terms
from marketplace.db.base import ms_of
from marketplace.errors import Invalid
from policies.laws import law_at
from sandbox.job import Mode

RATE_MOST_MICRO = 10**15
"""A thousand million đồng: more is a slip of the pen."""
RATES = ("per_query_micro", "per_gb_micro", "per_rho_micro", "per_row_micro", "per_cpu_second_micro")
OF_MODE: Final[dict[str, tuple[Mode, ...]]] = {
    "per_rho_micro": ("dp",),
    "per_row_micro": ("rows",),
    "per_cpu_second_micro": ("rows",),
}
"""In the other modes what these measure would tell of persons, or there is none of it."""


def check_terms(terms: Terms, mode: Mode, *, at: datetime) -> None:
    """Raises Invalid with every error."""
    errors = [
        {"path": f"terms.{path}", "code": f"offer.{code}", "params": {"path": path, **params}}
        for path, code, params in _wrong(terms, mode, at)
    ]
    if errors:
        raise Invalid(errors=errors)


def _wrong(terms: Terms, mode: Mode, at: datetime) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for name in RATES:
        if getattr(terms, name) > RATE_MOST_MICRO:
            yield name, "rate_too_high", {"most_micro": RATE_MOST_MICRO}
        if getattr(terms, name) and mode not in OF_MODE.get(name, (mode,)):
            yield name, "not_in_mode", {"mode": mode}
    place, rate = 1, terms.per_query_micro
    for tier in terms.tiers:
        if tier.from_query <= place or tier.per_query_micro >= rate:
            yield "tiers", "tiers_not_falling", {}
        place, rate = tier.from_query, tier.per_query_micro
    if terms.trial is not None and (terms.trial.queries is None) == (terms.trial.budget_vnd is None):
        yield "trial", "trial_one", {}
    cap = terms.cap_month_vnd
    if cap is not None and terms.minimum_month_vnd > terms.month_vnd + cap:
        yield "minimum_month_vnd", "minimum_over_cap", {}
    if cap is not None and terms.metered:
        # What a ceiling holds for a while would make the queries beside it free.
        yield "cap_month_vnd", "cap_metered", {}
    sla = terms.sla
    if sla is not None and not (sla.live or sla.accurate_permille or sla.complete_permille or sla.clean_permille):
        yield "sla", "sla_empty", {}
    if terms.statutory_fee is not None and law_at(terms.statutory_fee.law, ms_of(at)) is None:
        yield "statutory_fee.law", "law_unknown", {"law": terms.statutory_fee.law}
