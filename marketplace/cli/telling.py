"""Errors and reasons on a terminal: what happened, why and what to do next, in Vietnamese and English."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from marketplace.errors import Problem
from marketplace.listings.errors import ManifestWrong
from marketplace.texts import LANGUAGES, message


def tell(code: str, params: Mapping[str, object]) -> None:
    """One code with its values, on standard error."""
    for language in LANGUAGES:
        said = message(code, params, language)
        print(f"{said.what} {said.why} {said.next}".strip(), file=sys.stderr)


def tell_problem(problem: Problem) -> None:
    """What is wrong, every wrong field, and every reason of the decision behind it."""
    tell(problem.code, problem.params)
    for error in problem.params.get("errors") or ():
        if "code" in error:
            print(f"  {error['path']}:", file=sys.stderr)
            tell(error["code"], {"path": error["path"], **error.get("params", {})})
    for reason in problem.reasons:
        tell(reason.code, reason.params)


def tell_manifest(wrong: ManifestWrong, manifest: Path, *, as_json: bool) -> int:
    """Every error with its place, as compilers do. Returns the exit code."""
    if as_json:
        print(msgspec.json.encode({"code": wrong.code, "errors": wrong.params["errors"]}).decode())
    for error in wrong.params["errors"]:
        for language in LANGUAGES:
            said = message(error["code"], error["params"], language)
            place = manifest if error["path"] == "manifest" else error["path"]
            print(
                f"{place}:{error['line']}:{error['column']}: {said.what} {said.why} {said.next}", file=sys.stderr
            )
    return 1


def read_pair(manifest: Path, source: Path) -> str | None:
    """The manifest's text; None (and said so) if one of the files is not there or is no text."""
    try:
        if not source.exists():
            raise FileNotFoundError(2, "No such file", str(source))
        return manifest.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as wrong:
        print(f"Không đọc được / cannot read: {wrong}", file=sys.stderr)
        return None
