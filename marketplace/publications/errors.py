"""Why something cannot be done about a publication or a version."""

from __future__ import annotations

from marketplace.errors import Conflict, Forbidden


class PublicationWrongState(Conflict):
    """Params: state, verb."""

    code = "publication.wrong_state"


class PublicationOpen(Conflict):
    """Another one of this dataset is on its way. Params: slug."""

    code = "publication.open"


class OwnWork(Forbidden):
    """Whoever sent it, submitted it or answered for a finding in it does not approve it."""

    code = "publication.own_work"


class NothingToOverride(Conflict):
    """No stage stopped with this finding. Params: finding, key."""

    code = "publication.nothing_to_override"


class NotOverridable(Conflict):
    """A fault of the file or the manifest is mended, not answered for. Params: finding."""

    code = "publication.not_overridable"


class NotListed(Conflict):
    """The version is not the one that can be asked. Params: version_id."""

    code = "publication.not_listed"
