"""A home that a test has to itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import homes


@pytest.fixture
def own_home() -> Iterator[Path]:
    """Empty; what runs in it is stopped afterwards."""
    with homes.own_home() as home:
        yield home
