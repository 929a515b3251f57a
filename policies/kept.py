"""Policies kept by revision, sources and module together, so that what was decided can be decided again."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import secrets
import shutil
from pathlib import Path
from typing import Any

import msgspec
from opapywasm import UNDEFINED, OpaWasmError, OpaWasmPolicy

from policies.module import BUILT, CONFIG, WASM, Built
from policies.sources import FOLDER, data, data_files, revision_of, rules


class KeptBroken(Exception):
    """The folder holds no policy, or its parts do not belong together; the message names the part."""


class Undecided(Exception):
    """The module failed or said nothing."""


class KeptPolicy:
    """A policy of any revision, in this process. `module_sha256`: of policy.wasm (hex)."""

    def __init__(self, folder: Path) -> None:
        """Raises KeptBroken unless sources, module and stamp belong together."""
        module = _whole(folder)
        self.revision = module.revision
        self.module_sha256 = module.sha256
        document = msgspec.json.encode(data(folder), order="deterministic")
        try:
            self._policy = _opened((folder / WASM).read_bytes(), document)
        except OpaWasmError as error:
            raise KeptBroken(f"{WASM}: {type(error).__name__}") from error

    def said(self, question: bytes) -> dict[str, Any]:
        """What the policy says to a question's JSON, through no struct of today. Raises Undecided."""
        try:
            said = self._policy.evaluate(question, entrypoint=_entrypoint(question))
        except OpaWasmError as error:
            raise Undecided(type(error).__name__) from error
        if said is UNDEFINED or not isinstance(said, dict):
            raise Undecided("undefined")
        return said


@functools.lru_cache(maxsize=2)
def _opened(module: bytes, document: bytes) -> OpaWasmPolicy:
    """Held for whoever asks again: to open it takes as long as a hundred decisions. It serves one at a time."""
    policy = OpaWasmPolicy.from_wasm_bytes(module, CONFIG)
    policy.set_data(document)
    return policy


def keep(root: Path, source: Path = FOLDER) -> Path:
    """Keep the policy of `source` as root/<revision>, once; gives that folder. Raises KeptBroken, OSError."""
    target = root / _whole(source).revision
    if not target.exists():
        root.mkdir(parents=True, exist_ok=True)
        draft = root / f".{target.name}.{secrets.token_hex(4)}"
        copy(source, draft)
        # Another process may have kept it meanwhile: the same bytes.
        with contextlib.suppress(OSError):
            draft.rename(target)
        shutil.rmtree(draft, ignore_errors=True)
    return target


@functools.cache
def module_sha256(revision: str) -> str | None:
    """Hash of the module that decides here, if it is of that revision. The log commits to both."""
    stamp = msgspec.json.decode((FOLDER / BUILT).read_bytes(), type=Built)
    return stamp.sha256 if stamp.revision == revision else None


def copy(source: Path, target: Path) -> None:
    """Rules without their tests, data, module and stamp. Raises OSError."""
    files = (*rules(source), *data_files(source), source / WASM, source / BUILT)
    for file in files:
        place = target / file.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, place)


def _whole(folder: Path) -> Built:
    try:
        stamp = msgspec.json.decode((folder / BUILT).read_bytes(), type=Built)
        module = (folder / WASM).read_bytes()
        found = revision_of(folder)
    except (OSError, msgspec.MsgspecError) as wrong:
        raise KeptBroken(str(wrong)) from wrong
    if stamp.revision != found:
        raise KeptBroken(f"rules and data are of revision {found}, {BUILT} says {stamp.revision}")
    if hashlib.sha256(module).hexdigest() != stamp.sha256:
        raise KeptBroken(f"{WASM} is not the module that {BUILT} names")
    return stamp


def _entrypoint(question: bytes) -> str:
    """access/1 is answered by access/decision."""
    try:
        schema = msgspec.json.decode(question, type=dict[str, Any])["schema"]
        return f"{schema.partition('/')[0]}/decision"
    except (msgspec.MsgspecError, KeyError, AttributeError) as wrong:
        raise Undecided("the question names no schema") from wrong
