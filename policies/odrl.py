"""Offer and agreement as ODRL 2.2 (JSON-LD), from the same facts that the policy decides on.

Source: W3C ODRL Information Model 2.2. What ODRL has no term for (columns, people, conditions of GA4GH DUO) are
terms of our profile; purposes are ours, mapped to W3C DPV.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from msgspec import UNSET

from policies.decision import AgreedRecords, AgreementFacts, Conditions, DatasetFacts, RecordsCondition
from policies.purposes import known

CONTEXT: Final = "http://www.w3.org/ns/odrl.jsonld"
MEDIA_TYPE: Final = "application/ld+json"
VND: Final = "http://publications.europa.eu/resource/authority/currency/VND"
PROFILE: Final = "urn:sandulieu:odrl:1"

Document = dict[str, Any]


def offer(dataset: DatasetFacts, *, owner_id: str, per_query_vnd: int | None = None) -> Document:
    """What the owner offers of the version that is listed; without one, nothing.

    `per_query_vnd`: what a query costs at the least, before its columns are counted; None: no open offer."""
    permissions = []
    if dataset.listed:
        permission = _permission(dataset, columns=dataset.columns or (), purposes=_covered(dataset.purposes or ()))
        permission["constraint"] += _demands(dataset.conditions or Conditions())
        if per_query_vnd is not None:
            permission["duty"] = [_compensation(per_query_vnd)]
        permissions = [permission]
    return _policy("Offer", f"urn:sandulieu:offer:{dataset.id}", dataset, permissions, assigner=_party(owner_id))


def agreement(agreed: AgreementFacts, dataset: DatasetFacts, *, owner_id: str) -> Document:
    """What both sides accepted, as far as the newest version allows it; once ended, it permits nothing."""
    permissions = []
    if dataset.listed and not agreed.ended:
        permissions = [_granted(agreed, dataset)]
    uid = f"urn:sandulieu:agreement:{agreed.id}"
    assignee = {
        "@type": "PartyCollection",
        "source": _party(agreed.startup_id or ""),
        "refinement": [
            _constraint("person", "isAnyOf", [f"urn:sandulieu:person:{p}" for p in agreed.people or ()])
        ],
    }
    return _policy("Agreement", uid, dataset, permissions, assigner=_party(owner_id), assignee=assignee)


def _granted(agreed: AgreementFacts, dataset: DatasetFacts) -> Document:
    limits = agreed.limits or {}
    may = set(agreed.columns or ()) & set(limits.get("columns", agreed.columns or ()))
    offered = set(_covered(dataset.purposes or ()))
    if agreed.purpose_judged:
        offered |= set(_covered(tuple(group for purpose in dataset.purposes or () for group in _groups(purpose))))
    permission = _permission(
        dataset,
        columns=tuple(column for column in dataset.columns or () if column in may),
        purposes=tuple(purpose for purpose in _covered((agreed.purpose or "",)) if purpose in offered),
    )
    promised = agreed.promises.records if agreed.promises else UNSET
    permission["target"]["refinement"] += [_records(only) for only in promised or ()]
    conditions = dataset.conditions or Conditions()
    ends = [_instant(agreed.expires_at_ms or 0)]
    if conditions.time_limit_days is not None:
        ends.append(_instant(agreed.valid_from_ms or 0) + timedelta(days=conditions.time_limit_days))
    if "expires_at" in limits:
        ends.append(_instant(limits["expires_at"]))
    permission["constraint"] += [
        _constraint("dateTime", "gteq", _time(_instant(agreed.valid_from_ms or 0))),
        _constraint("dateTime", "lt", _time(min(ends))),
        *_demands(conditions),
    ]
    return permission


def _policy(kind: str, uid: str, dataset: DatasetFacts, permissions: list[Document], **parties: Any) -> Document:
    """Resale and re-identification are banned in every policy (Personal Data Law 91/2025, Art. 7)."""
    banned = [
        {"target": _asset(dataset), "action": action, "purpose": f"urn:sandulieu:purpose:{purpose}"}
        for purpose, action in (("resale", "sell"), ("reidentify", "urn:sandulieu:action:reidentify"))
    ]
    return {
        "@context": CONTEXT,
        "@type": kind,
        "uid": uid,
        "profile": PROFILE,
        **parties,
        "permission": permissions,
        "prohibition": banned,
    }


def _permission(dataset: DatasetFacts, *, columns: tuple[str, ...], purposes: tuple[str, ...]) -> Document:
    conditions = dataset.conditions or Conditions()
    parts = [
        _constraint("column", "isAnyOf", list(columns)),
        *(_records(only) for only in conditions.records or ()),
    ]
    named = [f"urn:sandulieu:purpose:{purpose}" for purpose in purposes]
    return {
        "target": {"@type": "AssetCollection", "source": _asset(dataset), "refinement": parts},
        "action": "use",
        "constraint": [
            {**_constraint("purpose", "isAnyOf", named), "dpv": [known()[purpose].dpv for purpose in purposes]}
        ],
        "duty": [{"action": "compensate"}],
    }


def _compensation(per_query_vnd: int) -> Document:
    """The duty to pay, with the amount as ODRL's vocabulary has it."""
    amount = {"@value": str(per_query_vnd), "@type": "xsd:decimal"}
    refinement = {"leftOperand": "payAmount", "operator": "gteq", "rightOperand": amount, "unit": VND}
    return {"action": [{"rdf:value": {"@id": "odrl:compensate"}, "refinement": [refinement]}]}


def _demands(conditions: Conditions) -> list[Document]:
    demands = []
    if conditions.places is not None:
        demands.append(_constraint("spatial", "isPartOf", list(conditions.places)))
    if conditions.institutions is not None:
        demands.append(_constraint("institution", "isAnyOf", list(conditions.institutions)))
    if conditions.approved_users_max is not None:
        demands.append(_constraint("users", "lteq", conditions.approved_users_max))
    if conditions.ethics_approval:
        demands.append(_constraint("ethicsApproval", "eq", True))
    if conditions.return_results:
        demands.append(_constraint("returnResults", "eq", True))
    return demands


def _records(only: RecordsCondition | AgreedRecords) -> Document:
    """Which records may be read; where it is told for some purposes alone, they stand beside it."""
    said = {**_constraint("records", "isAnyOf", list(only.values)), f"{PROFILE}:column": only.column}
    named = [f"urn:sandulieu:purpose:{purpose}" for purpose in getattr(only, "purposes", None) or ()]
    return said | ({f"{PROFILE}:purpose": named} if named else {})


def _constraint(left: str, operator: str, right: Any) -> Document:
    term = left if left in {"purpose", "dateTime", "spatial"} else f"{PROFILE}:{left}"
    return {"leftOperand": term, "operator": operator, "rightOperand": right}


def _covered(allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Purposes that may be asked and that one of these covers."""
    return tuple(p for p in known() if p in allowed or set(_groups(p)) & set(allowed))


def _groups(purpose: str) -> tuple[str, ...]:
    return known()[purpose].within if purpose in known() else ()


def _asset(dataset: DatasetFacts) -> str:
    return f"urn:sandulieu:dataset:{dataset.id}"


def _party(organisation_id: str) -> str:
    return f"urn:sandulieu:organisation:{organisation_id}"


def _instant(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _time(at: datetime) -> Document:
    return {"@value": at.isoformat(timespec="milliseconds"), "@type": "xsd:dateTime"}
