"""What the documents tell somebody to type, open or set is there."""

from __future__ import annotations

import argparse
import re
import shlex
import tomllib
from collections.abc import Iterator
from contextlib import nullcontext
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import cast

import pytest

from marketplace.cli.main import parser
from marketplace.config import ELSEWHERE, UNPREFIXED, Config
from marketplace.queries.services import Services
from marketplace.web.app import create_app
from tests.documents.reading import DOCUMENTS, NOW, ROOT, Said, addresses, anchors, code, commands, lines, tracked

STANDS_FOR = {"LEAF": "1", "SIZE": "1", "N": "1", "R": "r", "T": "2026-11-01", "…": "1", "FORM": "csv",
              "ID": "018f0000-0000-7000-8000-000000000000"}  # fmt: skip
"""What a document writes for a value → one."""
FOREIGN = ("/v1/data/", "/v1/config", "/sys", "/proc", "/dev", "/add-checkpoint", "/<SHA-256")
"""Addresses of others (OPA, a witness, a catalogue) and folders of the machine."""
OUR_PAGES = r"/(alerts|catalog|datasets|demands|harvest|incidents|invoices|linkages|log|months|people|payments|tables|toi|top-ups|watches)\b"  # noqa: E501
OF_THE_IMAGES = {"SANDULIEU_OWNER_PASSWORD", "SANDULIEU_SERVICE_PASSWORD", "SANDULIEU_ENV_FILE"}
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
MADE = ("docker/sandulieu.env", "bench/results.json", "policy/", "released/approvals/")
"""Paths below folders of ours that whoever runs it makes."""


_RUN = re.compile(r"(?:[A-Z_]+=\S+ )*(?:make ([\w-]+)|python -m ([\w.]+)|python ([\w/.]+\.py))")


def _shown(said: Said) -> str:
    return f"{said.where} {said.text[:60]}"


@cache
def _command_line() -> argparse.ArgumentParser:
    return parser()


def _leaf(words: list[str]) -> tuple[argparse.ArgumentParser, list[str]]:
    """The parser that the words lead to, and those that are left. Fails for a verb that there is none of."""
    here = _command_line()
    while groups := [a for a in here._actions if isinstance(a, argparse._SubParsersAction)]:
        if not words or words[0].startswith("-"):
            break
        assert words[0] in groups[0].choices, f"no such verb: {words[0]}"
        here, words = groups[0].choices[words[0]], words[1:]
    return here, words


def _words(text: str) -> list[str]:
    plain = re.sub(r"[\[\]]", " ", text).replace(" …", "" if text.endswith(" …") else " …")
    return [STANDS_FOR.get(word, word) for word in shlex.split(re.sub(r"\b([\w-]+)(\|[\w-]+)+", r"\1", plain))]


@pytest.mark.parametrize("said", sorted(set(commands())), ids=_shown)
def test_a_command_is_one(said: Said) -> None:
    here, rest = _leaf(_words(said.text))
    options = {option.partition("=")[0] for option in rest if option.startswith("--")}
    assert options <= set(here._option_string_actions)
    if said.whole:
        _command_line().parse_args(_words(said.text))


def _paths() -> Iterator[tuple[str, str]]:
    for document in NOW:
        for said in code(document):
            for word in re.findall(r"(?<![\w./])[\w*<][\w.*<>{},-]*(?:/[\w.*<>{},-]+)*/?", said.text):
                if ("/" in word and (ROOT / word.split("/")[0]).is_dir()) or word.endswith((".py", ".rego")):
                    yield said.where, word.rstrip(",")


def _spread(path: str) -> Iterator[str]:
    braces = re.search(r"\{([^}]*)\}", path)
    if not braces:
        yield path
        return
    for each in braces[1].split(","):
        yield from _spread(path.replace(braces[0], each, 1))


def test_a_path_in_the_repository_is_there() -> None:
    named = sorted({(where, path) for where, path in _paths() if not path.startswith(MADE)})
    spread = [(where, one) for where, path in named for one in _spread(re.sub(r"<[^>]*>", "*", path.strip("/")))]
    there = {one: _is_there(one) for _, one in spread}
    assert len(there) > 100
    wrong = [(where, one) for where, one in spread if not there[one]]
    assert not wrong, wrong


def _is_there(path: str) -> bool:
    looked = re.compile("(.*/)?" + re.escape(path).replace(r"\*", "[^/]*"))
    return any(looked.fullmatch(kept) for kept in tracked())


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_link_leads_somewhere(document: Path) -> None:
    wrong = []
    for where, line, _ in lines(document):
        for target in re.findall(r"\]\(([^)\s]+)\)", line):
            path, _, place = target.partition("#")
            if ":" in path:
                continue
            to = (document.parent / path).resolve() if path else document
            if not to.exists() or (place and place not in anchors(to)):
                wrong.append(f"{where}: {target}")
    assert wrong == []


