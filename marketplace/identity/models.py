"""All that is stored about sign-ins of data subjects: which random numbers are over, and how often one was used.

Neither is made from who the person is; both are forgotten when their time is over.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from marketplace.db.base import Base


class EndedSession(Base):
    """A session that was signed out of before its time, or a sign-in that was answered: none opens anything again.

    id: SHA-256 of its random number."""

    __tablename__ = "ended_subject_session"
    id: Mapped[bytes] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


class RequestCount(Base):
    """Requests of one session, or sign-ins of one address, in the window that began then.

    key: HMAC-SHA-256 of the session's random number or of the address, so that no address is stored."""

    __tablename__ = "subject_request_count"
    key: Mapped[bytes] = mapped_column(primary_key=True)
    began_at: Mapped[datetime] = mapped_column(index=True)
    requests: Mapped[int]
