"""Which pages each kind of organisation is led to. What a caller may do is decided by the handlers, not here."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from marketplace.accounts.callers import Caller


class Link(Struct, frozen=True):
    path: str
    word: str
    """Key of its words."""


_CATALOGUE: Final = Link("/", "nav.catalogue")
_APPLICATIONS: Final = Link("/applications", "nav.applications")
_INBOX: Final = Link("/applications", "nav.inbox")
_AGREEMENTS: Final = Link("/agreements", "nav.agreements")
_CONSOLE: Final = Link("/console", "nav.console")
_QUERIES: Final = Link("/queries", "nav.queries")
_PREVIEW: Final = Link("/preview", "nav.preview")
_PUBLICATIONS: Final = Link("/publications", "nav.publications")
_LINKAGES: Final = Link("/linkages", "nav.linkages")
_CONSENTS: Final = Link("/consents", "nav.consents")
_USAGE: Final = Link("/usage", "nav.usage")
_SPENDING: Final = Link("/spending", "nav.spending")
_WALLET: Final = Link("/wallet", "nav.wallet")
_EARNINGS: Final = Link("/wallet", "nav.earnings")
_STATE_BUDGET: Final = Link("/wallet", "nav.state_budget")
_PLATFORM: Final = Link("/wallet", "nav.platform")
_CREDITS: Final = Link("/credits", "nav.credits")
_PEOPLE: Final = Link("/people", "nav.people")
_PAYOUTS: Final = Link("/payouts", "nav.payouts")
_LOG: Final = Link("/log", "nav.log")
_ALERTS: Final = Link("/alerts", "nav.alerts")
_INCIDENTS: Final = Link("/incidents", "nav.incidents")
_HARVEST: Final = Link("/harvest", "nav.harvest")
_TABLES: Final = Link("/tables", "nav.tables")
_TOKENS: Final = Link("/tokens", "nav.tokens")
_WATCHES: Final = Link("/watches", "nav.watches")
_DEMANDS: Final = Link("/demands", "nav.demands")
_MINE: Final = Link("/toi", "nav.mine")
_HELP: Final = Link("/help", "nav.help")
_BY_KIND: Final[dict[str, tuple[Link, ...]]] = {
    "startup": (
        _CATALOGUE, _WATCHES, _DEMANDS, _CONSOLE, _QUERIES, _TABLES, _APPLICATIONS, _AGREEMENTS, _USAGE, _SPENDING,
        _WALLET, _LOG, _TOKENS, _HELP,
    ),
    "owner": (
        _CATALOGUE, _WATCHES, _DEMANDS, _PUBLICATIONS, _INBOX, _AGREEMENTS, _PREVIEW, _LINKAGES, _CONSENTS, _USAGE,
        _EARNINGS, _PAYOUTS, _LOG, _INCIDENTS, _TOKENS, _HELP,
    ),
    "regulator": (
        _CATALOGUE, _WATCHES, _DEMANDS, _LOG, _ALERTS, _INCIDENTS, _CONSENTS, _USAGE, _STATE_BUDGET, _CREDITS,
        _PAYOUTS, _TOKENS, _HELP,
    ),
    "operator": (
        _CATALOGUE, _WATCHES, _DEMANDS, _PUBLICATIONS, _HARVEST, _PLATFORM, _CREDITS, _PAYOUTS, _USAGE, _LOG,
        _INCIDENTS, _PEOPLE, _TOKENS, _HELP,
    ),
}  # fmt: skip


def links_for(caller: Caller | None) -> tuple[Link, ...]:
    """The links of the reader's menu, most used first."""
    return _BY_KIND[caller.organisation_kind] if caller else (_CATALOGUE, _MINE, _HELP)
