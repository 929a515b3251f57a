"""Ask questions of a Sàn dữ liệu: the price first, then the answer."""

from sandulieu_client.answer import Answer
from sandulieu_client.connection import Connection, connect
from sandulieu_client.errors import (
    AnswerFailed,
    Busy,
    Denied,
    Reason,
    Refused,
    SandulieuError,
    SqlRefused,
    TooDear,
    Unreachable,
)
from sandulieu_client.question import Question, Quote

__all__ = [
    "Answer", "AnswerFailed", "Busy", "Connection", "Denied", "Question", "Quote", "Reason", "Refused",
    "SandulieuError", "SqlRefused", "TooDear", "Unreachable", "connect",
]  # fmt: skip
