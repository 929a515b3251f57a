"""Two owners' datasets of the same persons: linkages, what each owner sends, whose else a joint dataset is."""

from __future__ import annotations

from alembic import op

from marketplace.db.roles import SERVICE

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE linkage (
        id UUID NOT NULL,
        lead_id UUID NOT NULL,
        partner_id UUID NOT NULL,
        population TEXT NOT NULL,
        purposes TEXT[] NOT NULL,
        lead_basis_points BIGINT NOT NULL,
        state TEXT NOT NULL,
        lineage_id UUID,
        proposed_by UUID NOT NULL,
        proposed_at TIMESTAMPTZ NOT NULL,
        decided_by UUID,
        decided_at TIMESTAMPTZ,
        ended_by UUID,
        ended_at TIMESTAMPTZ,
        reason TEXT,
        CONSTRAINT pk_linkage PRIMARY KEY (id),
        CONSTRAINT ck_linkage_two_owners CHECK (lead_id <> partner_id),
        CONSTRAINT ck_linkage_share CHECK (lead_basis_points between 0 and 10000),
        CONSTRAINT fk_linkage_lead_id_organisation FOREIGN KEY(lead_id) REFERENCES organisation (id),
        CONSTRAINT fk_linkage_partner_id_organisation FOREIGN KEY(partner_id) REFERENCES organisation (id),
        CONSTRAINT fk_linkage_lineage_id_lineage FOREIGN KEY(lineage_id) REFERENCES lineage (id),
        CONSTRAINT fk_linkage_proposed_by_person FOREIGN KEY(proposed_by) REFERENCES person (id),
        CONSTRAINT fk_linkage_decided_by_person FOREIGN KEY(decided_by) REFERENCES person (id),
        CONSTRAINT fk_linkage_ended_by_person FOREIGN KEY(ended_by) REFERENCES person (id)
    )
    """,
    "CREATE INDEX ix_linkage_lead_id ON linkage (lead_id)",
    "CREATE INDEX ix_linkage_partner_id ON linkage (partner_id)",
    """
    CREATE TABLE contribution (
        id UUID NOT NULL,
        linkage_id UUID NOT NULL,
        owner_id UUID NOT NULL,
        manifest TEXT NOT NULL,
        persons BIGINT NOT NULL,
        agreed_to UUID,
        sent_by UUID NOT NULL,
        sent_at TIMESTAMPTZ NOT NULL,
        erased_at TIMESTAMPTZ,
        CONSTRAINT pk_contribution PRIMARY KEY (id),
        CONSTRAINT fk_contribution_linkage_id_linkage FOREIGN KEY(linkage_id) REFERENCES linkage (id),
        CONSTRAINT fk_contribution_owner_id_organisation FOREIGN KEY(owner_id) REFERENCES organisation (id),
        CONSTRAINT fk_contribution_sent_by_person FOREIGN KEY(sent_by) REFERENCES person (id)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_contribution_standing ON contribution (linkage_id, owner_id) WHERE erased_at IS NULL
    """,
    f"GRANT SELECT, INSERT, UPDATE ON linkage, contribution TO {SERVICE}",
    "ALTER TABLE dataset ADD COLUMN linkage_id UUID "
    "CONSTRAINT fk_dataset_linkage_id_linkage REFERENCES linkage (id)",
    *(
        f"ALTER TABLE {table} ADD COLUMN partner_id UUID "
        f"CONSTRAINT fk_{table}_partner_id_organisation REFERENCES organisation (id)"
        for table in ("dataset", "application", "agreement")
    ),
    *(f"CREATE INDEX ix_{table}_partner_id ON {table} (partner_id)" for table in ("application", "agreement")),
    "ALTER TABLE application ADD COLUMN first_yes JSONB",
    "ALTER TABLE agreement ADD COLUMN lead_basis_points BIGINT",
)


def upgrade() -> None:
    """Every dataset so far is one owner's."""
    for statement in STATEMENTS:
        op.execute(statement)
