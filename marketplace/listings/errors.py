"""Why something cannot be published or listed."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from marketplace.errors import Conflict, Forbidden, Problem
from marketplace.jailed import FileUnfit
from policies.decision import Decision, ListingQuestion


class UploadTooLarge(Problem):
    """Params: max_bytes."""

    status = 413
    code = "upload.too_large"


class ManifestWrong(Problem):
    """Params: errors, each {path, code, params, line, column}; all of them at once."""

    status = 422
    code = "listing.manifest_wrong"

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors=errors, count=len(errors))


class VersionRefused(FileUnfit):
    """Publication said no; the code is catalog's own, with its params."""


class Judged(Struct, frozen=True):
    """What the policy said of a publication, and to which question."""

    question: ListingQuestion
    decision: Decision


class ListingDenied(Problem):
    """The policy does not allow it, told as for a query: 403 with the whole decision. Params: decision_id, once
    it is in the log."""

    status = 403
    code = "listing.denied"

    def __init__(self, judged: Judged) -> None:
        super().__init__(reasons=judged.decision.reasons)
        self.decision = judged.decision
        self.judged = judged


class NotYourOrganisation(Forbidden):
    """The manifest names another owner than the one who publishes. Params: owner."""

    code = "listing.not_your_organisation"


class ModeFixed(Conflict):
    """A lineage is released in one mode. Params: population, mode, asked."""

    code = "listing.mode_fixed"


class PopulationFixed(Conflict):
    """A dataset stays in its lineage. Params: slug, population, asked."""

    code = "listing.population_fixed"


class PopulationLinked(Conflict):
    """The owner shows these persons together with another one, so not by itself. Params: population."""

    code = "listing.population_linked"


class NeedsBothOwners(Conflict):
    """A joint dataset is published through its linkage. Params: slug."""

    code = "listing.needs_both_owners"


class SlugTaken(Conflict):
    """Params: slug."""

    code = "listing.slug_taken"


class SlugDiffers(Conflict):
    """The manifest is of another dataset than the address. Params: slug, asked."""

    code = "listing.slug_differs"


class PublicationUnderWay(Conflict):
    """Somebody publishes this dataset right now. Params: slug."""

    code = "listing.under_way"


class Overtaken(Conflict):
    """While this version was made, another one was released. Params: slug."""

    code = "listing.overtaken"


class NeedsTwoPeople(Forbidden):
    """Only who is steward and approver publishes without review."""

    code = "listing.two_people"


class NoSteward(Conflict):
    """Nobody of that owner could answer for a publication. Params: owner."""

    code = "listing.no_steward"


class ConsentsMoved(Conflict):
    """Consents were withdrawn while the version was made, again and again. Params: slug."""

    code = "listing.consents_moved"
