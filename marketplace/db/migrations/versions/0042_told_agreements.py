"""Notices of applications and agreements, which are of no watch; each is told once a person."""

from alembic import op

revision = "0042"
down_revision = "0041"


def upgrade() -> None:
    op.execute("drop index uq_watch_notice_month")
    op.execute("""
        alter table watch_notice drop constraint ck_watch_notice_of_a_watch,
            add constraint ck_watch_notice_of_a_watch check (
                (code in ('new_version', 'withdrawn', 'price_changed', 'new_match')) = (watch_id is not null)
                and (code = 'month_stuck') = (dataset_id is null))
    """)
    op.execute(
        "create unique index uq_watch_notice_once on watch_notice (person_id, code, reference) "
        "where watch_id is null"
    )
    op.execute("create index ix_application_updated_at on application (updated_at)")
    op.execute("create index ix_agreement_ended_at on agreement (ended_at)")
    op.execute("create index ix_agreement_expires_at on agreement (expires_at)")
