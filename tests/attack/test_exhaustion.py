"""What a child can use up ends with it: the jail lives, the next query runs."""

from __future__ import annotations

import platform

import pytest

from sandbox.isolation.pool import Pool
from sandbox.job import SandboxFailed
from tests.attack.conftest import Attack

_X86 = pytest.mark.skipif(platform.machine() != "x86_64", reason="only x86_64 has such numbers")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("spin", "sandbox.deadline"),
        ("spin_in_every_thread", "sandbox.deadline"),
        ("sleep", "sandbox.deadline"),
        ("fill_memory", "sandbox.memory"),
        ("crash", "sandbox.worker_lost"),
        ("deep_recursion", "sandbox.memory"),
        ("end_silently", "sandbox.worker_lost"),
        pytest.param("call_by_x32_number", "sandbox.worker_lost", marks=_X86),
    ],
)
async def test_a_child_that_goes_wrong_ends_alone(name: str, code: str, attack: Attack, attacked: Pool) -> None:
    jails = attacked.pids()
    with pytest.raises(SandboxFailed) as caught:
        await attack(f"exhaustion.{name}", deadline_ms=20_000 if code != "sandbox.deadline" else 300)
    assert (caught.value.code, caught.value.entered) == (code, True)
    assert await attack("memory.executable") == "stopped EPERM"
    assert attacked.pids() == jails


async def test_threads_end_at_the_limit(attack: Attack) -> None:
    assert int(await attack("exhaustion.threads")) < 32


async def test_descriptors_end_at_the_limit(attack: Attack) -> None:
    assert int(await attack("exhaustion.descriptors")) < 1_024


async def test_the_answer_has_a_fixed_size(attack: Attack) -> None:
    assert int(await attack("exhaustion.fill_the_answer")) <= 65_536 + 256 * 1024
    assert await attack("exhaustion.grow_the_answer") != "grown"


async def test_the_environment_tells_nothing(attack: Attack) -> None:
    assert await attack("answers.environment") == ""


async def test_a_child_holds_only_its_own_file(attack: Attack) -> None:
    held = (await attack("answers.descriptors")).split("|")
    assert sorted(x for x in held if x.startswith("file")) == ["file:", "file:own version"]
    assert [x for x in held if x.startswith("other")] == []
    assert [x for x in held if x.startswith("socket")] == ["socket:"]
