"""A bank's number is looked up however it was typed; what cannot be signed is told."""

from alembic import op

revision = "0043"
down_revision = "0042"


def upgrade() -> None:
    op.execute(r"""
        create index ix_bank_line_spelled on bank_line (upper(regexp_replace(bank_reference, '\s', '', 'g')))
    """)
    op.execute("""
        alter table einvoice
            alter column message_id drop not null, alter column xml drop not null,
            alter column signed_at drop not null, add column fault text,
            drop constraint ck_einvoice_state,
            add constraint ck_einvoice_state check (state in ('unsigned', 'waiting', 'coded', 'refused')),
            add constraint ck_einvoice_signed check (
                (state = 'unsigned') = (xml is null) and (xml is null) = (message_id is null)
                and (xml is null) = (signed_at is null))
    """)
    op.execute("create index ix_einvoice_unsigned on einvoice (invoice_id) where state = 'unsigned'")
    op.execute("""
        insert into einvoice (invoice_id, edition, state, attempts, next_at)
        select e.invoice_id, e.edition, 'unsigned', 0, now()
        from (select id as invoice_id, 1 as edition from invoice
            union all select invoice_id, edition from invoice_edition) e
        where not exists (select from einvoice o where o.invoice_id = e.invoice_id and o.edition = e.edition)
    """)
