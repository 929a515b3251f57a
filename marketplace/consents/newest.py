"""What a person's newest word is, as SQL: the one place that says which of two events counts."""

from __future__ import annotations

_NEWEST = """
    SELECT DISTINCT ON (subject, purpose) id, subject, purpose, event, at, expires_at FROM consent_event
    WHERE dataset_id = :dataset_id AND event <> 'expired' {among}
    ORDER BY subject, purpose, at DESC, event = 'given', recorded_at DESC
"""
NEWEST = _NEWEST.format(among="")
"""One row a person and purpose of a dataset. Of two words of the same instant the one that takes away counts.

`expired` is nobody's word: it tells that the clock passed `expires_at`, which says the same by itself."""
NEWEST_OF_ENDED = _NEWEST.format(
    among="""
        AND (subject, purpose) IN (
            SELECT subject, purpose FROM consent_event WHERE dataset_id = :dataset_id AND event <> 'given'
            UNION SELECT subject, purpose FROM consent_event WHERE dataset_id = :dataset_id AND expires_at <= :now
        )
"""
)
"""The same of those alone of whom something has ended at `:now`: whoever is out is among them, and a country that
only ever consented is not read."""


def is_out(newest: str) -> str:
    """Condition on such a row: whoever withdrew, was revoked, or whose consent has run out at `:now`."""
    return f"({newest}.event <> 'given' OR {newest}.expires_at <= :now)"


def consents(newest: str) -> str:
    """Condition on such a row: consent stands at `:now`."""
    return f"({newest}.event = 'given' AND ({newest}.expires_at IS NULL OR {newest}.expires_at > :now))"
