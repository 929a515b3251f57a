"""Why a consent event is not taken. None of them depends on whether the person is in the data."""

from __future__ import annotations

from marketplace.errors import Problem


class NoSubjects(Problem):
    """The dataset's privacy unit is the row: nobody is named."""

    status = 409
    code = "consent.no_subjects"


class PurposeUnknown(Problem):
    status = 422
    code = "consent.purpose_unknown"


class InTheFuture(Problem):
    status = 422
    code = "consent.in_the_future"


class SubjectLength(Problem):
    status = 422
    code = "consent.subject_length"


class OtherSubject(Problem):
    """A data subject named somebody else."""

    status = 403
    code = "consent.other_subject"


class ExpiryOfNothing(Problem):
    """Only what is given can run out."""

    status = 422
    code = "consent.expiry_of_nothing"


class RunsOutBefore(Problem):
    """It would have run out before it was said."""

    status = 422
    code = "consent.runs_out_before"
