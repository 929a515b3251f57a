"""Why a manifest or a publication is refused. Codes have their words in `texts.json`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct, field

if TYPE_CHECKING:
    from sandbox.job import FailureCode, SandboxFailed


class ManifestError(Struct, frozen=True, kw_only=True):
    """One thing wrong in a manifest; line and column count from 1."""

    line: int
    column: int
    code: str
    params: dict[str, Any] = field(default_factory=dict)


class ManifestRefused(Exception):
    """Everything that is wrong in a manifest, in the order of its lines."""

    def __init__(self, errors: tuple[ManifestError, ...]) -> None:
        super().__init__(f"{len(errors)} errors, first: {errors[0].code} at line {errors[0].line}")
        self.errors = errors


class PublicationRefused(Exception):
    """A version that was not made. `params` hold numbers, names of columns, line numbers; never a cell."""

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(code)
        self.code = code
        self.params = params


_OF_FILES: Final[dict[FailureCode, str]] = {
    "sandbox.deadline": "publication.took_too_long",
    "sandbox.memory": "publication.needed_memory",
    "sandbox.too_many_bytes": "publication.grew_too_large",
    "sandbox.unavailable": "sandbox.unavailable",
}


def code_of(failed: SandboxFailed) -> str:
    """Its code for an owner, whose file it was about: a question has words of its own."""
    return _OF_FILES.get(failed.code, "publication.broken_off")


class VersionDamaged(Exception):
    """A file of a released version is missing or is not what its hash says. Params: version_id, part."""

    def __init__(self, version_id: str, part: str) -> None:
        super().__init__(f"{version_id}: {part}")
        self.version_id = version_id
        self.part = part
