"""Answers at rest: nothing in the clear, every part opens alone, and no byte can be changed, moved or left out."""

from __future__ import annotations

import secrets
import tempfile
import uuid
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.db.keys import Keys
from marketplace.queries.chunks import CHUNK_BYTES, TAG_BYTES
from marketplace.queries.errors import ResultUnreadable, ResultUnwritable
from marketplace.queries.keeping import ROW_BYTES, Answers, AtRest, Draft
from tests.examples import tried

SIZES = st.sampled_from([1, 100, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, ROW_BYTES, ROW_BYTES + 1, 700_001])
LARGE = ROW_BYTES + 3 * CHUNK_BYTES + 17


@pytest.fixture
def answers(tmp_path: Path) -> Answers:
    return Answers(tmp_path / "answers", Keys(tmp_path / "keys"), runner=7)


def keep(answers: Answers, query_id: uuid.UUID, content: bytes, step: int = 50_000) -> tuple[Draft, AtRest]:
    draft = answers.draft(query_id)
    for start in range(0, len(content), step):
        draft.write(content[start : start + step])
    kept = draft.finish()
    if draft.large:
        draft.keep()
    return draft, kept


@settings(max_examples=tried(20), deadline=None)
@given(SIZES, st.integers(0, 800_000), st.integers(0, 800_000), st.integers(1_000, 200_000))
def test_any_part_comes_out_as_it_went_in(size: int, start: int, stop: int, step: int) -> None:
    content = secrets.token_bytes(size)
    start, stop = sorted((start % (size + 1), stop % (size + 1)))
    with tempfile.TemporaryDirectory() as folder:
        answers = Answers(Path(folder, "answers"), Keys(Path(folder, "keys")), runner=7)
        query_id = uuid.uuid4()
        _, kept = keep(answers, query_id, content, step)
        assert (kept.body is None) == (size > ROW_BYTES)
        with answers.open(query_id, kept) as answer:
            assert b"".join(answer.parts(start, stop)) == content[start:stop]
            answer.seek(0)
            assert answer.read() == content


def test_the_clear_text_lies_nowhere(answers: Answers, tmp_path: Path) -> None:
    cell = b"an answer that only its startup may read"
    for copies in (10, LARGE // len(cell)):
        query_id = uuid.uuid4()
        draft, kept = keep(answers, query_id, cell * copies)
        at_rest = kept.body if kept.body is not None else (tmp_path / "answers" / str(query_id)).read_bytes()
        assert draft.size_bytes == len(cell) * copies < len(at_rest)
        assert b"answer" not in at_rest


@pytest.mark.parametrize("place", [0, CHUNK_BYTES + TAG_BYTES + 5, -1])
def test_a_changed_byte_is_never_given_out(answers: Answers, tmp_path: Path, place: int) -> None:
    query_id = uuid.uuid4()
    _, kept = keep(answers, query_id, secrets.token_bytes(LARGE))
    file = tmp_path / "answers" / str(query_id)
    changed = bytearray(file.read_bytes())
    changed[place] ^= 1
    file.write_bytes(changed)
    with answers.open(query_id, kept) as answer, pytest.raises(ResultUnreadable):
        answer.read()


def test_chunks_that_are_left_out_moved_or_of_another_answer_are_refused(answers: Answers, tmp_path: Path) -> None:
    one, other = uuid.uuid4(), uuid.uuid4()
    _, kept = keep(answers, one, secrets.token_bytes(LARGE))
    _, others = keep(answers, other, secrets.token_bytes(LARGE))
    file = tmp_path / "answers" / str(one)
    whole, step = file.read_bytes(), CHUNK_BYTES + TAG_BYTES
    shorter = msgspec.structs.replace(kept, size_bytes=5 * CHUNK_BYTES)
    for wrong, told in (
        (whole[: 5 * step], shorter),
        (whole[step : 2 * step] + whole[:step] + whole[2 * step :], kept),
        ((tmp_path / "answers" / str(other)).read_bytes(), kept),
    ):
        file.write_bytes(wrong)
        with answers.open(one, told) as answer, pytest.raises(ResultUnreadable):
            answer.read()
    with pytest.raises(ResultUnreadable):
        answers.open(one, others)


def test_without_the_homes_key_or_the_file_nothing_opens(answers: Answers, tmp_path: Path) -> None:
    query_id = uuid.uuid4()
    _, kept = keep(answers, query_id, secrets.token_bytes(LARGE))
    stranger = Answers(tmp_path / "answers", Keys(tmp_path / "other keys"), runner=7)
    with pytest.raises(ResultUnreadable):
        stranger.open(query_id, kept)
    answers.erase(query_id)
    with pytest.raises(ResultUnreadable):
        answers.open(query_id, kept)


def test_a_draft_that_is_dropped_leaves_no_file_though_a_thread_still_writes(
    answers: Answers, tmp_path: Path
) -> None:
    draft = answers.draft(uuid.uuid4())
    draft.write(bytes(LARGE))
    draft.drop()
    with pytest.raises(ResultUnwritable):
        draft.write(bytes(LARGE))
    early = answers.draft(uuid.uuid4())
    early.drop()
    with pytest.raises(ResultUnwritable):
        early.write(bytes(LARGE))
    assert list((tmp_path / "answers").iterdir()) == []


def test_a_disk_that_takes_no_more_is_told_as_such(answers: Answers, tmp_path: Path) -> None:
    (tmp_path / "answers").write_text("a file where the folder should be")
    draft = answers.draft(uuid.uuid4())
    with pytest.raises(ResultUnwritable):
        draft.write(bytes(LARGE))
