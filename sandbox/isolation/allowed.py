"""What a jail may ask of the kernel, with which arguments.

Children: what running engines were seen to need. The warm process: that, and what it needs to make children and to
serve them. Filters stack: a child is bound by both lists.

Learned by `python -m tests.sandbox.isolation.learning`, which takes one call after another away from a real
jail. A test takes each of these rules away and sees a query or a publication fail; where they live with it, a
`why` stands.
"""

from __future__ import annotations

from msgspec import Struct

_ALL_BITS = 2**64 - 1


class Argument(Struct, frozen=True):
    """Holds where (argument & mask) == value; `index` counts from 0, arguments have 64 bits."""

    index: int
    value: int
    mask: int = _ALL_BITS


class Rule(Struct, frozen=True):
    """A system call, allowed where every one of `when` holds. `why`: what it is for, where no query misses it."""

    call: str
    when: tuple[Argument, ...] = ()
    why: str = ""


_32_BITS = 2**32 - 1
_MSG_PEEK = 0x2


def _no_flags(index: int, *, but: int = 0) -> Argument:
    """None of the flags of a message, whose upper half the kernel does not read, but perhaps these."""
    return Argument(index, 0, _32_BITS - but)


_PROT_READ, _PROT_WRITE = 1, 2
_MAP_SHARED = 1
_NO_EXECUTION = Argument(2, 0, _ALL_BITS - _PROT_READ - _PROT_WRITE)
_PRIVATE_MEMORY = Argument(3, 0, _ALL_BITS - 0x2 - 0x10 - 0x20 - 0x4000 - 0x20000)
"""MAP_PRIVATE, FIXED, ANONYMOUS, NORESERVE, STACK."""
_A_THREAD = Argument(0, 0x3D0F00)
"""What glibc gives a new thread: nothing but a thread comes of exactly these flags."""
_WAITING, _WAKING, _WAITING_UNTIL = 0, 1, 9
_FUTEX_PRIVATE, _FUTEX_CLOCK = 128, 256
_F_DUPFD_CLOEXEC = 1_030
_MREMAP_MAYMOVE = 1
_MADV_WILLNEED, _MADV_DONTNEED, _MADV_FREE = 3, 4, 8
_GIVES_BACK = "memory would never be given back, and large queries would reach their limit sooner"
_VALUES = "allocators and thread pools ask it, and live with EPERM by guessing"

RULES: tuple[Rule, ...] = (
    *(Rule(call) for call in (
        "read", "write", "pread64", "lseek", "close", "fstat", "stat", "newfstatat", "openat", "brk", "getrandom",
        "rseq",
    )),
    Rule("mmap", (_NO_EXECUTION, _PRIVATE_MEMORY)),
    # Of what is shared only a view: an answer that can still be written could not be sealed.
    Rule("mmap", (Argument(2, _PROT_READ), Argument(3, _MAP_SHARED))),
    Rule("mprotect", (_NO_EXECUTION,)),
    # No requeue and no priority inheritance, which were ways into kernels. Only the end of a thread is awaited, as
    # the kernel tells it, by what others could share.
    *(Rule("futex", (Argument(1, operation + _FUTEX_PRIVATE),)) for operation in (_WAITING, _WAKING)),
    Rule("futex", (Argument(1, _WAITING_UNTIL, _ALL_BITS - _FUTEX_PRIVATE - _FUTEX_CLOCK),)),
    Rule("fcntl", (Argument(1, _F_DUPFD_CLOEXEC),)),
    Rule("clone", (_A_THREAD,)),
    # To nobody but the other end, and nothing beside the stream: bytes out of band were a way into kernels.
    Rule("sendto", (_no_flags(3), Argument(4, 0))),
    Rule("recvmsg", (_no_flags(2),), why="takes the job with its descriptors: before a trial takes anything away"),
    Rule("recvfrom", (_no_flags(3, but=_MSG_PEEK), Argument(4, 0)),
         why="takes the rest of a long job, and waits for the end after the reply"),
    Rule("munmap", why=_GIVES_BACK),
    Rule("mremap", (Argument(3, _MREMAP_MAYMOVE),), why="large buffers would be copied where they can be moved"),
    *(Rule("madvise", (Argument(2, advice),), why=_GIVES_BACK)
      for advice in (_MADV_WILLNEED, _MADV_DONTNEED, _MADV_FREE)),
    Rule("exit", why="a thread that may not end spins until the deadline"),
    Rule("exit_group", why="the child could not end by itself"),
    Rule("rt_sigprocmask", why="glibc masks signals while it makes a thread"),
    Rule("rt_sigreturn", why="the kernel's own return from a signal"),
    Rule("restart_syscall", why="the kernel's own way to go on after a stop"),
    Rule("set_robust_list", why="glibc says it of each thread"),
    Rule("gettid", why=_VALUES),
    Rule("sched_getaffinity", why=_VALUES),
    Rule("sched_yield", why="locks of the engine yield before they wait: they would only spin"),
    Rule("clock_nanosleep", why="whoever waits before another try would only spin"),
    Rule("clock_gettime", why="where the machine's clock cannot be read without the kernel"),
)  # fmt: skip

_FORK = Argument(0, 0x1200011)
"""What glibc forks with: SIGCHLD, and the child's id told to it; no namespace is new, nothing is shared."""
_UNIX, _STREAM = 1, 0x80001
_FILTER, _ALL_THREADS, _LISTENER = 1, 1, 8
_NOTIFY_RECEIVE, _NOTIFY_SEND, _NOTIFY_ADD_FD, _NOTIFY_FLAGS = 0xC0502100, 0xC0182101, 0x40182103, 0x40082104
_EVERYTHING_HERE = Argument(0, 2**32 - 1, _32_BITS)
_SIGKILL = Argument(1, 9, _32_BITS)
_PR_SET_DUMPABLE = 4

WARM_RULES: tuple[Rule, ...] = (
    *RULES,
    # To make a child, and to hand it over.
    Rule("clone", (_FORK,)),
    Rule("socketpair", (Argument(0, _UNIX), Argument(1, _STREAM))),
    Rule("pidfd_open"),
    Rule("sendmsg", (_no_flags(2),)),
    # What a child binds itself with.
    Rule("dup2"),
    Rule("dup3", why="what glibc calls instead where a machine has no dup2 (aarch64)"),
    Rule("prlimit64", (Argument(0, 0),)),
    Rule("prctl", (Argument(0, _PR_SET_DUMPABLE), Argument(1, 1))),
    Rule("landlock_create_ruleset"),
    Rule("landlock_restrict_self"),
    Rule("seccomp", (Argument(0, _FILTER), Argument(1, _ALL_THREADS))),
    Rule("seccomp", (Argument(0, _FILTER), Argument(1, _LISTENER))),
    # To answer its calls.
    Rule("poll"),
    Rule("ppoll", why="what glibc calls instead where a machine has no poll (aarch64)"),
    Rule("pselect6"),
    *(Rule("ioctl", (Argument(1, request, _32_BITS),))
      for request in (_NOTIFY_RECEIVE, _NOTIFY_SEND, _NOTIFY_ADD_FD)),
    Rule("ioctl", (Argument(1, _NOTIFY_FLAGS, _32_BITS),), why="without it an answer wakes a sleeping processor"),
    Rule("process_vm_readv", (Argument(5, 0),)),
    # To see it end.
    Rule("kill", (_EVERYTHING_HERE, _SIGKILL)),
    Rule("wait4"),
)  # fmt: skip
