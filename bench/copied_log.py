"""A log of many millions out of one: its whole blocks, copied in the database with ids and years of their own.

Each copy is the next year. Every row and every index entry is there as if it had been written and indexed one by
one; only the words are those of the first year again.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg

from marketplace.oversight.postings import BLOCK_EVENTS

_SETTINGS = ("SET synchronous_commit = off", "SET session_replication_role = replica", "SET work_mem = '64MB'")
_CUT = (
    "DELETE FROM event_salt USING audit_leaf l WHERE l.event_id = event_salt.event_id AND l.index >= {leaves}",
    "DELETE FROM event USING audit_leaf l WHERE l.event_id = event.id AND l.index >= {leaves}",
    "DELETE FROM audit_leaf WHERE index >= {leaves}",
)
"""What fills no block: each copy begins with one."""
_ID = """
    (substr(replace(CAST({id} AS text), '-', ''), 1, 4) || lpad(to_hex(l.index + {copy} * {leaves}), 10, '0')
        || substr(replace(CAST({id} AS text), '-', ''), 15))::uuid
"""
"""As `filling.numbered` ids are made: the leaf stands in the middle, so that they are in the order of the log."""
_COPY = (
    """
    INSERT INTO event (id, at, name, actor_person_id, actor_organisation_id, parties, dataset_id, agreement_id,
        query_id, purpose, price_vnd, body, commitment)
    SELECT {new}, e.at + {copy} * interval '365 days', name, actor_person_id, actor_organisation_id, parties,
        e.dataset_id, agreement_id, md5(CAST(query_id AS text) || {copy})::uuid, purpose, price_vnd, body,
        commitment
    FROM audit_leaf l JOIN event e ON e.id = l.event_id WHERE l.index < {leaves} ORDER BY l.index
    """,
    """
    INSERT INTO event_salt (event_id, salt) SELECT {new}, salt
    FROM audit_leaf l JOIN event_salt e ON e.event_id = l.event_id WHERE l.index < {leaves} ORDER BY l.index
    """,
    """
    INSERT INTO audit_leaf (index, event_id, data) SELECT l.index + {copy} * {leaves}, {new}, data
    FROM audit_leaf l WHERE l.index < {leaves} ORDER BY l.index
    """,
    """
    INSERT INTO search_posting (term_id, block, positions) SELECT term_id, block + {copy} * {blocks}, positions
    FROM search_posting WHERE block < {blocks} ORDER BY term_id, block
    """,
    """
    INSERT INTO search_block (block, earliest, latest) SELECT block + {copy} * {blocks},
        earliest + {copy} * interval '365 days', latest + {copy} * interval '365 days'
    FROM search_block WHERE block < {blocks}
    """,
)


def copied(url: str, *, events: int, copies: int) -> Iterator[int]:
    """How many events there are after each copy of the first `events`, which are filled and indexed already."""
    blocks = events // BLOCK_EVENTS
    leaves = blocks * BLOCK_EVENTS
    with psycopg.connect(url) as connection:
        for statement in (*_SETTINGS, *(each.format(leaves=leaves) for each in _CUT)):
            connection.execute(statement.encode())
        for copy in range(1, copies + 1):
            for statement, id_ in zip(_COPY, ("e.id", "e.event_id", "l.event_id", "", ""), strict=True):
                new = _ID.format(id=id_, copy=copy, leaves=leaves)
                told = statement.format(new=new, copy=copy, leaves=leaves, blocks=blocks)
                connection.execute(told.encode())
            connection.commit()
            yield (copy + 1) * leaves
