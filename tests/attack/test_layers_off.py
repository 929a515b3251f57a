"""Each layer switched off, which only a test can: the attack that it alone stops then goes through."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.isolation import layers, probe
from tests.attack import switched_off
from tests.attack.conftest import give, lone_jail, require_layers
from tests.attack.switched_off import Off
from tests.attack.test_syscalls import HARMLESS_OUTSIDE

OFF: dict[str, tuple[Off, set[str]]] = {
    "namespaces": (switched_off.namespaces, {"see the machine's name", "see a network interface"}),
    "read-only binds": (switched_off.read_only, {"write below ", "fill the disk"}),
    "capabilities": (switched_off.capabilities, {"hold a capability"}),
    "environment": (switched_off.environment, {"read the environment"}),
    "descriptors": (switched_off.descriptors, {"use an inherited descriptor"}),
    "landlock": (switched_off.landlock, {"read a file", "list a folder", "write a file"}),
    "seccomp": (
        switched_off.seccomp_list,
        {"open a socket of family 2", "open a pair of sockets", "start a process", "make executable memory",
         "make memory executable later", "share memory that can be written", "make a file in memory"},
    ),
    "warm process": (
        switched_off.warm_list,
        {"open a socket of family 2", "run a program", "make executable memory", "make memory executable later",
         "share memory that can be written", "make a file in memory"},
    ),
    "limits": (switched_off.limits, {"open files without end", "write a file without end"}),
    "cgroup": (switched_off.group, {"start processes without end", "hold more memory than its limit"}),
}  # fmt: skip
"""Layer → how to switch it off, and what a child can then do at least; where it says so, the warm process."""


@pytest.mark.parametrize("layer", OFF)
def test_without_this_layer_the_service_does_not_start_and_says_what_goes_through(
    layer: str, tmp_path: Path
) -> None:
    require_layers()
    if layer == "cgroup" and not next(each.present for each in layers.check() if each.name == layer):
        pytest.skip("there is no group to switch off: what stands in for it is tried in test_unprivileged.py")
    off, through = OFF[layer]
    with off(tmp_path), pytest.raises(layers.LayerMissing) as caught:
        probe.prove()
    found = {each.found.partition(" could ")[2] for each in caught.value.layers if each.name == layer}
    assert found >= through
    assert {each.name for each in caught.value.layers} == {layer}
    assert all(each.how_to_get == probe.HOW_TO_GET[layer] for each in caught.value.layers)


async def test_without_the_lists_of_calls_most_of_what_they_stop_goes_through(tmp_path: Path) -> None:
    async def through() -> set[str]:
        async with lone_jail() as jail:
            lines = (await give(jail, " ".join(HARMLESS_OUTSIDE))).splitlines()
        assert len(lines) == len(HARMLESS_OUTSIDE)
        return {line.split()[0] for line in lines if line.split()[1] == "through"}

    assert await through() == set()
    with switched_off.seccomp_list(tmp_path), switched_off.warm_list(tmp_path):
        assert len(await through()) > len(HARMLESS_OUTSIDE) / 3


def test_with_every_layer_nothing_goes_through() -> None:
    require_layers()
    assert _through() == []


def _through() -> list[str]:
    try:
        probe.prove()
    except layers.LayerMissing as missing:
        return [each.found for each in missing.layers]
    return []
