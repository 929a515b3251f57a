"""What the regulator types and reads at a terminal."""

from __future__ import annotations

import pytest

from marketplace.cli.audit_search import _print_alert, _zoned


@pytest.mark.parametrize(
    ("written", "asked", "to"),
    [
        ("2026-11-27", "2026-11-27T00:00:00+07:00", "2026-11-28T00:00:00+07:00"),
        ("2026-11-27T20:00", "2026-11-27T20:00:00+07:00", None),
        ("2026-11-27T20:00:00Z", "2026-11-27T20:00:00+00:00", None),
        ("yesterday", "yesterday", None),
    ],
)
def test_a_day_without_a_zone_is_viet_nams_and_what_is_none_is_left_to_the_service(
    written: str, asked: str, to: str | None
) -> None:
    assert (_zoned(written, 0), _zoned(written, 1)) == (asked, to or asked)


def test_an_alert_is_shown_whole_with_the_id_that_answers_it(capsys: pytest.CaptureFixture[str]) -> None:
    told = {"named": "log.event_changed: " + "x" * 100, "first_event": "\x1b[2J"}
    _print_alert(
        {"id": "01a2", "rule": "audit_failed", "raised_at": "2026-11-27T20:26:32.679756Z", "dataset_id": None,
         "organisation_id": None, "told": told, "acknowledged_at": None, "reason": None}
    )  # fmt: skip
    said = capsys.readouterr().out
    assert said.startswith("2026-11-28 03:26:32+07:00  audit_failed\n    id: 01a2\n")
    assert "x" * 100 in said
    assert "\x1b" not in said
