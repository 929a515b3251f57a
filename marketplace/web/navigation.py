"""Which pages each kind of organisation is led to. What a caller may do is decided by the handlers, not here."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from marketplace.accounts.callers import Caller


class Link(Struct, frozen=True):
    """`word`: key of its words. `office`: whom the page turns away without it; empty: nobody."""

    path: str
    word: str
    office: str = ""


class Section(Struct, frozen=True):
    """Pages of one matter: the menu shows the sections, and below them the pages of the one that is open."""

    word: str
    links: tuple[Link, ...]


class Menu(Struct, frozen=True):
    """`section` and `link`: where the reader is; None outside of the menu."""

    sections: tuple[Section, ...]
    section: Section | None
    link: Link | None


_CATALOGUE: Final = Link("/", "nav.catalogue")
_WATCHES: Final = Link("/watches", "nav.watches")
_DEMANDS: Final = Link("/demands", "nav.demands")
_HARVEST: Final = Link("/harvest", "nav.harvest")
_CONSENTS: Final = Link("/consents", "nav.consents")
_AGREEMENTS: Final = Link("/agreements", "nav.agreements")
_USAGE: Final = Link("/usage", "nav.usage")
_INVOICES: Final = Link("/invoices", "nav.invoices")
_CREDITS: Final = Link("/credits", "nav.credits")
_PAYOUTS: Final = Link("/payouts", "nav.payouts")
_MONTHS: Final = Link("/months", "nav.months")
_PUBLICATIONS: Final = Link("/publications", "nav.publications")
_LOG: Final = Link("/log", "nav.log")
_ALERTS: Final = Link("/alerts", "nav.alerts")
_INCIDENTS: Final = Link("/incidents", "nav.incidents")
_DATA: Final = Section("nav.section.data", (_CATALOGUE, _WATCHES, _DEMANDS))
_WATCH_OVER: Final = Section("nav.section.oversight", (_LOG, _INCIDENTS))
_ANYBODY: Final = (
    Section("nav.catalogue", (_CATALOGUE,)),
    Section("nav.mine", (Link("/toi", "nav.mine"),)),
)
_BY_KIND: Final[dict[str, tuple[Section, ...]]] = {
    "startup": (
        _DATA,
        Section(
            "nav.section.ask",
            (
                Link("/console", "nav.console", "analyst"), Link("/queries", "nav.queries"),
                Link("/tables", "nav.tables"),
            ),
        ),
        Section("nav.agreements", (_AGREEMENTS, Link("/applications", "nav.applications"))),
        Section(
            "nav.section.cost",
            (
                Link("/wallet", "nav.wallet"), Link("/wallet/top-ups", "nav.top_ups"), _USAGE,
                Link("/spending", "nav.spending"), _INVOICES,
            ),
        ),
        Section("nav.log", (_LOG,)),
    ),
    "owner": (
        _DATA,
        Section(
            "nav.publications",
            (_PUBLICATIONS, Link("/preview", "nav.preview"), _CONSENTS, Link("/linkages", "nav.linkages")),
        ),
        Section("nav.agreements", (Link("/applications", "nav.inbox"), _AGREEMENTS)),
        Section("nav.earnings", (Link("/wallet", "nav.earnings"), _PAYOUTS, _USAGE)),
        _WATCH_OVER,
    ),
    "regulator": (
        Section("nav.section.oversight", (_LOG, _ALERTS, _INCIDENTS, _CONSENTS)),
        _DATA,
        Section(
            "nav.section.money",
            (Link("/wallet", "nav.state_budget"), _USAGE, _INVOICES, _CREDITS, _PAYOUTS, _MONTHS),
        ),
    ),
    "operator": (
        Section("nav.section.data", (_CATALOGUE, _PUBLICATIONS, _HARVEST, _DEMANDS, _WATCHES)),
        Section(
            "nav.section.money",
            (
                Link("/wallet", "nav.platform"), Link("/wallet/payments", "nav.payments"), _INVOICES, _CREDITS,
                _PAYOUTS, _MONTHS, _USAGE,
            ),
        ),
        Section("nav.section.oversight", (_LOG, _ALERTS, _INCIDENTS, Link("/people", "nav.people"))),
    ),
}  # fmt: skip
ACCOUNT: Final = (Link("/account", "nav.account"), Link("/tokens", "nav.tokens"), Link("/help", "nav.help"))
"""What stands beside the reader's name."""
_BELOW_OTHERS: Final = {"/datasets": "/", "/external": "/"}
"""Pages below no link of their own."""


def menu_for(caller: Caller | None, path: str) -> Menu:
    """The reader's menu, most used first, as it looks from `path`."""
    sections = tuple(_open_to(caller, each) for each in _BY_KIND[caller.organisation_kind]) if caller else _ANYBODY
    there = _BELOW_OTHERS.get("/" + path.split("/")[1], path)
    found = [
        (section, link) for section in sections for link in section.links
        if there == link.path or (link.path != "/" and there.startswith(link.path + "/"))
    ]  # fmt: skip
    section, link = max(found, key=lambda each: len(each[1].path), default=(None, None))
    return Menu(sections, section, link)


def _open_to(caller: Caller, section: Section) -> Section:
    return Section(section.word, tuple(link for link in section.links if link.office in ("", *caller.roles)))
