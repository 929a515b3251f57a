"""Who may call what: the whole matrix, checked against the routes that the service really has."""

from __future__ import annotations

import json
import re
import urllib.request
import uuid
from collections.abc import Mapping
from contextlib import nullcontext
from typing import cast

import pytest

from marketplace.cli.client import Client
from marketplace.queries.services import Services
from marketplace.web.app import create_app
from tests.market import Market

KINDS = ("owner", "startup", "regulator", "operator")
PUBLIC = {
    "GET /api/v1/audit/checkpoint",
    "GET /api/v1/audit/consistency",
    "GET /api/v1/audit/key",
    "GET /api/v1/audit/proof",
    "GET /api/v1/audit/tile/{tile:path}",
    "GET /api/v1/datasets",
    "GET /api/v1/datasets/{dataset:str}",
    "GET /api/v1/datasets/{dataset:str}/about",
    "GET /api/v1/datasets/{dataset:str}/estimate",
    "GET /api/v1/datasets/{dataset:str}/odrl",
    "GET /api/v1/datasets/{dataset:str}/offers",
    "GET /api/v1/datasets/{dataset:str}/quality",
    "GET /api/v1/external",
    "GET /api/v1/healthz",
    "GET /api/v1/metrics",
    "GET /api/v1/queries/quote/key",
    "GET /api/v1/readyz",
    "POST /api/v1/webhooks/stripe",
}
ALLOWED = {
    "GET /api/v1/demands": set(KINDS),
    "POST /api/v1/demands": {"startup"},
    "POST /api/v1/demands/{demand_id:uuid}/close": set(KINDS),
    "POST /api/v1/demands/{demand_id:uuid}/votes": {"startup"},
    "GET /api/v1/watches": set(KINDS),
    "POST /api/v1/watches": set(KINDS),
    "DELETE /api/v1/watches/{watch_id:uuid}": set(KINDS),
    "POST /api/v1/notices/read": set(KINDS),
    "GET /api/v1/agreements": {"owner", "startup"},
    "GET /api/v1/agreements/{agreement_id:uuid}": {"owner", "startup"},
    "GET /api/v1/agreements/{agreement_id:uuid}/budget": {"owner", "startup"},
    "GET /api/v1/agreements/{agreement_id:uuid}/odrl": {"owner", "startup"},
    "POST /api/v1/agreements/{agreement_id:uuid}/end": {"owner", "startup"},
    "GET /api/v1/applications": {"owner", "startup"},
    "GET /api/v1/applications/{application_id:uuid}": {"owner", "startup"},
    "POST /api/v1/applications/{application_id:uuid}/decision": {"owner"},
    "POST /api/v1/applications/{application_id:uuid}/preview": {"owner"},
    "POST /api/v1/applications/{application_id:uuid}/resubmit": {"startup"},
    "POST /api/v1/applications/{application_id:uuid}/withdraw": {"startup"},
    "GET /api/v1/audit/completeness/{dataset_id:uuid}": {"owner", "regulator"},
    "GET /api/v1/audit/events": {"owner", "startup", "regulator", "operator"},
    "POST /api/v1/audit/exports": {"owner", "startup", "regulator"},
    "GET /api/v1/audit/searches": {"regulator"},
    "POST /api/v1/audit/searches": {"regulator"},
    "DELETE /api/v1/audit/searches/{search_id:uuid}": {"regulator"},
    "GET /api/v1/alerts": {"operator", "regulator"},
    "POST /api/v1/alerts/{alert_id:uuid}/acknowledge": {"regulator"},
    "GET /api/v1/incidents": {"owner", "regulator", "operator"},
    "POST /api/v1/incidents": {"owner", "regulator", "operator"},
    "GET /api/v1/incidents/{incident_id:uuid}": {"owner", "regulator", "operator"},
    "POST /api/v1/incidents/{incident_id:uuid}/steps": {"owner", "regulator", "operator"},
    "GET /api/v1/charges": {"owner", "startup"},
    "GET /api/v1/consents/late": {"owner", "regulator"},
    "POST /api/v1/consents/events": {"owner"},
    "GET /api/v1/datasets/{dataset:str}/consents": {"owner"},
    "GET /api/v1/decisions/{decision_id:uuid}/receipt": {"owner", "startup", "regulator"},
    "GET /api/v1/datasets/{dataset:str}/consents/months": {"owner"},
    "POST /api/v1/datasets/{dataset:str}/consents": {"owner"},
    "POST /api/v1/datasets": {"owner"},
    "POST /api/v1/datasets/{dataset:str}/applications": {"startup"},
    "POST /api/v1/datasets/{dataset:str}/versions": {"owner"},
    "GET /api/v1/datasets/{dataset:str}/preview": {"owner"},
    "POST /api/v1/previews": {"owner"},
    "GET /api/v1/tables": {"startup"},
    "POST /api/v1/tables": {"startup"},
    "DELETE /api/v1/tables/{table_id:uuid}": {"startup"},
    "GET /api/v1/datasets/{dataset:str}/waiting": {"owner"},
    "DELETE /api/v1/harvest/sources/{source_id:uuid}": {"operator"},
    "GET /api/v1/harvest/sources": {"operator"},
    "POST /api/v1/harvest/sources": {"operator"},
    "GET /api/v1/harvest/sources/{source_id:uuid}/runs": {"operator"},
    "POST /api/v1/harvest/sources/{source_id:uuid}/runs": {"operator"},
    "GET /api/v1/invoices": set(KINDS),
    "POST /api/v1/invoices": {"operator"},
    "POST /api/v1/invoices/{invoice_id:uuid}/credits": {"operator"},
    "GET /api/v1/credits": {"operator", "regulator"},
    "POST /api/v1/credits/version": {"operator"},
    "POST /api/v1/credits/sla": {"operator"},
    "GET /api/v1/quality/breaches": set(KINDS),
    "POST /api/v1/credits/{credit_id:uuid}/decision": {"operator"},
    "GET /api/v1/invoices/{invoice_id:uuid}/corrections": {"operator", "regulator", "startup"},
    "POST /api/v1/invoices/{invoice_id:uuid}/corrections": {"operator"},
    "POST /api/v1/invoices/{invoice_id:uuid}/einvoice/retry": {"operator"},
    "GET /api/v1/invoices/{invoice_id:uuid}/einvoice": {"operator", "regulator", "startup"},
    "GET /api/v1/invoices/{invoice_id:uuid}/xml": {"operator", "regulator", "startup"},
    "GET /api/v1/invoices/issued": {"operator", "regulator", "startup"},
    "GET /api/v1/invoices/{invoice_id:uuid}": {"operator", "regulator", "startup"},
    "GET /api/v1/invoices/{invoice_id:uuid}/items": {"operator", "regulator", "startup"},
    "GET /api/v1/linkages": {"owner"},
    "POST /api/v1/linkages": {"owner"},
    "GET /api/v1/linkages/{linkage_id:uuid}": {"owner"},
    "POST /api/v1/linkages/{linkage_id:uuid}/contributions": {"owner"},
    "POST /api/v1/linkages/{linkage_id:uuid}/decision": {"owner"},
    "POST /api/v1/linkages/{linkage_id:uuid}/end": {"owner"},
    "POST /api/v1/linkages/{linkage_id:uuid}/publication": {"owner"},
    "GET /api/v1/organisations": {"operator"},
    "POST /api/v1/organisations": {"operator"},
    "GET /api/v1/organisations/{organisation_id:uuid}/people": {"operator"},
    "POST /api/v1/organisations/{organisation_id:uuid}/people": {"operator"},
    "POST /api/v1/organisations/{organisation_id:uuid}/suspend": {"operator"},
    "POST /api/v1/organisations/{organisation_id:uuid}/unsuspend": {"operator"},
    "POST /api/v1/people/{person_id:uuid}/deactivate": {"operator"},
    "POST /api/v1/people/{person_id:uuid}/erase": {"operator"},
    "POST /api/v1/people/{person_id:uuid}/password": {"operator"},
    "POST /api/v1/datasets/{dataset:str}/offers": {"owner"},
    "POST /api/v1/offers/{offer_id:uuid}/retire": {"owner"},
    "GET /api/v1/publications": {"owner", "operator"},
    "POST /api/v1/publications": {"owner"},
    "GET /api/v1/publications/{publication_id:uuid}": {"owner", "operator"},
    "POST /api/v1/publications/{publication_id:uuid}/steps": {"owner", "operator"},
    "GET /api/v1/publications/{publication_id:uuid}/rejected": {"owner"},
    "POST /api/v1/publications/{publication_id:uuid}/schemes": {"owner"},
    "GET /api/v1/datasets/{dataset:str}/rejected": {"owner"},
    "GET /api/v1/withdrawals": {"owner", "operator"},
    "POST /api/v1/datasets/{dataset:str}/withdrawal": {"owner"},
    "GET /api/v1/queries": {"startup"},
    "POST /api/v1/queries": {"startup"},
    "POST /api/v1/queries/dry-run": {"startup"},
    "POST /api/v1/queries/explain": {"startup"},
    "POST /api/v1/queries/quote": {"startup"},
    "GET /api/v1/queries/{query_id:uuid}": {"startup"},
    "DELETE /api/v1/queries/{query_id:uuid}": {"startup"},
    "GET /api/v1/queries/{query_id:uuid}/events": {"startup"},
    "GET /api/v1/queries/{query_id:uuid}/receipt": {"owner", "startup", "regulator"},
    "GET /api/v1/queries/{query_id:uuid}/result": {"startup"},
    "GET /api/v1/spending": {"startup"},
    "POST /api/v1/spending/limits": {"startup"},
    "DELETE /api/v1/spending/limits/{limit_id:uuid}": {"startup"},
    "GET /api/v1/subject/datasets": set(),
    "GET /api/v1/subject/receipts": set(),
    "GET /api/v1/subject/receipts/{receipt_id:uuid}": set(),
    "GET /api/v1/subject/receipts/{receipt_id:uuid}/proof": set(),
    "POST /api/v1/subject/sign-out": set(),
    "POST /api/v1/subject/tokens": set(),
    "GET /api/v1/tokens": set(KINDS),
    "POST /api/v1/tokens": set(KINDS),
    "DELETE /api/v1/tokens/{token_id:uuid}": set(KINDS),
    "GET /api/v1/usage": set(KINDS),
    "GET /api/v1/statements/{period:str}": {"owner"},
    "GET /api/v1/payouts": {"owner"},
    "GET /api/v1/payouts/account": {"owner"},
    "POST /api/v1/payouts/account": {"owner"},
    "GET /api/v1/months": {"operator", "regulator"},
    "POST /api/v1/months/{period:str}/retry": {"operator"},
    "POST /api/v1/months/{period:str}/acceptances": {"operator"},
    "POST /api/v1/months/{period:str}/acceptances/{acceptance_id:uuid}/decision": {"operator"},
    "GET /api/v1/payouts/batches": {"operator", "regulator"},
    "POST /api/v1/payouts/batches": {"operator"},
    "GET /api/v1/payouts/batches/{batch_id:uuid}": {"operator", "regulator"},
    "GET /api/v1/payouts/batches/{batch_id:uuid}/file": {"operator"},
    "POST /api/v1/payouts/batches/{batch_id:uuid}/cancel": {"operator"},
    "POST /api/v1/payouts/batches/{batch_id:uuid}/release": {"operator"},
    "GET /api/v1/payouts/notices": {"operator", "regulator"},
    "POST /api/v1/payouts/notices": {"operator"},
    "GET /api/v1/wallet": set(KINDS),
    "DELETE /api/v1/wallet/auto-top-up": {"startup"},
    "POST /api/v1/wallet/auto-top-up": {"startup"},
    "DELETE /api/v1/wallet/methods/{method_id:str}": {"startup"},
    "GET /api/v1/wallet/payments": {"operator", "startup"},
    "POST /api/v1/wallet/payments/{payment_id:str}/refunds": {"operator"},
    "POST /api/v1/wallet/portal": {"startup"},
    "GET /api/v1/wallet/settings": {"startup"},
    "GET /api/v1/wallet/bank-lines": {"operator"},
    "POST /api/v1/wallet/bank-lines": {"operator"},
    "POST /api/v1/wallet/bank-lines/{line_id:uuid}/assignment": {"operator"},
    "POST /api/v1/wallet/credits": {"operator"},
    "GET /api/v1/wallet/statement": {"owner", "startup"},
    "GET /api/v1/wallet/top-ups": {"startup"},
    "POST /api/v1/wallet/top-ups": {"startup"},
    "GET /api/v1/wallet/top-ups/{top_up_id:uuid}": {"startup"},
}
"""Endpoint → kinds of organisation that may call it at all; whose things they see is each feature's own test."""
APPLICATION = {
    "purpose": "research.academic",
    "justification": "Một lý do đủ dài để được nhận.",
    "duration_days": 30,
    "people": [str(uuid.uuid4())],
}
BODIES: dict[str, dict[str, object]] = {
    "searches": {"name": "x", "search": {}},
    "acknowledge": {"reason": "Một lý do đủ dài."},
    "incidents steps": {"verb": "note", "note": "Một lý do đủ dài."},
    "publications steps": {"verb": "retry"},
    "withdrawal": {"version_id": "0" * 64, "reason": "quality", "note": "Một lý do đủ dài."},
    "incidents": {
        "title": "Sự cố",
        "note": "Một lý do đủ dài.",
        "dataset_ids": [str(uuid.uuid4())],
        "since": "2026-11-01T00:00:00Z",
        "until": "2026-11-02T00:00:00Z",
        "known_at": "2026-11-02T00:00:00Z",
    },
    "end": {"reason": "Một lý do đủ dài."},
    "resubmit": APPLICATION,
    "applications": APPLICATION,
    "preview": {"decision": "accept"},
    "limits": {"month_vnd": 10**9},
    "offers": {"name": "x1", "terms": {}},
    "sources": {"url": "https://data.example/data.json", "kind": "data_json", "name": "x"},
    "previews": {"manifest": "slug: x", "persons": 1},
    "refunds": {"reason": "x"},
    "auto-top-up": {"method_id": "x", "floor_vnd": 1, "amount_vnd": 50_000, "month_limit_vnd": 50_000},
    "top-ups": {"kind": "bank", "amount": 100_000},
    "bank-lines": {"bank_reference": "x", "amount_vnd": 1, "memo": "", "received_on": "2026-01-01"},
    "password": {"password": "bốn từ khó đoán"},
    "assignment": {"organisation_id": str(uuid.uuid4())},
}
"""By the path's last word, after its first where two end alike:
a body that cannot be read is refused before anybody asks who sent it."""
OPEN_PAGES = (
    "/|/(api/(3/)?action|catalog|datasets|external|help|healthz|language|login|logout|metrics|readyz|robots.txt|schema"
    "|sitemap.xml|sitemaps|static|toi)([/.].*)?"
)


