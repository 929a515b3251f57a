"""dp mode: what a query holds of its agreement's privacy budget, and answers that are given again for free."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Earlier queries spent none: there was no such mode."""
    op.execute("ALTER TABLE query ADD COLUMN rho_micro BIGINT NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE query ALTER COLUMN rho_micro DROP DEFAULT")
    op.execute("ALTER TABLE query ADD COLUMN budget_hold_id UUID")
    op.execute("""
        CREATE TABLE private_answer (
            agreement_id UUID NOT NULL,
            question BYTEA NOT NULL,
            query_id UUID NOT NULL,
            body BYTEA NOT NULL,
            rows BIGINT NOT NULL,
            created_at TIMESTAMPTZ NOT NULL,
            CONSTRAINT pk_private_answer PRIMARY KEY (agreement_id, question),
            CONSTRAINT fk_private_answer_agreement_id_agreement
                FOREIGN KEY (agreement_id) REFERENCES agreement (id),
            CONSTRAINT fk_private_answer_query_id_query FOREIGN KEY (query_id) REFERENCES query (id)
        )
    """)
    op.execute(f"GRANT SELECT, INSERT, DELETE ON private_answer TO {SERVICE}")
