"""A signed bundle, and the configuration with which an OPA server verifies it before each activation."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from policies.build import BuildFailed, bundle
from policies.signing import ALGORITHM, PUBLIC, key_id, signing_key
from policies.sources import revision

NAME = "sandulieu"
POLL_S = (5, 10)
BUILD_TIMEOUT_S = 60


class Released(Struct, frozen=True, kw_only=True):
    """What was written. `configuration`: for `opa run --config-file`."""

    bundle: Path
    configuration: Path
    revision: str
    key_id: str
    built_at_ms: int


def release(opa: Path, path: Path, *, keys: Path, built_at_ms: int, served_at: str | None = None) -> Released:
    """Write the bundle at `path`, signed by the key in the folder `keys`, and `opa.json` beside it.

    `built_at_ms` stands in the signed manifest: a server that is given no newer bundle is seen to age.
    `served_at`: the web folder from which OPA fetches it again and again; None: OPA reads the file once.
    Raises BuildFailed.
    """
    key = signing_key(keys)
    public = (keys / PUBLIC).read_bytes()
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        folder = _unpacked(bundle(opa, Path(scratch) / "unsigned.tar.gz"), Path(scratch) / "bundle")
        manifest = folder / ".manifest"
        said = msgspec.json.decode(manifest.read_bytes(), type=dict[str, Any])
        manifest.write_bytes(msgspec.json.encode(said | {"metadata": {"built_at_ms": built_at_ms}}))
        signed = _signed(opa, folder, key, key_id(public))
        configuration = Path(scratch) / "opa.json"
        configuration.write_bytes(_configuration(path, public, served_at))
        signed.replace(path)
        configuration.replace(path.with_name("opa.json"))
    return Released(
        bundle=path,
        configuration=path.with_name("opa.json"),
        revision=revision(),
        key_id=key_id(public),
        built_at_ms=built_at_ms,
    )


def _unpacked(archive: Path, folder: Path) -> Path:
    """What OPA itself packed; its names begin with a slash. (Python 3.11 as Debian 12 has it knows no filters.)"""
    with tarfile.open(archive) as opened:
        for member in opened:
            content = opened.extractfile(member)
            if content is not None:
                file = folder / member.name.lstrip("/")
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(content.read())
    return folder


def _signed(opa: Path, folder: Path, key: Path, name: str) -> Path:
    path = folder.with_name("signed.tar.gz")
    signing = ["--signing-key", str(key), "--signing-alg", ALGORITHM, "--verification-key-id", name]
    command = [str(opa), "build", "--bundle", str(folder), "--revision", revision(), *signing, "-o", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=BUILD_TIMEOUT_S)
    if done.returncode:
        raise BuildFailed(done.stderr or done.stdout)
    return path


def _configuration(path: Path, public: bytes, served_at: str | None) -> bytes:
    name = key_id(public)
    source: dict[str, Any] = {"resource": path.resolve().as_uri()}
    if served_at is not None:
        source = {"service": NAME, "resource": path.name}
    polling = {"min_delay_seconds": POLL_S[0], "max_delay_seconds": POLL_S[1]}
    document = {
        "services": {NAME: {"url": served_at}} if served_at is not None else {},
        "bundles": {NAME: source | {"signing": {"keyid": name}, "polling": polling}},
        "keys": {name: {"algorithm": ALGORITHM, "key": public.decode()}},
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2) + b"\n"