def routes() -> list[str]:
    """`METHOD path` of everything the service answers."""
    found = []
    for route in create_app(nullcontext(cast(Services, None))).routes:
        methods = set(getattr(route, "methods", ())) - {"OPTIONS", "HEAD"}
        found += [f"{method} {route.path}" for method in methods]
    return sorted(found)


EVERY = routes()
API = [r for r in EVERY if "/api/v1/" in r]
PAGES = [r for r in EVERY if "/api/v1/" not in r and not re.fullmatch(OPEN_PAGES, r.split(" ")[1])]


def _somewhere(path: str) -> str:
    """The path with ids of nothing."""
    return re.sub(r"\{\w+:(str|path)\}", "nothing", re.sub(r"\{\w+:uuid\}", str(uuid.uuid4()), path))


def _call(client: Client, endpoint: str) -> int:
    method, path = endpoint.split(" ")
    path = _somewhere(path)
    if method == "POST":
        word = path.rsplit("/", 1)[1]
        return client.post(path, BODIES.get(f"{path.split('/')[3]} {word}", BODIES.get(word, {}))).status
    return (client.delete(path) if method == "DELETE" else client.get(path)).status


def test_the_matrix_names_every_endpoint_and_no_other() -> None:
    assert set(API) == PUBLIC | set(ALLOWED)


