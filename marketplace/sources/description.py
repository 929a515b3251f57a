"""A file that says where an owner's rows are: a table or query of PostgreSQL or a prefix in S3, the account."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
from msgspec import Meta, Struct

from marketplace.sources.errors import DescriptionWrong, OpenToOthers

Words = Annotated[str, Meta(min_length=1)]


class Postgres(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="postgresql"):
    """`dsn`: of an account that may only read. `table` (schema.table) or `query`: one of them."""

    dsn: Words
    table: Words | None = None
    query: Words | None = None

    def __post_init__(self) -> None:
        if (self.table is None) == (self.query is None):
            raise ValueError("table or query, one of them")

    def __repr__(self) -> str:
        return "Postgres(…)"


class S3(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind", tag="s3"):
    """`endpoint`: https, or http on this machine; objects are asked for as endpoint/bucket/key.

    `ca_file`: PEM of the authorities that its certificate must be of, instead of those that all trust."""

    endpoint: Words
    bucket: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,62}\Z")]
    prefix: str
    access_key_id: Words
    secret_access_key: Words
    region: Words = "us-east-1"
    session_token: Words | None = None
    ca_file: Words | None = None

    def __repr__(self) -> str:
        return f"S3({self.bucket}, …)"


def read_description(path: Path) -> Postgres | S3:
    """The TOML file at `path`. Raises OpenToOthers, DescriptionWrong."""
    if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise OpenToOthers
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Postgres | S3)
    except msgspec.ValidationError as wrong:
        _wrong(str(wrong))
    except (msgspec.DecodeError, ValueError, UnicodeDecodeError):
        _wrong("TOML")


def _wrong(problem: str) -> NoReturn:
    """From nothing: what the reader holds of the file may have the secret in it."""
    raise DescriptionWrong(problem=problem[:200]) from None
