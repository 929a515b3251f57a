"""What the documents say that a program can hold them to: commands, paths, links, settings, addresses."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")),
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
    ROOT / "clients" / "python" / "README.md",
)
NOW = tuple(path for path in DOCUMENTS if path.name != "CHANGELOG.md")
"""Those that say what is; the changelog says what was, too."""
_SPAN = re.compile(r"`([^`\n]+)`")
_ADDRESS = re.compile(r"(?<![\w/])((?:GET|POST|PUT|PATCH|DELETE)(?:\|[A-Z]+)*) +(/[^\s`]*)")


class Said(NamedTuple):
    """`text` as `where` (document:line) says it; `whole`: a line to be typed as it stands."""

    where: str
    text: str
    whole: bool = False


def lines(document: Path) -> Iterator[tuple[str, str, bool]]:
    """Where, the line, and whether it stands in a block (indented or fenced) of its own."""
    fenced = False
    for number, line in enumerate(document.read_text(encoding="utf-8").splitlines(), 1):
        fence = line.lstrip().startswith("```")
        fenced ^= fence
        if not fence:
            yield f"{document.relative_to(ROOT)}:{number}", line, fenced or line.startswith("    ")


def code(document: Path) -> Iterator[Said]:
    """Every code span, and every line of a block."""
    for where, line, block in lines(document):
        if block:
            yield Said(where, line.strip(), whole=True)
        else:
            yield from (Said(where, span) for span in _SPAN.findall(line))


def commands() -> Iterator[Said]:
    """What is to be typed after `sandulieu`, alternatives apart: `a | b ID` below one verb is two commands."""
    for document in NOW:
        for said in code(document):
            found = re.match(r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/)?sandulieu ((?:--)?[a-z]+(?: .*)?)$", said.text)
            if found:
                yield from (said._replace(text=each) for each in _apart(found[1]))


def _apart(text: str) -> Iterator[str]:
    text = re.split(r"\s+#|\s{2,}(?:GET|POST)\b|\s+>| \(", text)[0].replace(r"\|", "|")
    first, *others = re.split(r" [|·] ", text)
    yield first
    verb = first.split()[0]
    yield from (each if each.split()[0] == verb else f"{verb} {each}" for each in others)


def addresses() -> Iterator[tuple[str, str, str]]:
    """Where, method, path (as the document writes it) of every `GET /…` and `POST /…`."""
    for document in NOW:
        for where, line, _ in lines(document):
            for methods, path in _ADDRESS.findall(line):
                yield from ((where, method, path) for method in methods.split("|"))


@cache
def tracked() -> frozenset[str]:
    """Every file and folder that is kept."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = listed.stdout.splitlines()
    return frozenset(files) | {str(up) for file in files for up in Path(file).parents}


def anchor(heading: str) -> str:
    """Of a heading, as GitHub makes it."""
    plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading.replace("`", ""))
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(document: Path) -> frozenset[str]:
    """Every place in it that a link may lead to."""
    return frozenset(
        anchor(line.lstrip("#")) for _, line, block in lines(document) if not block and line.startswith("#")
    )
