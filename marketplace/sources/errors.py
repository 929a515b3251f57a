"""Why an owner's own database or store was not read. Params never hold an address, an account or a secret."""

from __future__ import annotations

from marketplace.errors import Problem


class DescriptionWrong(Problem):
    """Params: problem."""

    status = 422
    code = "source.description_wrong"


class OpenToOthers(Problem):
    """A file with a secret that others on the machine can read."""

    status = 422
    code = "source.open_to_others"


class AccountMayWrite(Problem):
    status = 422
    code = "source.account_may_write"


class NotOneQuery(Problem):
    status = 422
    code = "source.not_one_query"


class DatabaseRefused(Problem):
    """Params: state (SQLSTATE)."""

    status = 422
    code = "source.database_refused"


class TooSlow(Problem):
    """Params: max_s."""

    status = 422
    code = "source.too_slow"


class NotSecure(Problem):
    status = 422
    code = "source.not_secure"


class StoreRefused(Problem):
    """Params: status (HTTP), reason (the store's own code)."""

    status = 422
    code = "source.store_refused"


class StoreUnreachable(Problem):
    status = 502
    code = "source.store_unreachable"


class NothingThere(Problem):
    status = 422
    code = "source.nothing_there"


class TooLarge(Problem):
    """Params: max_bytes."""

    status = 422
    code = "source.too_large"


class TooManyObjects(Problem):
    """Params: max."""

    status = 422
    code = "source.too_many_objects"
