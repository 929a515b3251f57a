"""The allow-list lets through what is listed and nothing else, on both machines; nothing listed is superfluous."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator

import pytest

from sandbox.isolation import seccomp
from sandbox.isolation.allowed import RULES, WARM_RULES, Rule
from sandbox.isolation.jail import Jail
from tests.attack.conftest import require_layers
from tests.sandbox.isolation import bpf
from tests.sandbox.isolation.learning import Job, ends_well, missed, publication, queries, serves, trial_jail

MACHINES = ("x86_64", "aarch64")
NO_CALL_ABOVE = 1_024
X32 = 0x40000000
NEVER = (
    "io_uring_setup", "io_uring_enter", "io_uring_register", "userfaultfd", "ptrace", "keyctl", "add_key",
    "request_key", "unshare", "setns", "mount", "umount2", "move_mount", "fsopen", "open_tree", "pivot_root",
    "chroot", "socket", "socketpair", "connect", "bind", "listen", "accept4", "sendmsg", "memfd_create",
    "memfd_secret", "execve", "execveat", "fork", "vfork", "clone3", "bpf", "perf_event_open", "process_vm_readv",
    "process_vm_writev", "process_madvise", "pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kill", "tgkill",
    "tkill", "kexec_load", "kexec_file_load", "init_module", "finit_module", "modify_ldt", "personality",
    "seccomp", "landlock_create_ruleset", "prctl", "ioctl", "prlimit64", "open", "openat2", "open_by_handle_at",
    "unlinkat", "renameat2", "linkat", "symlinkat", "mkdirat", "mknodat", "fchmodat", "ftruncate", "fallocate",
    "pwrite64", "splice", "vmsplice", "tee", "mq_open", "shmget", "msgget", "semget", "inotify_init1",
    "fanotify_init", "name_to_handle_at", "pkey_mprotect", "arch_prctl", "map_shadow_stack", "remap_file_pages",
    "dup", "dup3", "futex_requeue", "futex_waitv", "mbind", "set_mempolicy", "sched_setaffinity", "timer_create",
    "quotactl", "acct", "syslog", "swapon", "reboot", "iopl", "ioperm", "setuid", "setgroups", "capset", "flock",
)  # fmt: skip

LISTS = {"child": (seccomp.allow_program, RULES), "warm": (seccomp.warm_program, WARM_RULES)}
WARM_NEEDS = {"socketpair", "sendmsg", "process_vm_readv", "pidfd_open", "kill", "seccomp", "prctl", "ioctl",
              "landlock_create_ruleset", "prlimit64", "dup3"}  # fmt: skip


def named(machine: str, number: int) -> str:
    """The call of this number on that machine; empty where there is none."""
    library = seccomp._library()
    try:
        name: bytes = library.resolve_syscall(seccomp._architecture(machine), number)
    except (OSError, ValueError):
        return ""
    return name.decode()


def samples(rule: Rule) -> list[list[int]]:
    """Arguments that pass this rule, then arguments that fail one of its tests alone, high words too."""
    passing = [0] * 6
    for test in rule.when:
        passing[test.index] = test.value
    found = [passing]
    for test in rule.when:
        for bit in range(64):
            if test.mask >> bit & 1:
                found.append([a ^ (1 << bit) if i == test.index else a for i, a in enumerate(passing)])
    return found


def expected(rules: tuple[Rule, ...], call: str, arguments: list[int]) -> int:
    """What the list says, read from the list itself."""
    for rule in rules:
        if rule.call == call and all(arguments[t.index] & t.mask == t.value for t in rule.when):
            return bpf.ALLOW
    return bpf.refusal(errno.ENOSYS if call == "clone3" else errno.EPERM)


@pytest.mark.parametrize("whose", LISTS)
@pytest.mark.parametrize("machine", MACHINES)
def test_every_number_is_answered_as_the_list_says(machine: str, whose: str) -> None:
    program_of, rules = LISTS[whose]
    program, architecture = bpf.instructions(program_of(machine)), bpf.AUDIT_ARCH[machine]
    tried = [sample for rule in rules for sample in samples(rule)]
    for number in range(NO_CALL_ABOVE):
        name = named(machine, number)
        own = [sample for rule in rules if rule.call == name for sample in samples(rule)]
        for arguments in own or [tried[0], tried[number % len(tried)], [2**64 - 1] * 6]:
            assert bpf.answer(program, architecture, number, arguments) == expected(rules, name, arguments), name


@pytest.mark.parametrize("machine", MACHINES)
def test_each_rule_has_a_number_or_a_sister_that_has(machine: str) -> None:
    library, architecture = seccomp._library(), seccomp._architecture(machine)
    without = {r.call for r in WARM_RULES if library.resolve_syscall(architecture, r.call) < 0}
    sisters = {"stat": "newfstatat", "dup2": "dup3", "poll": "ppoll"}
    assert without == (set() if machine == "x86_64" else set(sisters))
    assert {r.call for r in WARM_RULES} >= set(sisters.values())


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("program_of", [seccomp.allow_program, seccomp.open_program, seccomp.warm_program])
def test_another_architectures_entry_ends_the_process(machine: str, program_of: object) -> None:
    assert callable(program_of)
    program = bpf.instructions(program_of(machine))
    for other, architecture in bpf.AUDIT_ARCH.items():
        if other != machine:
            answers = {bpf.answer(program, architecture, number) for number in range(NO_CALL_ABOVE)}
            assert answers == {bpf.KILL_PROCESS}, other
    if machine == "x86_64":
        answers = {bpf.answer(program, bpf.AUDIT_ARCH[machine], X32 + n) for n in (0, 1, 59, 512, 520, 547)}
        assert answers == {bpf.KILL_PROCESS}


@pytest.mark.parametrize("whose", LISTS)
@pytest.mark.parametrize("machine", MACHINES)
def test_no_argument_opens_what_must_never_be_allowed(machine: str, whose: str) -> None:
    library, program = seccomp._library(), bpf.instructions(LISTS[whose][0](machine))
    for call in set(NEVER) - (WARM_NEEDS if whose == "warm" else set()):
        number = library.resolve_syscall(seccomp._architecture(machine), call)
        for arguments in ([0] * 6, [1] * 6, [2**64 - 1] * 6, [0x3D0F00, 3, 0, 2]):
            answer = bpf.answer(program, bpf.AUDIT_ARCH[machine], number, arguments)
            assert answer in (bpf.refusal(errno.EPERM), bpf.refusal(errno.ENOSYS)), call


@pytest.mark.parametrize("machine", MACHINES)
def test_openat_and_nothing_else_goes_to_the_supervisor(machine: str) -> None:
    program, architecture = bpf.instructions(seccomp.open_program(machine)), bpf.AUDIT_ARCH[machine]
    for number in range(NO_CALL_ABOVE):
        wanted = bpf.NOTIFY if named(machine, number) == "openat" else bpf.ALLOW
        assert bpf.answer(program, architecture, number) == wanted


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[Job]:
    folder = tmp_path_factory.mktemp("learning")
    return [*queries(folder), *publication(folder)]


@pytest.fixture(scope="module")
async def bound() -> AsyncIterator[Jail]:
    """A jail behind the committed list, but that a trial may take more away."""
    require_layers()
    async with trial_jail(seccomp.compiled_rules((*RULES, Rule("seccomp")))) as jail:
        yield jail


async def test_queries_and_publications_end_well_behind_the_list(bound: Jail, jobs: list[Job]) -> None:
    assert {job.entry.split(":")[0].rpartition(".")[2] for job in jobs} == {
        "query",
        "scan",
        "anonymise",
        "measure",
    }
    assert all([await ends_well(bound, job) for job in jobs])


@pytest.mark.parametrize("rule", [r for r in RULES if not r.why], ids=lambda r: f"{r.call} {len(r.when)}")
async def test_without_this_rule_a_job_fails(rule: Rule, bound: Jail, jobs: list[Job]) -> None:
    assert await missed(bound, [job for job in jobs if job.ends == "done"], [rule])


async def test_a_warm_process_serves_behind_its_list() -> None:
    require_layers()
    assert await serves(seccomp.warm_program())


@pytest.mark.parametrize(
    "rule", [r for r in WARM_RULES[len(RULES) :] if not r.why], ids=lambda r: f"{r.call} {len(r.when)}"
)
async def test_without_this_rule_a_warm_process_does_not_serve(rule: Rule) -> None:
    require_layers()
    assert not await serves(seccomp.compiled_rules(tuple(r for r in WARM_RULES if r != rule)))


def test_what_no_job_misses_says_what_it_is_for() -> None:
    reasons = [rule.why for rule in WARM_RULES if rule.why]
    assert len(reasons) < len(RULES) / 2 + 2
    assert all(len(why) > 15 for why in reasons)
