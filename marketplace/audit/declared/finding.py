"""Datasets that are asked for."""

from __future__ import annotations

from uuid import UUID

from marketplace.audit.registry import Body, event


@event("demand:ask", "a startup asked for a dataset that is not there")
class DatasetAskedFor(Body, frozen=True):
    demand: UUID


@event("demand:vote", "another startup would use it too")
class DatasetVotedFor(Body, frozen=True):
    demand: UUID


@event("demand:close", "it is asked for no more")
class DemandEnded(Body, frozen=True):
    demand: UUID