def test_a_setting_is_one() -> None:
    known = {
        name.upper() if name in UNPREFIXED else f"SANDULIEU_{name.upper()}" for name in Config.__struct_fields__
    }
    wrong = []
    for document in DOCUMENTS:
        for where, line, _ in lines(document):
            for name in re.findall(r"\bSANDULIEU_[A-Z0-9_]+…?", line):
                family = name.endswith(("_", "_…")) and any(each.startswith(name.rstrip("…")) for each in known)
                if not family and name not in known | ELSEWHERE | OF_THE_IMAGES:
                    wrong.append(f"{where}: {name}")
    assert wrong == []


def _defaults() -> Iterator[tuple[str, str]]:
    table = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    for names, told in re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \| ([^|]*) \|", table, re.MULTILINE):
        each = re.findall(r"`([A-Z_]+)`", names)
        values = [value.strip("` ") for value in told.split(",")]
        yield from zip(each, values if len(values) == len(each) else [told] * len(each), strict=True)


@pytest.mark.parametrize(("name", "told"), sorted(_defaults()))
def test_a_default_is_what_the_documents_say(name: str, told: str) -> None:
    default = getattr(Config(), name.removeprefix("SANDULIEU_").lower())
    if isinstance(default, int):
        number, _, unit = told.partition(" ")
        assert int(number) * UNITS.get(unit, 1) == default
    elif not default:
        assert (
            told.startswith("none") or not told or told.strip("`") in ("DATABASE_URL",) or "SANDULIEU_HOME" in told
        )


@cache
def _routes() -> frozenset[tuple[str, str]]:
    """Method and path, parameters as `{}`."""
    return frozenset(
        (method, re.sub(r"\{[^}]*\}", "{}", route.path))
        for route in create_app(nullcontext(cast(Services, None))).routes
        for method in getattr(route, "methods", ())
    )


def _is_served(method: str | None, path: str) -> bool:
    parts = re.sub(r"\[/\{[^}]*\}\]|\[?\?.*", "", path).rstrip(".,;:)").strip("/").split("/")
    return any(
        method in (None, of)
        and len(parts) == len(served)
        and all(ours in ("{}", asked) for asked, ours in zip(parts, served, strict=True))
        for of, route in _routes()
        for served in (route.strip("/").split("/"), route.removeprefix("/api/v1").strip("/").split("/"))
    )


def test_an_address_is_served() -> None:
    named = sorted({said for said in addresses() if not said[2].startswith(FOREIGN)})
    assert len(named) > 50
    wrong = [said for said in named if not _is_served(*said[1:])]
    assert not wrong, wrong


def _pages() -> set[Said]:
    return {said for document in NOW for said in code(document) if re.match(rf"/api/|{OUR_PAGES}", said.text)}


@pytest.mark.parametrize("said", sorted(_pages()), ids=_shown)
def test_a_page_is_served(said: Said) -> None:
    path = said.text.split(" ")[0]
    begins = path.split("…")[0].rstrip("/")
    assert _is_served(None, path) or any(route.startswith(f"{begins}/") for _, route in _routes())


def test_what_make_and_python_are_told_to_do_is_there() -> None:
    goals = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    wrong = []
    for document in NOW:
        for said in code(document):
            found = re.match(
                r"(?:[A-Z_]+=\S+ )*(?:make ([\w-]+)|python -m ([\w.]+)|python ([\w/.]+\.py))", said.text
            )
            if not found:
                continue
            goal, module, script = found.groups()
            there = (
                goal in goals
                if goal
                else find_spec(module)
                if module
                else any(kept.endswith(f"/{script}") or kept == script for kept in tracked())
            )
            if not there:
                wrong.append(_shown(said))
    assert wrong == []


def test_the_layers_are_those_that_import_linter_holds() -> None:
    """The folders of `marketplace`, from top to bottom; modules that are one file stand below them all."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    held = next(each["layers"] for each in contracts if each["name"] == "layers inside marketplace")
    layers = [[name.removeprefix("marketplace.") for name in layer.split(" : ")] for layer in held]
    folders = [named for layer in layers if (named := [n for n in layer if _is_feature(n)])]
    told = re.search(r"from top to bottom:\s*`(cli → [^`]*)`", (ROOT / "CONTRIBUTING.md").read_text())
    assert told
    assert [sorted(layer.split(", ")) for layer in told[1].split(" → ")] == [sorted(layer) for layer in folders]


def _is_feature(name: str) -> bool:
    return (ROOT / "marketplace" / name).is_dir() and name not in ("texts", "witness")
