"""The broker believes nothing: every lie ends in one word, and the pool goes on."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from sandbox.isolation.pool import Pool
from sandbox.job import Limits, OutputColumn, SandboxFailed
from sandbox.worker.wire import BATCH_ROWS
from tests.attack.attacks import encodings
from tests.attack.conftest import Attack, names

INVALID = (
    "garbage", "nothing", "zeroes", "only_a_schema_cut_short", "cut_in_the_batch", "another_type", "another_name",
    "one_column_more", "no_column", "a_dictionary", "a_dictionary_with_wrong_indices", "not_utf8",
    "offsets_that_go_back", "offsets_beyond_the_data", "more_rows_than_there_are", "fewer_rows_than_none",
    "compressed", "a_compressed_bomb", "a_reply_longer_than_its_answer",
)  # fmt: skip
LOST = (
    "a_reply_that_is_no_message", "a_reply_with_an_unknown_word", "a_reply_without_end",
    "a_reply_of_less_than_nothing", "a_body_larger_than_allowed", "hang_up",
)  # fmt: skip


async def failure(attack: Attack, name: str, type_: str = "VARCHAR") -> str:
    with pytest.raises(SandboxFailed) as caught:
        await attack(f"answers.{name}", type_)
    assert caught.value.entered
    return caught.value.code


@pytest.mark.parametrize("name", INVALID)
async def test_a_lying_answer_is_invalid(name: str, attack: Attack) -> None:
    assert await failure(attack, name) == "sandbox.invalid_result"


@pytest.mark.parametrize("name", names(encodings))
async def test_an_encoding_that_the_plan_does_not_name_is_invalid(name: str, attack: Attack) -> None:
    with pytest.raises(SandboxFailed) as caught:
        await attack(name)
    assert (caught.value.code, caught.value.entered) == ("sandbox.invalid_result", True)


async def test_metadata_that_is_code_is_not_run_and_does_not_leave(attacked: Pool, own_file: Path) -> None:
    columns = (OutputColumn(name="outcome", type="VARCHAR"),)
    result = await attacked.execute("pickled.a_pickled_type", [own_file], columns, Limits())
    assert b"extension" not in result.stream
    assert b"abort" not in result.stream


async def test_a_second_reply_and_endless_words_reach_nobody(attack: Attack) -> None:
    for name in ("and_say_it_twice", "and_talk_on"):
        assert await attack(f"staying.{name}") == "once"
        assert await attack("answers.environment") == ""


async def test_a_reply_that_trickles_ends_at_the_deadline(attack: Attack) -> None:
    with pytest.raises(SandboxFailed, match="deadline"):
        await attack("staying.and_trickle", deadline_ms=200)


async def test_a_workers_own_statistics_and_words_are_not_taken(attacked: Pool, own_file: Path) -> None:
    for name in ("and_say_what_it_used", "and_say_something_with_it"):
        columns = (OutputColumn(name="outcome", type="VARCHAR"),)
        result = await attacked.execute(f"staying.{name}", [own_file], columns, Limits())
        assert result.usage.engine_us <= result.usage.wall_us
        assert result.usage.cpu_us > 0
        assert b"secret" not in msgspec.msgpack.encode(result)


@pytest.mark.parametrize("name", LOST)
async def test_a_worker_that_does_not_speak_the_protocol_is_lost(name: str, attack: Attack) -> None:
    assert await failure(attack, name) == "sandbox.worker_lost"


async def test_half_a_reply_ends_at_the_deadline(attack: Attack) -> None:
    with pytest.raises(SandboxFailed) as caught:
        await attack("answers.half_a_reply", deadline_ms=300)
    assert caught.value.code == "sandbox.deadline"


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("too_many_rows", "VARCHAR"),
        ("too_many_elements", "VARCHAR[]"),
        ("too_many_elements_deep_down", "VARCHAR[][]"),
    ],
)
async def test_rows_and_list_elements_above_the_limit_fail(name: str, type_: str, attack: Attack) -> None:
    assert await failure(attack, name, type_) == "sandbox.too_many_rows"


async def test_rows_of_all_batches_count(attacked: Pool, own_file: Path) -> None:
    columns, limits = (OutputColumn(name="outcome", type="VARCHAR"),), Limits(max_rows=3 * BATCH_ROWS - 1)
    with pytest.raises(SandboxFailed, match="too_many_rows"):
        await attacked.execute("answers.too_many_rows_in_many_batches", [own_file], columns, limits)


async def test_bytes_above_the_limit_fail(attacked: Pool, own_file: Path) -> None:
    columns, limits = (OutputColumn(name="outcome", type="VARCHAR"),), Limits(max_rows=100_000, max_bytes=65_536)
    with pytest.raises(SandboxFailed) as caught:
        await attacked.execute("answers.too_many_bytes", [own_file], columns, limits)
    assert (caught.value.code, caught.value.entered) == ("sandbox.too_many_bytes", True)


async def test_one_long_text_counts_as_the_records_it_may_hold(attack: Attack) -> None:
    assert await failure(attack, "one_text_for_many_records") == "sandbox.too_many_rows"


@pytest.mark.parametrize("where", ["beyond_it", "nowhere"])
async def test_lists_of_nothing_do_not_end_the_service(where: str, attack: Attack) -> None:
    cell: object = await attack(f"answers.lists_of_nothing_that_begin_{where}", "VARCHAR[][]")
    assert cell == []


async def test_an_answer_is_not_mapped_where_it_could_still_be_changed(attack: Attack) -> None:
    assert await attack("answers.shared_memory_kept") == "stopped"


async def test_a_worker_that_works_on_after_its_reply_is_ended(attack: Attack) -> None:
    assert await attack("answers.work_on_after_the_reply") == "answered"
    assert await attack("memory.executable") == "stopped EPERM"
