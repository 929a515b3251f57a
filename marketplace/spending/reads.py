"""Where an agreement stands in its month, read with the facts of a query."""

from __future__ import annotations

STANDING = """
    (select jsonb_build_object('queries', coalesce(sum(m.queries), 0), 'vnd', coalesce(sum(m.vnd), 0))
     from month_spend m where m.agreement_id = a.id and m.month = :month)
    || (select jsonb_build_object('trial_queries', coalesce(sum(t.trial_queries), 0),
                                  'trial_vnd', coalesce(sum(t.trial_vnd), 0))
        from month_spend t
        where t.organisation_id = a.startup_id and t.dataset_id = a.dataset_id and t.trial_queries > 0)
"""
"""Of a row `a` of agreement, as JSON of `billing.price.Standing`. Few rows each: one a person who asked."""