@pytest.mark.parametrize("endpoint", sorted(ALLOWED))
def test_nobody_signed_in_gets_nothing(market: Market, endpoint: str) -> None:
    assert _call(market.client(None), endpoint) == 401


@pytest.mark.parametrize("endpoint", sorted(PUBLIC))
def test_what_is_public_asks_for_no_sign_in(market: Market, endpoint: str) -> None:
    assert _call(market.client(None), endpoint) not in (401, 403)


@pytest.mark.parametrize("endpoint", sorted(ALLOWED))
def test_the_wrong_kind_of_organisation_is_refused_and_the_right_one_is_not(market: Market, endpoint: str) -> None:
    for kind in KINDS:
        status = _call(market.client(kind), endpoint)
        if kind in ALLOWED[endpoint]:
            assert status not in (401, 403), kind
        else:
            assert status in (403, 404), kind


@pytest.mark.parametrize("endpoint", [each for each in sorted(API) if each.startswith("GET ")])
def test_no_answer_is_kept_underway_unless_it_says_so_or_taken_for_another_kind(
    market: Market, endpoint: str
) -> None:
    for kind in (None, *ALLOWED.get(endpoint, KINDS[:1])):
        answer = market.client(kind).get(_somewhere(endpoint.split(" ")[1]))
        assert answer.headers["x-content-type-options"] == "nosniff", kind
        told = answer.headers["cache-control"]
        assert told == "no-store" or endpoint in PUBLIC, kind


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


