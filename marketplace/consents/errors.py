"""Why a consent event is not taken. None of them depends on whether the person is in the data."""

from __future__ import annotations

from marketplace.errors import Conflict, Problem
from marketplace.jailed import FileUnfit


class NoSubjects(Problem):
    """The dataset's privacy unit is the row: nobody is named."""

    status = 409
    code = "consent.no_subjects"


class SaidInAFile(Problem):
    """It came in with a file, of which the log holds one event and the file's hash."""

    status = 404
    code = "consent.in_a_file"


class PurposeUnknown(Problem):
    status = 422
    code = "consent.purpose_unknown"


class GivenElsewhere(Conflict):
    """Consent to a joint dataset is given to each owner and comes with its part; only the person adds to it."""

    code = "consent.given_elsewhere"


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


class FileNotUnderstood(Problem):
    """No CSV with our columns, and no lines of JSON. Params: columns."""

    status = 422
    code = "consent.file_not_understood"


class FileRefused(Problem):
    """Something in the file is wrong and the caller wants all or nothing. Params: errors, count."""

    status = 422
    code = "consent.file_refused"


class TableRefused(FileUnfit):
    """Arrow or Parquet that was not read; the code is catalog's or sandbox's own, with its params."""


class TooManyLines(Problem):
    """Params: max_lines."""

    status = 413
    code = "consent.too_many_lines"


class FileTooLarge(Problem):
    """Params: max_bytes."""

    status = 413
    code = "consent.file_too_large"


class ImportUnderWay(Conflict):
    """Another file of this dataset is being taken."""

    code = "consent.import_under_way"
