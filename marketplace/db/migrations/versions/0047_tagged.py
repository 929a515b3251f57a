"""What waits for its leaf has the tag of who recorded it. What waits now was recorded before there were tags:
whoever brings the tables up to date holds the key, and tags it."""

from alembic import op
from sqlalchemy import text

from marketplace.audit.tag import event_tag

revision = "0047"
down_revision = "0046"


def upgrade() -> None:
    op.execute("alter table pending_leaf add column tag bytea")
    config = op.get_context().config
    key = config.attributes["event_tag"] if config else b""
    waiting = op.get_bind().execute(
        text("select id, commitment from event join pending_leaf on pending_leaf.event_id = event.id")
    )
    tags = [{"id": each.id, "tag": event_tag(key, each.id, each.commitment)} for each in waiting]
    if tags:
        op.get_bind().execute(text("update pending_leaf set tag = :tag where event_id = :id"), tags)
