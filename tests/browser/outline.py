"""What a page must have for keyboards and screen readers, checked on its HTML."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr"}
FIELDS = {"input", "select", "textarea"}


class Outline(HTMLParser):
    """Collects the faults of one page."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[str] = []
        self.ids: list[str] = []
        self.refers: list[str] = []
        self.labelled: set[str] = set()
        self.fields: list[dict[str, str | None]] = []
        self.headings: list[int] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        if tag not in VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("for", "aria-labelledby", "aria-describedby"):
            self.refers += str(given.get(name) or "").split()
        if tag == "label" and given.get("for"):
            self.labelled.add(str(given["for"]))
        if tag in FIELDS and given.get("type") != "hidden" and "label" not in self.open:
            self.fields.append(given)
        if len(tag) == 2 and tag[0] == "h" and tag[1].isdigit():
            self.headings.append(int(tag[1]))
        if tag == "a" and not given.get("href"):
            self.found.append("a link without an address")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.found.append(f"</{tag}> closes nothing")


def faults(page: str) -> list[str]:
    """Open elements, double or dangling ids, fields without label, jumps in the headings, not exactly one h1."""
    outline = Outline()
    outline.feed(page)
    found = outline.found + [f"<{tag}> stays open" for tag in outline.open]
    found += [f"id {one} twice" for one in set(outline.ids) if outline.ids.count(one) > 1]
    found += [f"id {one} is not there" for one in outline.refers if one not in outline.ids]
    found += [f"no label: {field}" for field in outline.fields if field.get("id") not in outline.labelled]
    if outline.headings.count(1) != 1:
        found.append(f"headings {outline.headings}")
    following = zip(outline.headings, outline.headings[1:], strict=False)
    found += [f"h{after} after h{before}" for before, after in following if after > before + 1]
    return found
