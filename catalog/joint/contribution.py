"""One owner's half of a joint dataset: read in a jail as any file, named outside it, and sealed until the join.

Names are pseudonyms under the linkage's own key, so they meet those of the other half and nothing else: neither
the owner's own lineages nor those of another linkage.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from msgspec import Struct

from catalog.cohorts import Ints
from catalog.errors import PublicationRefused
from catalog.intake import Intake, Pseudonymise, read_source
from catalog.joint.sealed import SealBroken, seal_file, unseal_file
from catalog.limits import IngestLimits
from catalog.manifest import Manifest, column_lines, read_manifest
from catalog.past import read_arrays, write_arrays
from catalog.pii.detect import scan_order
from catalog.pii.gate import require_answered
from catalog.storage import Store
from catalog.working import space, workplace

_PERSONS, _NAMES = "persons.sealed", "names.sealed"


class Half(Struct, frozen=True, kw_only=True):
    """An opened contribution: its manifest, its persons' columns (Arrow IPC stream), pseudonyms (n × 16 bytes),
    the order that sorts them, and what each consent column says."""

    manifest: Manifest
    persons: Path
    pseudonyms: Ints
    ascending: Ints
    flags: dict[str, Ints]


def contribute(
    manifest_text: str, source: Path, *, store: Store, contribution_id: str, pseudonymise: Pseudonymise,
    key: bytes, limits: IngestLimits,
) -> int:  # fmt: skip
    """Read `source` as its manifest says and seal it under `key`; how many persons it has. Blocking.

    Raises ManifestRefused, PublicationRefused, SandboxFailed; then the store holds nothing of it.
    """
    manifest = read_manifest(manifest_text)
    if manifest.privacy_unit != "column":
        raise PublicationRefused("publication.joint_differs", field="privacy_unit")
    with workplace(store) as folder, space():
        lines = column_lines(manifest_text)
        intake = read_source(
            manifest, lines, source, folder, pseudonymise=pseudonymise, limits=limits, scan=scan_order(manifest)
        )
        require_answered(manifest, intake.reply.detected, ())
        place = _folder(store, contribution_id)
        place.mkdir(mode=0o700, parents=True)
        try:
            _seal(intake, folder, place, key)
        except BaseException:
            erase(store, contribution_id)
            raise
    return intake.rows


def open_half(
    store: Store, *, contribution_id: str, manifest: Manifest, key: bytes, folder: Path, side: str
) -> Half:
    """Its content, below `folder`, where it is gone when that is. Raises PublicationRefused if it is not whole."""
    place = _folder(store, contribution_id)
    persons, names = folder / f"{side}.arrow", folder / f"{side}.npz"
    try:
        unseal_file(key, place / _PERSONS, persons)
        unseal_file(key, place / _NAMES, names)
    except SealBroken as e:
        raise PublicationRefused("publication.contribution_gone") from e
    with names.open("rb") as file:
        arrays = read_arrays(file)
    names.unlink()
    flags = {name.removeprefix("flag "): said for name, said in arrays.items() if name.startswith("flag ")}
    return Half(
        manifest=manifest, persons=persons, pseudonyms=arrays["pseudonyms"], ascending=arrays["ascending"],
        flags=flags,
    )  # fmt: skip


def erase(store: Store, contribution_id: str) -> None:
    """Its files; whoever calls forgets the key too. Again is harmless."""
    shutil.rmtree(_folder(store, contribution_id), ignore_errors=True)


def _seal(intake: Intake, folder: Path, place: Path, key: bytes) -> None:
    assert intake.pseudonyms is not None  # privacy unit column
    assert intake.ascending is not None
    arrays = {"pseudonyms": intake.pseudonyms, "ascending": intake.ascending}
    names = folder / "names.npz"
    with names.open("xb") as file:
        names.chmod(0o600)
        write_arrays(file, arrays | {f"flag {name}": np.asarray(said) for name, said in intake.flags.items()})
    seal_file(key, names, place / _NAMES)
    seal_file(key, intake.persons, place / _PERSONS)


def _folder(store: Store, contribution_id: str) -> Path:
    if not contribution_id or not set(contribution_id) <= set("0123456789abcdef-"):
        raise ValueError(contribution_id)
    return store.root / "contributions" / contribution_id
