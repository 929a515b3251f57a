"""The decision of a receipt computed again from its opened facts and a kept policy: offline, believing neither."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from marketplace.audit.canonical import exact, plain
from marketplace.audit.facttree import SQL
from marketplace.audit.receipt import Receipt
from policies.facts import SCALARS, NoQuestion, question_of
from policies.kept import KeptBroken, KeptPolicy, Undecided

ENGINE_STATE = "policy."
"""Codes of denials that the engine's own state gave: no policy decided, so there is nothing to compute."""
NOT_LOGGED = "available_vnd"
"""What the log leaves out of a reason's values: it would tell the owner what the wallet holds."""
SAME = {
    "access": {
        "request.purpose": "purpose",
        "request.columns": "body.columns",
        "agreement.id": "agreement_id",
        "dataset.id": "dataset_id",
        "dataset.version_id": "version_id",
        "caller.person_id": "actor_person_id",
        "caller.organisation_id": "actor_organisation_id",
    },
    "agreement": {
        "question.stage": "body.stage",
        "applicant.organisation_id": "body.startup",
        "owner.organisation_id": "body.owner",
        "application.id": "body.application",
        "application.purpose": "purpose",
        "dataset.id": "dataset_id",
        "dataset.version_id": "version_id",
    },
    "listing": {
        "question.stage": "body.stage",
        "caller.person_id": "actor_person_id",
        "caller.organisation_id": "actor_organisation_id",
        "manifest.dataset": "body.dataset",
        "version.id": "version_id",
        "version.manifest_sha256": "body.manifest_sha256",
    },
}
"""Facts that the event repeats in the clear: a service that logged one thing and asked another is found."""


class Differs(Exception):
    """What does not fit, by name; never the text of a fact."""


def checks(receipt: Receipt, folder: Path) -> tuple[tuple[str, Callable[[], str]], ...]:
    """Name of each check, and what runs it: gives a detail, or raises Differs."""
    return (
        ("policy", lambda: _policy(receipt, folder)),
        ("facts", lambda: _facts(receipt)),
        ("decision", lambda: _decision(receipt, folder)),
    )


def _policy(receipt: Receipt, folder: Path) -> str:
    """Its sources, module and stamp belong together, and are those that the log names."""
    kept = _open(folder)
    logged = _logged(receipt)
    if logged.get("policy_revision") != kept.revision:
        raise Differs(f"the policy is {kept.revision}, the decision names {logged.get('policy_revision')}")
    if logged.get("module_sha256") is None:
        return f"{kept.revision}; the log names no module"
    if logged["module_sha256"] != kept.module_sha256:
        raise Differs(f"module_sha256: the module is {kept.module_sha256}, the log names another")
    return kept.revision


def _facts(receipt: Receipt) -> str:
    """All are open, and say of parties, purpose and version what the event says."""
    asked = msgspec.json.decode(_question(receipt), type=dict[str, Any])
    document = str(asked.get("schema")).partition("/")[0]
    if document not in SAME:
        raise Differs(f"schema {asked.get('schema')} is of no document that is known here")
    for path, field in SAME[document].items():
        stated = _at(asked, path.removeprefix(f"{SCALARS}."))
        if (stated or None) != (_at(receipt.event, field) or None):
            raise Differs(f"{path} is not the {field} of the event")
    return ""


def _at(document: dict[str, Any], path: str) -> Any:
    found: Any = document
    for step in path.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found


def _decision(receipt: Receipt, folder: Path) -> str:
    logged = _logged(receipt)
    state = [reason["code"] for reason in logged["reasons"] if reason["code"].startswith(ENGINE_STATE)]
    if state and logged["allow"] is False:
        return f"denied by the engine's own state, not by a rule: {', '.join(state)}"
    try:
        said = _open(folder).said(_question(receipt))
    except Undecided as failed:
        raise Differs(f"computed again, the policy fails: {failed}") from failed
    wrong = [name for name in ("allow", "reasons", "obligations", "valid_until")
             if _comparable(name, said.get(name)) != _comparable(name, logged.get(name))]  # fmt: skip
    if wrong:
        raise Differs(f"computed again, these differ: {', '.join(wrong)}")
    return "allow" if logged["allow"] else "deny"


def _open(folder: Path) -> KeptPolicy:
    try:
        return KeptPolicy(folder)
    except KeptBroken as broken:
        raise Differs(str(broken)) from broken


def _logged(receipt: Receipt) -> dict[str, Any]:
    decision = receipt.event["body"].get("decision")
    if not isinstance(decision, dict):
        raise Differs("the event holds no decision")
    return decision


def _question(receipt: Receipt) -> bytes:
    facts = receipt.facts
    if facts is None or facts.closed or not facts.facts:
        raise Differs("not every fact is opened; the regulator's edition opens all")
    try:
        return question_of({fact.name: fact.value for fact in facts.facts if fact.name != SQL})
    except NoQuestion as wrong:
        raise Differs(str(wrong)) from wrong


def _comparable(name: str, value: Any) -> bytes:
    """As the log writes it, without order and without what is empty: structs fill in what Rego leaves out."""
    value = _stripped(plain(value))
    if name == "reasons":
        for reason in value or ():
            reason.get("params", {}).pop(NOT_LOGGED, None)
        value = sorted((_stripped(reason) for reason in value or ()), key=exact)
    return exact(value)


def _stripped(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {key: _stripped(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if each not in (None, [], {})}
    return [_stripped(each) for each in value] if isinstance(value, list) else value
