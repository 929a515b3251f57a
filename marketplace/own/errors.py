"""Why a startup's own table is not taken in."""

from __future__ import annotations

from marketplace.errors import Conflict, Invalid, Problem, Unavailable
from marketplace.jailed import FileUnfit


class TableNameWrong(Invalid):
    """A name that SQL could not say without quotes."""

    code = "table.name_wrong"


class TableNameTaken(Conflict):
    """By another own table, or by a dataset. Params: name."""

    code = "table.name_taken"


class NoRoom(Conflict):
    """The organisation has as many tables, or bytes, as it may. Params: max_count, max_bytes."""

    code = "table.no_room"


class TooManyUploads(Problem):
    """Of tables of one organisation at once. Params: most."""

    status = 429
    code = "table.too_many_uploads"


class TablesBusy(Unavailable):
    """Tables of others were read all the while; nothing was kept. Params: wait_max_s."""

    code = "table.busy"


class TableRefused(FileUnfit):
    """The file is no table that can be read; the code is catalog's or the sandbox's own, with its params."""
