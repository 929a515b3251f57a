"""A question with the words that no listing has replaced by the ones that were meant."""

from __future__ import annotations

from catalog.terms.tokens import forms
from marketplace.search.question import Question, Unit, read_question
from marketplace.search.spelling import untyped
from marketplace.search.vocabulary import Vocabulary


def mended(question: Question, words: Vocabulary) -> Question | None:
    """None where every word is known or begins one, or nothing is near. Of several repairs the one that makes a
    phrase with its neighbours, else the nearest; a syllable is a mistake only if another makes one."""
    syllables = {unit.words[0].folded for unit in question.units if unit.is_syllable}
    said = typed = [word.folded for word in question.words]
    unknown = [at for at, word in enumerate(said) if words.found[word].repaired]
    for at in unknown:
        choices = words.found[question.words[at].folded].repaired
        texts = [[*said[:at], " ".join(choice), *said[at + 1 :]] for choice in choices]
        best = min(texts, key=lambda text: _phrases(" ".join(text)))
        if typed[at] not in syllables or _phrases(" ".join(best)) < _phrases(" ".join(said)):
            said = best
    if said == typed:
        return None
    marked = {word: made for word, raw in question.spelled.items() if forms(made := untyped(raw))[0] == word}
    text = " ".join(marked.get(word, word) for word in said)
    if any(unit.quoted for unit in question.units):
        return Question(tuple(_in_unit(unit, words) for unit in question.units))
    return read_question(text)


def _in_unit(unit: Unit, words: Vocabulary) -> Unit:
    first = [words.found[word.folded].repaired[:1] for word in unit.words]
    text = " ".join(
        " ".join(each[0]) if each else word.folded for each, word in zip(first, unit.words, strict=True)
    )
    made = read_question(text).words
    return Unit(made, unit.concepts, unit.quoted, unit.weak, unit.open)


def _phrases(text: str) -> int:
    return len(read_question(text).units)
