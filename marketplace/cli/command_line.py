"""The command line's own words, Vietnamese and English: of each command and option, and of what is wrong."""

from __future__ import annotations

import argparse
import functools
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NoReturn

import msgspec

from marketplace.cli.telling import tell
from marketplace.texts import LANGUAGES, Language

TEXTS: Final = Path(__file__).parents[1] / "texts" / "commands.json"
USAGE: Final = 2
_WRONG: Final = {
    "command.missing": r"the following arguments are required: (?P<names>.*)",
    "command.unknown": r"unrecognized arguments: (?P<names>.*)",
    "command.choice": r"argument (?P<name>.*?): invalid choice: (?P<given>.*?) \(choose from (?P<choices>.*)\)",
    "command.value_missing": r"argument (?P<name>.*?): expected .*",
    "command.beside": r"argument (?P<name>.*?): not allowed with argument (?P<other>.*)",
    "command.value": r"argument (?P<name>.*?): (?:invalid \w+ value: )?(?P<given>.*)",
    "command.usage": r"(?P<given>.*)",
}
"""Code → how argparse says it."""


@functools.cache
def words() -> Mapping[str, Mapping[Language, str]]:
    """By `command verb name`. Raises msgspec.ValidationError for a file of the wrong shape."""
    return msgspec.json.decode(TEXTS.read_bytes(), type=dict[str, dict[Language, str]])


class _Help(argparse.RawDescriptionHelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, f"{_both('usage')}: " if prefix is None else prefix)


class CommandLine(argparse.ArgumentParser):
    """Says what is wrong with a command in both languages, and where its help is."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """What no command knows is told by the command it was typed after, not by the first one."""
        given = sys.argv[1:] if args is None else list(args)
        chosen, unknown = self.parse_known_args(given, namespace)
        if unknown:
            _last(self, given).error(f"unrecognized arguments: {' '.join(unknown)}")
        return chosen

    def error(self, message: str) -> NoReturn:
        """On standard error; exit 2."""
        self.print_usage(sys.stderr)
        for code, said in _WRONG.items():
            if found := re.fullmatch(said, message, re.DOTALL):
                tell(code, found.groupdict() | {"command": self.prog})
                break
        self.exit(USAGE)


def _last(parser: argparse.ArgumentParser, given: Sequence[str]) -> argparse.ArgumentParser:
    for word in given:
        below = next((a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)), {})
        parser = below.get(word, parser)
    return parser


def give_words(parser: argparse.ArgumentParser, path: str = "") -> None:
    """Words of the message file to a parser and all below it; what has none there is shown without.

    What runs is given `--json` too, unless it has its own or says by a default that it has nothing to tell."""
    parser.formatter_class = _Help
    if "func" in parser._defaults and not {"json", "--json"} & {*parser._defaults, *parser._option_string_actions}:
        parser.add_argument("--json", action="store_true")
    parser._positionals.title, parser._optionals.title = _both("arguments"), _both("options")
    parser.description = _told(path or "sandulieu")
    if epilog := words().get(f"{path} epilog"):
        parser.epilog = "\n".join(epilog[language] for language in LANGUAGES)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            action.metavar = action.metavar or "VERB"
            action._choices_actions = [
                argparse._SubParsersAction._ChoicesPseudoAction(name, (), _told(f"{path} {name}".strip()))
                for name in action.choices
            ]
            for name, below in action.choices.items():
                give_words(below, f"{path} {name}".strip())
        else:
            action.help = _told(path, name_of(action))


def name_of(action: argparse.Action) -> str:
    """`--long`, or the name of what has a place."""
    return action.option_strings[-1] if action.option_strings else action.dest


def key_of(path: str, name: str = "") -> str | None:
    """Where the words are: of this very command, else of its first word, else of the name alone."""
    first = path.partition(" ")[0]
    keys = (f"{path} {name}", f"{first} {name}", name) if name else (path,)
    return next((key for key in keys if key in words()), None)


def _told(path: str, name: str = "") -> str | None:
    key = key_of(path, name)
    return _both(key).replace("%", "%%") if key else None


def _both(key: str) -> str:
    told = words()[key]
    return told["vi"] if told["vi"] == told["en"] else " / ".join(told[language] for language in LANGUAGES)


def instant(given: str) -> datetime:
    """ISO 8601; without a time zone it is UTC. Raises ArgumentTypeError."""
    try:
        at = datetime.fromisoformat(given)
    except ValueError as e:
        raise argparse.ArgumentTypeError(f"{given} (ISO 8601: 2026-11-27, 2026-11-27T08:00+07:00)") from e
    return at if at.tzinfo else at.replace(tzinfo=UTC)
