"""Data subjects: that one of them came, never who."""

from __future__ import annotations

from marketplace.audit.registry import Body, event


@event("subject:sign_in", "a citizen signed in; it is not recorded who")
@event("subject:sign_out", "a citizen ended a session")
@event("subject:read", "a citizen looked at what is held about her")
@event("subject:make_token", "a citizen made a token of her session")
class SubjectCame(Body, frozen=True):
    pass