@pytest.mark.parametrize("page", PAGES)
def test_a_page_that_is_not_open_sends_the_anonymous_to_sign_in(market: Market, page: str) -> None:
    method, path = page.split(" ")
    url = market.url + _somewhere(path)
    asked = urllib.request.Request(url, data=b"" if method == "POST" else None, method=method)
    try:
        answer = urllib.request.build_opener(_Stay).open(asked, timeout=20)
        status, location = answer.status, ""
    except urllib.error.HTTPError as refused:
        status, location = refused.code, refused.headers.get("Location") or ""
    assert status in (401, 403) or (status in (302, 303) and location.startswith("/login"))


def test_every_endpoint_is_in_the_openapi_document(market: Market) -> None:
    document = market.client(None).get("/schema/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods}
    plain = {re.sub(r":\w+\}", "}", endpoint) for endpoint in API}
    assert plain <= described
    schemas = document["components"]["schemas"]
    for methods in document["paths"].values():
        for operation in methods.values():
            assert " " in operation["summary"], operation
            problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"]
            assert problem.removeprefix("#/components/schemas/") in schemas
    assert document["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    text = json.dumps(document)
    assert {
        ref.removeprefix("#/components/schemas/") for ref in re.findall(r'"\$ref": "([^"]+)"', text)
    } <= schemas.keys()
    assert schemas["Ask"]["properties"]["agreement_ids"]["items"] == {"type": "string", "format": "uuid"}


def test_what_everybody_may_read_can_be_asked_for_its_head(market: Market) -> None:
    def asked(method: str, path: str) -> tuple[int, Mapping[str, str], bytes]:
        request = urllib.request.Request(market.url + path, method=method)
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=20) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as refused:
            return refused.code, dict(refused.headers), refused.read()

    slug = next(iter(market.datasets), "nothing")
    for path in (
        "/", "/robots.txt", "/sitemap.xml", "/catalog.ttl", "/catalog.atom", "/external", f"/datasets/{slug}",
        f"/datasets/{slug}/metadata/dcat.ttl", "/api/v1/datasets", "/api/3/action/package_list",
        "/datasets/nothing",
    ):  # fmt: skip
        status, headers, _ = asked("GET", path)
        head_status, head_headers, body = asked("HEAD", path)
        assert (head_status, head_headers.get("content-type")) == (status, headers.get("content-type")), path
        assert (body, head_headers.get("content-length")) == (b"", headers.get("content-length")), path
    assert asked("HEAD", "/api/v1/queries")[0] == 405, "what an answer's fetching writes is written by GET alone"
