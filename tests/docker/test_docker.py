"""No container engine runs in the tests: files are parsed and held against the project, the profile is loaded."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from marketplace.cli import serve
from marketplace.cli.main import parser
from marketplace.config import Config, load
from marketplace.web import parts
from policies.binaries import VERSIONS

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
PROFILE: dict[str, Any] = json.loads((DOCKER / "seccomp.json").read_text(encoding="utf-8"))
COMPOSE: dict[str, Any] = YAML(typ="safe", pure=True).load(DOCKER / "compose.yaml")
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("service", "worker", "migrate")

LOAD_PROFILE = """
import ctypes, errno, json, sys, pyseccomp as s
profile = json.load(open(sys.argv[1]))
libc = ctypes.CDLL(None, use_errno=True)
numbers = {name: s.resolve_syscall(s.Arch.NATIVE, name) for name in sys.argv[2:]}
rules = s.SyscallFilter(s.ERRNO(profile["defaultErrnoRet"]))
for group in profile["syscalls"]:
    for name in group["names"]:
        rules.add_rule(s.ALLOW, name)
rules.load()
"""
START_JAIL = (
    LOAD_PROFILE
    + """
from sandbox.isolation import layers
print(json.dumps({each.name: each.present for each in layers.check()}))
"""
)
TRY_EACH = (
    LOAD_PROFILE
    + """
for name, number in numbers.items():
    ctypes.set_errno(0)
    libc.syscall(number, 0, 0, 0, 0, 0, 0)
    print(name, errno.errorcode.get(ctypes.get_errno()))
