"""What may happen to a startup's payments at Stripe, and what its books must say then: a model of ten lines."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from msgspec import Struct

from tests.marketplace.payments.fake import Fake
from tests.marketplace.payments.payer import page_of

AMOUNT = 100_000


class Step(Struct, frozen=True):
    """`verb` at Stripe, about the payment with this number."""

    verb: str
    payment: int
    amount: int = 0
    status: str = ""


def steps(payments: int) -> st.SearchStrategy[list[Step]]:
    """Histories of so many orders; steps that make no sense where they stand do nothing."""
    which = st.integers(0, payments - 1)
    return st.lists(
        st.one_of(
            st.builds(Step, st.sampled_from(("pay", "pay", "expire", "dispute")), which),
            st.builds(
                Step, st.just("refund"), which, st.integers(1, AMOUNT), st.sampled_from(("succeeded", "pending"))
            ),
            st.builds(Step, st.just("end-refund"), which, st.just(0), st.sampled_from(("succeeded", "failed"))),
            st.builds(Step, st.just("end-dispute"), which, st.just(0), st.sampled_from(("won", "lost"))),
        ),
        min_size=3,
        max_size=9,
    )


class Story:
    """One startup's orders at Stripe. What Stripe refuses did not happen."""

    def __init__(self, fake: Fake, orders: list[dict[str, Any]]) -> None:
        self.fake = fake
        self.pages = [page_of(order) for order in orders]
        self.paid: dict[int, str] = {}
        self.refunds: dict[str, list[Any]] = {}
        self.disputes: dict[str, list[Any]] = {}

    def happen(self, step: Step) -> None:
        if step.verb in ("pay", "expire"):
            done = self.fake.tried(step.verb, self.pages[step.payment])
            if done and step.verb == "pay":
                self.paid[step.payment] = done["payment_intent"]
        elif step.verb in ("refund", "dispute") and step.payment in self.paid:
            more = {"amount": str(step.amount), "status": step.status} if step.verb == "refund" else {}
            done = self.fake.tried(step.verb, self.paid[step.payment], **more)
            if done and step.verb == "refund":
                self.refunds[done["id"]] = [step.payment, step.amount, step.status]
            elif done:
                self.disputes[done["id"]] = [step.payment, AMOUNT, "open"]
        elif step.verb.startswith("end-"):
            ends = self.refunds if step.verb == "end-refund" else self.disputes
            waiting = "pending" if step.verb == "end-refund" else "open"
            for key, about in ends.items():
                if about[0] == step.payment and about[2] == waiting:
                    about[2] = step.status
                    self.fake.do(step.verb, key, status=step.status)

    def books(self) -> dict[str, int]:
        """The model: what is there, what waits, and what is missing."""

        def of(things: dict[str, list[Any]], *states: str) -> int:
            return sum(amount for _, amount, state in things.values() if state in states)

        refunding, disputed = of(self.refunds, "pending"), of(self.disputes, "open")
        gone = of(self.refunds, "succeeded") + of(self.disputes, "lost")
        net = AMOUNT * len(self.paid) - refunding - disputed - gone
        found = {"wallet": max(net, 0), "owed": min(net, 0), "refunding": refunding, "disputed": disputed}
        return {kind: amount for kind, amount in found.items() if amount}
