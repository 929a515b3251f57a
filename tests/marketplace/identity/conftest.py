"""A sign-in service as a process of its own, at which forgeries can be had too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from marketplace.config import Config
from marketplace.db.keys import Keys
from tests.marketplace.identity.signing import provider


@pytest.fixture(scope="package")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    file = Path(tmp_path_factory.mktemp("citizens")) / "citizens.csv"
    file.write_text("so,ten\nP00001,A\nP00002,B\n", encoding="utf-8")
    with provider(file) as address:
        yield address


@pytest.fixture
def configured(config: Config, issuer: str) -> Config:
    return msgspec.structs.replace(config, oidc_issuer=issuer)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")