"""
)
NEVER = (
    "init_module", "finit_module", "delete_module", "kexec_load", "bpf", "perf_event_open", "ptrace",
    "process_vm_readv", "process_vm_writev", "add_key", "keyctl", "request_key", "userfaultfd", "io_uring_setup",
    "swapon", "reboot", "settimeofday", "clock_settime", "open_by_handle_at", "quotactl", "acct", "vhangup",
)  # fmt: skip


def _under(code: str, *arguments: str) -> str:
    command = [sys.executable, "-c", code, str(DOCKER / "seccomp.json"), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_jail_with_every_mandatory_layer_starts_under_the_profile() -> None:
    present = json.loads(_under(START_JAIL))
    assert {name for name, here in present.items() if not here} <= {"cgroup"}


def test_the_profile_refuses_what_no_part_of_the_service_needs() -> None:
    said = dict(line.split() for line in _under(TRY_EACH, *NEVER).splitlines())
    assert said == dict.fromkeys(NEVER, "EPERM")


def test_the_profile_allows_by_name_and_names_each_call_once() -> None:
    assert PROFILE["defaultAction"] == "SCMP_ACT_ERRNO"
    names = [name for group in PROFILE["syscalls"] for name in group["names"]]
    assert len(names) == len(set(names))
    assert {group["action"] for group in PROFILE["syscalls"]} == {"SCMP_ACT_ALLOW"}
    assert set(names).isdisjoint(NEVER)


@pytest.mark.parametrize("name", SERVICES)
def test_no_container_has_root_capabilities_or_a_writable_image(name: str) -> None:
    service = SERVICES[name]
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service
    assert "cap_add" not in service


@pytest.mark.parametrize("name", OURS)
def test_what_runs_jails_has_the_profile_under_which_bwrap_starts(name: str) -> None:
    options = SERVICES[name]["security_opt"]
    profile = next(option.partition("=")[2] for option in options if option.startswith("seccomp="))
    assert (DOCKER / profile).is_file()


def _value(variable: re.Match[str]) -> str:
    """Its default where it has one."""
    return variable[2] if variable[1] == "-" else "x"


@pytest.mark.parametrize("name", OURS)
def test_the_environment_is_one_that_the_service_knows(name: str) -> None:
    given = SERVICES[name]["environment"].items()
    environment = {key: re.sub(r"\$\{\w+:([-?])(.*?)\}", _value, told) for key, told in given}
    known = {f"SANDULIEU_{field.upper()}" for field in Config.__struct_fields__} | {"DATABASE_URL"}
    assert set(environment) <= known
    config = load(environment)
    assert config.database_url is not None
    assert "sandulieu_service" in config.database_url


@pytest.mark.parametrize("name", OURS)
def test_the_command_is_one_that_the_program_knows(name: str) -> None:
    assert parser().parse_args(SERVICES[name]["command"]).func


def test_every_host_that_is_named_is_a_service_on_the_same_network() -> None:
    for name in OURS:
        hosts = re.findall(r"(?:@|http://)(\w+)[:/]", " ".join(SERVICES[name]["environment"].values()))
        for host in {host for host in hosts if host in SERVICES}:
            assert set(SERVICES[host]["networks"]) & set(SERVICES[name]["networks"])
        assert "postgres" in hosts


def test_only_the_service_is_reachable_and_only_from_this_machine() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports == {"service": ["127.0.0.1:8080:8080"]}
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_who_talks_to_others_outside_has_a_way_there() -> None:
    # The worker too: it asks Stripe, the tax office, witnesses, other catalogues, and publishes the log.
    ways = {name for name in SERVICES if "outside" in SERVICES[name]["networks"]}
    assert ways == {"service", "worker"}


@pytest.mark.parametrize("name", OURS)
def test_a_stop_may_take_as_long_as_the_service_takes_and_orphans_of_jails_are_seen_off(name: str) -> None:
    assert SERVICES[name]["stop_grace_period"] == "30s"
    assert serve.GRACEFUL_S + parts.SHUTDOWN_S < 30
    assert SERVICES[name]["init"] is True


def test_settings_beyond_these_come_from_one_file_for_all_of_ours() -> None:
    files = [SERVICES[name]["env_file"] for name in OURS]
    assert files == [[{"path": "${SANDULIEU_ENV_FILE:-sandulieu.env}", "required": False}]] * len(OURS)


def test_opa_reads_the_bundle_again_when_it_was_signed_anew() -> None:
    assert SERVICES["opa"]["depends_on"]["bundle"] == {
        "condition": "service_completed_successfully",
        "restart": True,
    }


def test_every_volume_that_is_used_is_declared_or_a_file_here() -> None:
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.removeprefix("${SANDULIEU_FILES:-./files}").split(":")[0]
            assert not source or source in COMPOSE["volumes"] or (DOCKER / source).is_file()


def test_the_targets_that_are_built_are_stages_of_the_file_and_none_runs_as_root() -> None:
    stages = re.findall(r"^FROM \S+ AS (\S+)$(.*?)(?=^FROM |\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL)
    body = dict(stages)
    for service in SERVICES.values():
        if "build" in service:
            users = re.findall(r"^USER (\S+)$", body[service["build"]["target"]], re.MULTILINE)
            assert users == [service["user"]]


def test_images_and_make_bring_the_same_versions() -> None:
    uv = re.findall(r"uv==([\d.]+)", DOCKERFILE)
    assert uv == re.findall(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    everywhere = DOCKERFILE + (DOCKER / "compose.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r"openpolicyagent/opa:([\d.]+)", everywhere)) == {VERSIONS["opa"]}


def test_only_the_container_that_signs_has_the_signing_key() -> None:
    holders = {name for name, s in SERVICES.items() if any("policy-key" in v for v in s.get("volumes", []))}
    assert holders == {"bundle"}
    assert "policy:/policy:ro" in SERVICES["opa"]["volumes"]
    assert "/policy/opa.json" in SERVICES["opa"]["command"]


def test_what_the_image_copies_is_there_and_sent_to_the_builder() -> None:
    sent = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    copied = [line.split()[1:-1] for line in DOCKERFILE.splitlines() if re.match(r"COPY (?!--from)", line)]
    for source in (name for names in copied for name in names):
        assert (ROOT / source).exists()
        assert source in sent
