"""Which events each endpoint that changes something writes; a new one belongs here, or below with a reason."""

from __future__ import annotations

WRITES = {
    "DELETE /api/v1/queries/{query_id}": ("query:cancel",),
    "DELETE /api/v1/tables/{table_id}": ("table:remove",),
    "DELETE /api/v1/tokens/{token_id}": ("token:revoke",),
    "POST /api/v1/agreements/{agreement_id}/end": ("agreement:end",),
    "POST /api/v1/applications/{application_id}/decision": (
        "application:accept",
        "application:agree",
        "application:deny",
        "application:reject",
        "application:return",
    ),
    "POST /api/v1/applications/{application_id}/resubmit": ("application:deny", "application:resubmit"),
    "POST /api/v1/applications/{application_id}/withdraw": ("application:withdraw",),
    "POST /api/v1/consents/events": (
        "consent:give",
        "consent:revoke",
        "consent:withdraw",
        "dataset:revision",
    ),
    "POST /api/v1/datasets": ("dataset:alarm", "dataset:publish", "dataset:refuse"),
    "POST /api/v1/datasets/{dataset}/applications": ("application:apply", "application:deny"),
    "POST /api/v1/datasets/{dataset}/consents": ("consent:import", "dataset:revision"),
    "POST /api/v1/datasets/{dataset}/offers": ("offer:make",),
    "POST /api/v1/datasets/{dataset}/versions": ("dataset:alarm", "dataset:publish", "dataset:refuse"),
    "POST /api/v1/linkages": ("linkage:propose",),
    "POST /api/v1/linkages/{linkage_id}/contributions": ("linkage:contribute",),
    "POST /api/v1/linkages/{linkage_id}/decision": ("linkage:approve", "linkage:refuse"),
    "POST /api/v1/linkages/{linkage_id}/end": ("agreement:end", "linkage:end"),
    "POST /api/v1/linkages/{linkage_id}/publication": (
        "dataset:publish",
        "dataset:refuse",
        "linkage:agree",
        "linkage:publish",
    ),
    "POST /api/v1/offers/{offer_id}/retire": ("offer:retire",),
    "POST /api/v1/spending/limits": ("spending:limit",),
    "DELETE /api/v1/spending/limits/{limit_id}": ("spending:limit",),
    "POST /api/v1/organisations": ("organisation:create",),
    "POST /api/v1/organisations/{organisation_id}/people": ("person:create",),
    "POST /api/v1/organisations/{organisation_id}/suspend": ("organisation:suspend",),
    "POST /api/v1/organisations/{organisation_id}/unsuspend": ("organisation:unsuspend",),
    "POST /api/v1/people/{person_id}/deactivate": ("person:deactivate",),
    "POST /api/v1/queries": ("query:deny", "query:settle", "query:void"),
    "POST /api/v1/queries/quote": ("quote:deny",),
    "POST /api/v1/subject/sign-out": ("subject:sign_out",),
    "POST /api/v1/subject/tokens": ("subject:make_token",),
    "POST /api/v1/tables": ("table:add",),
    "POST /api/v1/tokens": ("token:create",),
    "POST /api/v1/wallet/bank-lines": ("bankline:book", "bankline:credit"),
    "POST /api/v1/wallet/bank-lines/{line_id}/assignment": ("bankline:credit",),
    "POST /api/v1/wallet/credits": ("wallet:credit",),
    "POST /api/v1/wallet/top-ups": ("topup:fail", "topup:pay", "topup:start"),
}
"""`METHOD path` as the OpenAPI document has it → the events that it may write."""
NONE_NEEDED = {
    "POST /api/v1/applications/{application_id}/preview": "says what a decision would do, and changes nothing",
    "POST /api/v1/previews": "says what a manifest would give, and changes nothing",
    "POST /api/v1/queries/dry-run": "says all that stands against a question, and changes nothing",
    "POST /api/v1/queries/explain": "says what a question would read, and changes nothing",
}
"""Endpoint → why it needs no event."""
