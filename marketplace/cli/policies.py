"""`sandulieu policies …`: for those who change the Rego, and those who verify."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from marketplace.cli.explain import add_explain
from marketplace.cli.loosening import adopt, check_released
from marketplace.cli.policy_tools import PolicyRefused, opa
from marketplace.cli.replay import add_replay
from marketplace.config import load
from marketplace.errors import Problem
from policies.binaries import find
from policies.build import BuildFailed, build
from policies.checks import Checked, all_checks, coverage, tests
from policies.kept import copy, keep
from policies.laws import bases


class PolicyNotKept(Problem):
    """This home never decided with that revision."""

    code = "policy.not_kept"


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """policies build, test, check, adopt, law, export, replay, approve, explain."""
    verbs = subparsers.add_parser("policies").add_subparsers(dest="verb", required=True)
    for name, verb in (
        ("build", _build), ("test", _test), ("law", _law), ("check", _check), ("adopt", _adopt),
    ):  # fmt: skip
        parser = verbs.add_parser(name)
        parser.set_defaults(func=verb)
    export = verbs.add_parser("export")
    export.add_argument("folder", type=Path)
    export.add_argument("--revision")
    export.set_defaults(func=_export)
    add_replay(verbs)
    add_explain(verbs)


def _export(chosen: argparse.Namespace) -> int:
    """Rules, data, module and stamp of one revision, as this home keeps them."""
    root = load().path("store", "policies")
    if chosen.revision not in (None, *(path.name for path in root.glob("[0-9a-f]*"))):
        raise PolicyNotKept(revision=chosen.revision)
    kept = root / chosen.revision if chosen.revision else keep(root)
    copy(kept, chosen.folder)
    print(
        msgspec.json.encode({"revision": kept.name}).decode() if chosen.json else f"{kept.name} → {chosen.folder}"
    )
    return 0


def _build(chosen: argparse.Namespace) -> int:
    try:
        built = build(opa())
    except BuildFailed as failed:
        raise PolicyRefused(said=str(failed)) from failed
    print(msgspec.json.encode(built).decode() if chosen.json else f"policy.wasm {built.revision}")
    return 0


def _test(chosen: argparse.Namespace) -> int:
    found = opa()
    said = Checked(name="opa test", said=tests(found)), Checked(name="coverage", said=coverage(found))
    return _told(said, chosen)


def _law(chosen: argparse.Namespace) -> int:
    if chosen.json:
        print(msgspec.json.encode(bases()).decode())
        return 0
    for basis in bases():
        for entry in basis.entries:
            print(f"{basis.id}: {entry.article} [{entry.valid_from} → {entry.valid_to or '…'}] {entry.value}")
            print(f"    {entry.english.article}: {entry.english.value}")
        for rule in basis.rules:
            more = f" +{len(rule.tests) - 1}" if len(rule.tests) > 1 else ""
            print(f"    {rule.document} {rule.code} ← {rule.tests[0]}{more}")
    return 0


def _check(chosen: argparse.Namespace) -> int:
    regal = find("regal")
    return _told((*all_checks(opa(), regal.path if regal else None), check_released()), chosen)


def _adopt(chosen: argparse.Namespace) -> int:
    return _told((Checked(name="adopted", said=adopt()),), chosen)


def _told(checks: tuple[Checked, ...], chosen: argparse.Namespace) -> int:
    if chosen.json:
        print(msgspec.json.encode(checks).decode())
    else:
        for check in checks:
            print(f"{'✗' if check.said else '✓'} {check.name} {check.said}".rstrip())
    return 1 if any(check.said for check in checks) else 0
