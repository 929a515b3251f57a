"""The two shipped datasets, published once a run through the real jails."""

from __future__ import annotations

import hmac
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from catalog.limits import IngestLimits
from catalog.publish import Publication, publish
from catalog.storage import Store

EXAMPLES = Path(__file__).parents[2] / "examples"
LIMITS = IngestLimits(deadline_ms=60_000, memory_bytes=2 * 1024**3)


def pseudonymise(subjects: Sequence[str]) -> list[bytes]:
    """As the marketplace does, under a key of the test's own."""
    return [hmac.digest(b"key of a test", s.encode(), "sha256")[:16] for s in subjects]


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def adult(store: Store) -> Publication:
    folder = EXAMPLES / "adult"
    return publish(
        (folder / "manifest.yaml").read_text(encoding="utf-8"), folder / "adult.csv.gz", store=store,
        pseudonymise=pseudonymise, consents=None, previous=None, limits=LIMITS,
    )  # fmt: skip


@pytest.fixture(scope="session")
def register(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The synthetic register, 200,000 rows."""
    file = tmp_path_factory.mktemp("register") / "giay_phep_lai_xe.csv"
    subprocess.run([sys.executable, str(EXAMPLES / "giay_phep_lai_xe" / "generate.py"), str(file)], check=True)
    return file


@pytest.fixture(scope="session")
def licences(store: Store, register: Path) -> Publication:
    manifest = EXAMPLES / "giay_phep_lai_xe" / "manifest.yaml"
    return publish(
        manifest.read_text(encoding="utf-8"), register, store=store, pseudonymise=pseudonymise, consents=None,
        previous=None, limits=LIMITS,
    )  # fmt: skip
