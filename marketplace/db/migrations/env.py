"""Alembic runs this: migrations go over the connection that `marketplace.db.migrate` opened."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
