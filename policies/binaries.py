"""Where OPA and Regal are, which build and check the policy, and what else only tests run; serving needs none.

Only the standard library, so that it runs before there is an environment.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Name = Literal["opa", "regal", "stripe-mock", "localstripe", "pycanon", "great-expectations",
               "standards", "ckanext-dcat"]  # fmt: skip
VERSIONS: dict[Name, str] = {
    "opa": "1.22.0", "regal": "0.38.1", "stripe-mock": "0.203.0", "localstripe": "1.15.10",
    "pycanon": "1.3.6", "great-expectations": "1.24.0", "standards": "1", "ckanext-dcat": "2.4.4",
}  # fmt: skip
"""Pinned: another OPA gives other bytes for the same sources."""
SAY_THEIR_VERSION = ("opa", "regal")
LOCAL = Path(__file__).resolve().parents[1] / ".tools"


@dataclass(frozen=True)
class Found:
    """A program, and which of the places it was found in."""

    path: Path
    version: str
    place: Literal["tools", "cache", "path"]


def cache_folder() -> Path:
    """$XDG_CACHE_HOME/sandulieu/tools, else ~/.cache/sandulieu/tools: shared by every clone."""
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "sandulieu" / "tools"


def find(name: Name) -> Found | None:
    """The pinned version in .tools or the cache folder, or OPA or Regal on PATH if it is that version."""
    version = VERSIONS[name]
    for place, folder in (("tools", LOCAL), ("cache", cache_folder())):
        path = folder / f"{name}-{version}"
        if os.access(path, os.X_OK):
            return Found(path, version, "tools" if place == "tools" else "cache")
    on_path = shutil.which(name) if name in SAY_THEIR_VERSION else None
    if on_path and version_of(Path(on_path)) == version:
        return Found(Path(on_path), version, "path")
    return None


def version_of(path: Path) -> str | None:
    """What the program itself says, or None if it does not run or says nothing."""
    try:
        said = subprocess.run([path, "version"], capture_output=True, text=True, timeout=20, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(?m)^Version:\s*v?([0-9][\w.+-]*)", said)
    return match[1] if match else None
