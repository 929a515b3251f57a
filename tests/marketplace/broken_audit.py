"""Breaks the log for organisations, in the database itself: an event that names one cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy import create_engine, text

from marketplace.config import Config
from marketplace.db.engine import migration_url, sqlalchemy_url


@contextmanager
def broken_audit(config: Config, *organisation_ids: UUID) -> Iterator[None]:
    """While inside, an insert of an event with such a party fails, as a full disk would make it fail."""
    broken = ", ".join(f"'{each}'" for each in organisation_ids)
    engine = create_engine(sqlalchemy_url(migration_url(config)))
    with engine.begin() as connection:
        connection.execute(
            text("""
            create or replace function break_audit() returns trigger language plpgsql as
            $$ begin raise exception 'broken for a test'; end $$""")
        )
        connection.execute(
            text(f"""
            create trigger break_audit before insert on event for each row
            when (array[{broken}]::uuid[] && new.parties) execute function break_audit()""")
        )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("drop trigger break_audit on event"))
        engine.dispose()
