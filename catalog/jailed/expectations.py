"""A jail in which Great Expectations judges the types it judges right; everything is counted by us as well.

Only this module and `dialect` import it, and nothing but a jail imports them. What the two find must agree.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO, Final

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "GX_ANALYTICS_ENABLED": "false", "HOME": "/"}
sys.path.append("/expectations")

import duckdb
import msgspec

from catalog.jailed import quality
from catalog.jailed.dialect import engine_on
from catalog.jailed.expected import OURS, TABLE
from catalog.jailed.table import connect
from catalog.quality.suite import Expectation
from catalog.quality.wire import Counted, QualityOrder, QualityReply

from great_expectations.core.batch import Batch
from great_expectations.execution_engine import SqlAlchemyExecutionEngine
from great_expectations.execution_engine.sqlalchemy_batch_data import SqlAlchemyBatchData
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.validator.validator import Validator
from tqdm import tqdm

tqdm.monitor_interval = 0  # it would start a thread, and a process with two cannot make the jail's children

_PLACE: Final = "place"
_connection: duckdb.DuckDBPyConnection


def warm(_boot: object) -> None:
    """Judge something of every type once: what is loaded at first use is loaded now."""
    global _connection  # noqa: PLW0603 (inherited over fork: there is nobody to hand it over)
    _connection = connect()
    _connection.execute(f"CREATE TABLE {TABLE} AS SELECT i AS a, i AS b, 'x' AS s FROM range(3) t(i)")
    verdicts(_connection, _REHEARSED)
    _connection.execute(f"DROP TABLE {TABLE}")


def main(payload: bytes, inputs: Sequence[int], _output: BinaryIO) -> bytes:
    """A QualityOrder's inputs judged. Returns a QualityReply."""
    order = msgspec.msgpack.decode(payload, type=QualityOrder)
    reply = quality.judge(_connection, order, inputs)
    if not reply.fault:
        asked = {
            place: expectation
            for place, (expectation, own) in enumerate(zip(order.expectations, reply.counted, strict=True))
            if expectation.type not in OURS and own.met is not None
        }
        told = verdicts(_connection, asked)
        counted = tuple(_agreed(told.get(place), own) for place, own in enumerate(reply.counted))
        reply = QualityReply(rows=reply.rows, counted=counted)
    return msgspec.msgpack.encode(reply)


def _agreed(told: bool | str | None, own: Counted) -> Counted:
    """Its verdict with our counts; an exception is an error; so is a verdict that our counts contradict."""
    if told is None:
        return own
    if isinstance(told, str) or told != own.met:
        error = told if isinstance(told, str) else "judges_differ"
        return msgspec.structs.replace(own, met=None, error=error, judge="great_expectations")
    return msgspec.structs.replace(own, judge="great_expectations")


def verdicts(connection: duckdb.DuckDBPyConnection, asked: dict[int, Expectation]) -> dict[int, bool | str]:
    """What Great Expectations says of each; a word where it raised."""
    if not asked:
        return {}
    engine = SqlAlchemyExecutionEngine(engine=engine_on(connection), create_temp_table=False)
    data = SqlAlchemyBatchData(engine, table_name=TABLE, create_temp_table=False)
    validator = Validator(execution_engine=engine, batches=[Batch(data=data)])
    validator.metrics_calculator.show_progress_bars = False
    configurations = [
        ExpectationConfiguration(type=e.type, kwargs=_arguments(e), meta={_PLACE: place})
        for place, e in asked.items()
    ]
    results = validator.graph_validate(
        configurations=configurations, runtime_configuration={"result_format": "BOOLEAN_ONLY"}
    )
    return {r.expectation_config.meta[_PLACE]: _told(r) for r in results}


def _told(result: Any) -> bool | str:
    return "raised" if _raised(result.exception_info) else bool(result.success)


def _raised(info: Any) -> bool:
    """`exception_info` is one record, or one a metric."""
    if not info:
        return False
    return bool(info["raised_exception"]) if "raised_exception" in info else any(map(_raised, info.values()))


def _arguments(expectation: Expectation) -> dict[str, Any]:
    arguments: dict[str, Any] = msgspec.to_builtins(expectation.arguments)
    if expectation.type == "expect_column_pair_values_a_to_be_greater_than_b":
        arguments["ignore_row_if"] = "either_value_is_missing"
    return arguments


_REHEARSED: Final = dict(enumerate(msgspec.convert([
    {"type": f"expect_{kind}", "kwargs": arguments, "meta": {"axis": "clean"}}
    for kind, arguments in (
        ("table_row_count_to_be_between", {"min_value": 1}),
        ("column_values_to_not_be_null", {"column": "a"}),
        ("column_values_to_be_unique", {"column": "a"}),
        ("column_values_to_be_between", {"column": "a", "min_value": 0, "mostly": 0.5}),
        ("column_values_to_be_in_set", {"column": "s", "value_set": ["x"]}),
        ("column_values_to_match_regex", {"column": "s", "regex": "x"}),
        ("column_values_to_match_regex", {"column": "s", "regex": "(?=x)"}),
        ("column_value_lengths_to_be_between", {"column": "s", "min_value": 1}),
        ("column_pair_values_a_to_be_greater_than_b", {"column_A": "a", "column_B": "b", "or_equal": True}),
        ("column_max_to_be_between", {"column": "a", "max_value": 9}),
        ("column_unique_value_count_to_be_between", {"column": "a", "max_value": 9}),
    )
], type=list[Expectation])))  # fmt: skip
