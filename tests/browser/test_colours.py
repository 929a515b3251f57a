"""Colours keep the contrast of WCAG 2.2 AA (1.4.3, 1.4.11) on every ground that they may stand on."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

SHEET: Final = re.sub(
    r"/\*.*?\*/", "", (Path(__file__).parents[2] / "marketplace/web/static/site.css").read_text(), flags=re.S
)
NAMED: Final = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", SHEET))
PAGE: Final = ("#ffffff", NAMED["band"])
TINTS: Final = tuple(NAMED[name] for name in NAMED if name.endswith("-ground"))
TEXT, CONTROL = 4.5, 3.0


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """1 to 21."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _declared(body: str, name: str) -> str | None:
    found = re.search(rf"(?<![-\w]){name}: (?:var\(--([a-z-]+)\)|(#[0-9a-f]{{3,6}}))", body)
    if not found:
        return None
    colour = NAMED[found[1]] if found[1] else found[2]
    return colour if len(colour) == 7 else "#" + "".join(digit * 2 for digit in colour[1:])


def _rules() -> list[tuple[str, str | None, str | None]]:
    """Selector, colour of its text, its ground."""
    rules = re.findall(r"([^{}]+)\{([^{}]*)\}", SHEET)
    told = [(name.strip(), _declared(body, "color"), _declared(body, "background")) for name, body in rules]
    return [each for each in told if each[0] != ":root" and (each[1] or each[2])]


def _inherited(selector: str) -> str:
    return "#ffffff" if selector.startswith("button") else NAMED["ink"]


def test_contrast_is_that_of_the_standard() -> None:
    assert round(contrast("#000000", "#ffffff"), 2) == 21
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48


def test_every_rule_with_a_text_and_a_ground_can_be_read() -> None:
    pairs = [(name, text or _inherited(name), ground) for name, text, ground in _rules() if ground]
    assert len(pairs) > 20
    assert [(name, text, ground) for name, text, ground in pairs if contrast(text, ground) < TEXT] == []


def test_every_text_can_be_read_on_the_page_and_on_a_band() -> None:
    alone = [(name, text) for name, text, ground in _rules() if text and not ground]
    assert len(alone) > 10
    assert [each for each in alone if min(contrast(each[1], ground) for ground in PAGE) < TEXT] == []


def test_what_may_stand_in_a_message_can_be_read_on_its_tint() -> None:
    texts = [NAMED[name] for name in ("ink", "soft", "link", "accent")]
    assert len(TINTS) == 3
    assert [(text, tint) for text in texts for tint in TINTS if contrast(text, tint) < TEXT] == []


def test_edges_of_controls_and_the_focus_are_seen() -> None:
    focus = re.search(r":focus-visible \{ outline: 3px solid (#[0-9a-f]{6})", SHEET)
    assert focus
    for colour in (NAMED["edge"], focus[1]):
        assert min(contrast(colour, ground) for ground in (*PAGE, *TINTS)) >= CONTROL
