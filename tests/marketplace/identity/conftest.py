"""The service's side of a sign-in."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from marketplace.config import Config
from marketplace.db.keys import Keys


@pytest.fixture
def configured(config: Config, issuer: str) -> Config:
    return msgspec.structs.replace(config, oidc_issuer=issuer)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")
