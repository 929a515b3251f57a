"""Whether those whose task a publication is were told that it is late."""

from alembic import op

revision = "0038"
down_revision = "0036"


def upgrade() -> None:
    op.execute("alter table publication add column told_overdue boolean not null default false")
