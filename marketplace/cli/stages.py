"""The stages of a publication in lines that a stranger can read: what was done, in which time, what came of it."""

from __future__ import annotations

from catalog.pipeline.record import Figure, StageRecord
from marketplace.texts import Language, message
from marketplace.web.words import say, words

LANGUAGES: tuple[Language, ...] = ("vi", "en")
_EXPLAINED = ("classify.disclosed", "classify.counted", "classify.personal")
"""Nothing is to be done about them: it is their reason that is asked for."""
_SIGNS = {"passed": "✓", "stopped": "✗", "failed": "✗"}


def print_stage(record: StageRecord) -> None:
    """A finished stage, with its figures and findings; of one that runs nothing is said."""
    if record.state in _SIGNS:
        print("\n".join(stage_lines(record)))


def stage_lines(record: StageRecord) -> list[str]:
    """The stage's name, time and figures in one line; each finding in one of its own, in both languages."""
    vi, en = (say(f"stage.{record.stage}", language) for language in LANGUAGES)
    figures = ", ".join(_figure(each) for each in record.figures)
    head = f"{_SIGNS[record.state]} {vi}/{en} · {record.duration_ms:,} ms"
    lines = [f"{head} · {figures}" if figures else head]
    for finding in record.findings:
        for language in LANGUAGES:
            said = message(finding.code, finding.params, language)
            more = said.why if finding.code in _EXPLAINED else said.next
            lines.append(f"    {'·' if finding.severity == 'note' else '!'} {said.what} {more}")
    return lines


def _figure(figure: Figure) -> str:
    key = f"figure.{figure.name}"
    names = dict.fromkeys(say(key, language) for language in LANGUAGES) if key in words() else (figure.name,)
    if figure.unit in ("share", "score") and not isinstance(figure.value, str):
        value = f"{figure.value:.2%}"
    else:
        value = figure.value if isinstance(figure.value, str) else f"{figure.value:,}"
    return f"{'/'.join(names)} {value}"
