"""Counted work is the same whether or not the run is covered."""

from __future__ import annotations

import sys

import pytest
from slipcover import Slipcover

from tests.work import TooMuchWork, at_most

PROBED = """
def probed():
    return None


def busy():
    for _ in range(200):
        probed()
"""


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="slipcover puts no probes into the bytecode there")
def test_what_a_probe_calls_is_not_counted_and_what_we_call_is() -> None:
    cover = Slipcover(branch=True, d_miss_threshold=1)  # each probe met twice goes, and with it a look at all code
    made: dict[str, object] = {}
    exec(cover.instrument(compile(PROBED, "probed", "exec")), made)
    probed, busy = made["probed"], made["busy"]
    assert callable(probed)
    assert callable(busy)
    with at_most(calls=50):
        for _ in range(10):
            probed()
    with pytest.raises(TooMuchWork), at_most(calls=50):
        busy()
