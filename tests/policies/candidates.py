"""Candidates for tests: the committed policy with one thing in its data changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from policies.sources import FOLDER

LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.py", "*.wasm", "policy.json")


def candidate(folder: Path, **values: int) -> Path:
    """A copy of the rules, data and cases in which every number of that name in the data has the value given."""
    shutil.copytree(FOLDER, folder, ignore=LEFT_OUT)
    for path in (folder / "data").glob("*.json"):
        document = json.loads(path.read_bytes())
        for name, value in values.items():
            _put(document, name, value)
        path.write_text(json.dumps(document))
    return folder


def _put(document: Any, name: str, value: int) -> None:
    if isinstance(document, dict) and isinstance(document.get(name), int):
        document[name] = value
    for each in (
        document.values() if isinstance(document, dict) else document if isinstance(document, list) else ()
    ):
        _put(each, name, value)
