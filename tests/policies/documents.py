"""Documents that resemble questions: the structs and the cases give what is right, then things go wrong."""

from __future__ import annotations

import contextlib
import copy
import itertools
import random
from collections.abc import Callable, Iterator
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st
from msgspec import Struct

from policies.answer import canonical
from policies.decision import Question
from policies.sources import data
from tests.policies.cases import BASES, Document

Path = tuple[str, ...]
CHANGES = 3
WRONG_SHARE = 0.3
SPOILT_SHARE = 0.02
SPOILT: tuple[Callable[[bytes], bytes], ...] = (
    lambda text: text[:-1],
    lambda text: text + b" ",
    lambda text: text.replace(b'"schema"', b'"schema":"x","schema"'),
    lambda text: text.replace(b"person", b"\xff"),
    lambda text: text.replace(b"person", b"\\ud800"),
    lambda text: b"[" + text + b"]",
    lambda text: b"null",
)
GONE = "\x00gone"
EDGES = (
    *(0, -1, 2**31, 2**53 - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**63 - 1, 2**63, 2**64, 10**30, -(10**25)),
    *(0.5, -0.0, 1.0, 1e15, 1e16, 1e21, 1e-7, 1e308, 5e-324, 0.1, 2.5e-3, 123456789.125, 1763769600000.5),
)
TEXTS = ("", "\x00", "a\x00b", "\x1f", "\x7f", '"\\/', "đ", "e\u0301", "\u2028", "\ufeff", "\U0001f600", "x" * 999)
AROUND = (-1, 0, 1)


def deep(levels: int) -> Any:
    """Lists and objects in turn."""
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


OTHERS: tuple[Any, ...] = (
    None,
    True,
    False,
    [],
    {},
    [[]],
    [None],
    ["a", 1],
    [1.5],
    {"": 0},
    {"a": {"b": []}},
    deep(9),
    deep(200),
)


def _scalars(value: Any) -> Iterator[Any]:
    """Every text, number and key of a document."""
    if isinstance(value, dict):
        yield from value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _scalars(part)
    else:
        yield value


SEEN = set(_scalars([BASES, data()["purposes"], data()["legal_bases"]])) - {None, True, False}
WORDS = sorted(word for word in SEEN if isinstance(word, str))
NUMBERS = sorted({n + d for n in SEEN if isinstance(n, int) for d in AROUND})
WRONG = (GONE, *OTHERS, *EDGES, *TEXTS)


def _typed(kind: Any) -> list[Any]:
    """Values that an annotation of the question structs allows, as JSON has them."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return list(arguments)
    if origin is tuple:
        items = _typed(arguments[0])
        return [[], *([item] for item in items), *([*pair] for pair in itertools.pairwise(items))]
    if arguments and origin is not dict:
        return [value for inner in arguments for value in _typed(inner)]
    plain: dict[Any, list[Any]] = {str: WORDS, int: NUMBERS, bool: [False, True], NoneType: [None]}
    return plain.get(kind, [{}])


def _fields(form: type[Struct], above: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The path and annotation of every field of a struct, and of the structs in it."""
    hints = get_type_hints(form)
    for field in msgspec.structs.fields(form):
        path, kind = (*above, field.encode_name), hints[field.name]
        yield path, kind
        for inner in (kind, *get_args(kind)):
            if isinstance(inner, type) and issubclass(inner, Struct):
                yield from _fields(inner, path)


class Form(Struct, frozen=True):
    """What may be changed in questions of one form: fields to values that fit, and to values that do not."""

    entrypoint: str
    bases: tuple[Document, ...]
    fitting: tuple[tuple[Path, tuple[Any, ...]], ...]
    names: tuple[Path, ...]


def _form(tag: str, form: Any) -> Form:
    paths = dict(_fields(form))
    unknown = [(*path[:-1], name) for path in paths for name in ("unknown", "__proto__", "x" * 300)]
    return Form(
        form.entrypoint,
        tuple(base for base in BASES.values() if base["schema"] == tag),
        tuple((path, tuple(_typed(kind))) for path, kind in paths.items()),
        (*paths, *unknown),
    )


FORMS = tuple(
    form for question in get_args(Question) if (form := _form(str(question.__struct_config__.tag), question)).bases
)


def document(chance: random.Random) -> tuple[str, bytes]:
    """An entrypoint and what is asked of it: mostly a question, at times something that only resembles one."""
    form = chance.choice(FORMS)
    made = copy.deepcopy(chance.choice(form.bases))
    for _ in range(chance.randint(1, CHANGES)):
        path, values = chance.choice(form.fitting)
        _put(made, path, copy.deepcopy(chance.choice(values)))
    with contextlib.suppress(msgspec.ValidationError):
        made = msgspec.json.decode(canonical(msgspec.convert(made, Question)))
    if chance.random() < WRONG_SHARE:
        _put(made, chance.choice(form.names), copy.deepcopy(chance.choice(WRONG)))
    text = msgspec.json.encode(made, order="sorted")
    return form.entrypoint, chance.choice(SPOILT)(text) if chance.random() < SPOILT_SHARE else text


def _put(document: Document, path: Path, value: Any) -> None:
    inner = document
    for name in path[:-1]:
        if not isinstance(inner.get(name), dict):
            inner[name] = {}
        inner = inner[name]
    if value is GONE:
        inner.pop(path[-1], None)
    else:
        inner[path[-1]] = value


BATCH = 100
BATCHES = st.randoms(use_true_random=True).map(lambda chance: [document(chance) for _ in range(BATCH)])
"""Many at once: the seed is what Hypothesis draws, so an example is fast, and the same when it is run again."""
