"""The page of attacks names what the tests try."""

from __future__ import annotations

from tests.attack.register import PAGE, ROOT, groups, page


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tests.attack.register"


def test_hundreds_are_named_each_once_and_tried_in_a_file_that_is_there() -> None:
    named = [(group.what, attack) for group in groups() for attack in group.attacks]
    assert len(named) == len(set(named)) > 300
    assert {group.kind for group in groups()} == {"escape", "exfiltration", "exhaustion", "inference", "race"}
    assert all((ROOT / path).exists() for group in groups() for path in (group.tests, group.off) if path)
