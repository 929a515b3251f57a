"""Jinja as the pages use it: words and figures in the reader's language, everything escaped, no name undefined."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template.config import TemplateConfig
from markupsafe import Markup

from catalog.transforms import describe
from marketplace.db.base import ms_of, utcnow
from marketplace.web import figures
from marketplace.web.coarser import coarser
from marketplace.web.labelling import labelled
from marketplace.web.words import say, words
from policies.laws import Law, laws

_TURNS: Final = re.compile("[\u202a-\u202e\u2066-\u2069]")
FOLDER: Final = Path(__file__).parent / "templates"


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """What Litestar needs to render the pages."""
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment()))


def environment() -> Environment:
    """The pages' Jinja environment; a template that names something unknown fails instead of showing nothing."""
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        finalize=_unturned,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(t=_say, known=known)
    made.filters.update({name: _in_language(show) for name, show in _FIGURES.items()})
    made.filters.update(
        iso=figures.iso, query=_query, labelled=labelled, transform=describe, law=_in_language(_law)
    )
    return made


def _unturned(value: Any) -> Any:
    """Text without the marks that turn the order of what follows (U+202A…U+202E, U+2066…U+2069): a name that holds
    one would show other words than it has, and move its neighbours. They are shown as their number."""
    if not isinstance(value, str) or value.isascii() or not _TURNS.search(value):
        return value
    shown = _TURNS.sub(lambda found: f"[U+{ord(found[0]):04X}]", value)
    return Markup(shown) if isinstance(value, Markup) else shown  # noqa: S704 - markup before


def known(key: str) -> bool:
    """Whether the pages have words under `key` (ids that owners may choose themselves)."""
    return key in words()


@pass_context
def _say(context: Context, key: str, **params: object) -> str:
    return say(key, context["view"].language, **params)


_FIGURES: Final[dict[str, Callable[..., str]]] = {
    "number": figures.number,
    "written": figures.written,
    "vnd": figures.vnd,
    "usd": figures.usd,
    "rate": figures.rate,
    "size": figures.size,
    "percent": figures.percent,
    "instant": figures.instant,
    "day": figures.day,
    "month": figures.month,
    "power": figures.power,
    "span": figures.span,
    "plain": figures.plain,
    "coarser": coarser,
}


def _in_language(show: Callable[..., str]) -> Callable[..., str]:
    @pass_context
    def filtered(context: Context, value: float | datetime | str | None, **options: Any) -> str:
        return show(value, context["view"].language, **options)

    return filtered


def _law(id: str, language: str) -> str:
    """What people call a law of the configuration; its id where none is in force."""
    at_ms = ms_of(utcnow())
    held = (law for law in _laws().get(id, ()) if law.from_ms <= at_ms < (law.until_ms or at_ms + 1))
    return next((law.words(language).article for law in held), id)


@functools.cache
def _laws() -> Mapping[str, tuple[Law, ...]]:
    """Read once: every page of a dataset names some."""
    return laws()


def _query(fields: dict[str, object]) -> str:
    return urlencode({name: value for name, value in fields.items() if value not in (None, "")})
