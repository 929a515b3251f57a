"""Each alert rule keeps its own place in the log; the audits of the log are found by their time."""

from alembic import op

revision = "0044"
down_revision = "0043"

RULES = (
    "consent_used", "denial_burst", "budget_drained", "night_export", "class_drift", "incident_due", "month_stuck",
)  # fmt: skip


def upgrade() -> None:
    named = ", ".join(f"('{each}')" for each in RULES)
    op.execute("alter table alert_progress add column rule text")
    op.execute(f"""
        insert into alert_progress (id, leaf, rule)
        select 1 + row_number() over (), leaf, named.rule from alert_progress, (values {named}) as named (rule)
    """)
    op.execute("delete from alert_progress where rule is null")
    op.execute("""
        alter table alert_progress drop constraint pk_alert_progress, drop column id,
            add constraint pk_alert_progress primary key (rule)
    """)
    op.execute("create index ix_event_audits on event (at) where name = 'log:audit'")
