"""What an engine takes as a question at all. Both refuse the rest alike, before any rule is asked."""

from __future__ import annotations

import msgspec

from policies.answer import canonical, fault
from policies.decision import Question, Reason

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
UNREADABLE = (msgspec.MsgspecError, UnicodeError, RecursionError)
QUESTION: msgspec.json.Decoder[Question] = msgspec.json.Decoder(Question)


def unfit(document: bytes) -> Reason | None:
    """Why this is no question, or None for the canonical JSON of one.

    Whatever is not written in the canonical way holds something that no struct knows: another type, an unknown or
    a repeated name, text that is not UTF-8. JSON parsers read such things each in its own way.
    """
    if len(document) > MAX_BYTES:
        return fault("policy.question_too_long", bytes=len(document), max_bytes=MAX_BYTES)
    try:
        if canonical(QUESTION.decode(document)) != document:
            return fault("policy.question_not_understood")
    except UNREADABLE:
        return fault("policy.question_not_understood")
    if document.count(b"[") + document.count(b"{") > MAX_DEPTH and _deeper(msgspec.json.decode(document)):
        return fault("policy.question_not_understood")
    return None


def _deeper(document: object) -> bool:
    """Whether lists and objects lie in each other more than MAX_DEPTH times."""
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for value in level
            if isinstance(value, list | dict)
            for inner in (value.values() if isinstance(value, dict) else value)
            if isinstance(inner, list | dict)
        ]
        if not level:
            return False
    return True
