"""What can be wrong with a query, besides SQL that is not understood and a denial."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marketplace.errors import Conflict, Forbidden, Problem
from policies.decision import Decision
from policies.nearest import Change


class SqlNotUnderstood(Problem):
    """422; `code` is the planner's own, params hold line, column, word and what to use."""

    status = 422

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(**params)
        self.code = code  # type: ignore[misc]  # each refusal of the planner has its own text
        self.args = (code,)


class Denied(Problem):
    """403 with the whole decision, and the nearest request that would be allowed, as changes of this one."""

    status = 403
    code = "query.denied"

    def __init__(
        self, decision: Decision, decision_id: UUID, query_id: UUID | None, nearest: tuple[Change, ...]
    ) -> None:
        super().__init__(
            reasons=decision.reasons, query_id=str(query_id) if query_id else None, decision_id=str(decision_id)
        )
        self.decision = decision
        self.nearest = nearest
        self.query_id = query_id


class ClockSetBack(Problem):
    status = 503
    code = "query.clock_set_back"


class SameDataset(Problem):
    """Two of the agreements named are about one dataset: whose terms would hold?"""

    status = 422
    code = "query.same_dataset"


class Alone(Problem):
    """A dataset whose noise and budget are counted for its own questions only is named beside others."""

    status = 422
    code = "query.alone"


class TimeTells(Problem):
    """dp mode: a bound of the caller's own on the time would tell how long the jail works over the persons."""

    status = 422
    code = "query.time_tells"


class RhoTooSmall(Problem):
    """dp mode: even a failure tells a bit, so no question is all but free."""

    status = 422
    code = "query.rho_too_small"


class NotNeeded(Problem):
    """The query reads nothing of a dataset whose agreement it names beside others."""

    status = 422
    code = "query.agreement_not_needed"


class AgreementUnpaid(Problem):
    """A month's charge waits for money in the wallet. Params: dataset, since."""

    status = 402
    code = "agreement.unpaid"


class NothingListed(Conflict):
    """The owner took the dataset's version back, and no other is there yet. Params: dataset."""

    code = "query.nothing_listed"


class QuoteExpired(Conflict):
    code = "quote.expired"


class QuoteMismatch(Conflict):
    code = "quote.mismatch"


class NotReady(Conflict):
    code = "query.not_ready"


class ResultGone(Problem):
    """The answer expired, or what it was made from may no longer be used."""

    status = 410
    code = "query.result_gone"


class AnswerErased(Problem):
    """Whoever asked had it erased; what it cost stays."""

    status = 410
    code = "query.answer_erased"


class ResultUnreadable(Problem):
    """What lies at rest is gone, or is not what was written: the operator's log says which query's."""

    status = 500
    code = "query.result_unreadable"


class ResultUnwritable(Problem):
    """The answer found no room to rest: the query ends free, for it is nobody's fault but ours."""

    status = 507
    code = "query.result_unwritable"


class RangeNotSatisfiable(Problem):
    """RFC 9110 §15.5.17; the header Content-Range says how long the answer is."""

    status = 416
    code = "query.range_not_satisfiable"


class NotNamed(Forbidden):
    """A colleague whom the agreement does not name gets no answer made under it; the decision's own reason."""

    code = "agreement.not_named"


class TooManyReaders(Problem):
    status = 429
    code = "query.too_many_readers"


class TooManyFetches(Problem):
    """Of answers at once. Params: most."""

    status = 429
    code = "query.too_many_fetches"


class QueueFull(Problem):
    status = 429
    code = "query.queue_full"
