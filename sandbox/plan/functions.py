"""The table of functions: the only ones that SQL may call. Name, arguments, type of the answer, kind.

Arguments are words: a type, `ANY`, `NUMBER`, `WHOLE` (an integer up to 64 bits), `TEMPORAL` (date or timestamp),
`LIST`, `ITEM` (fits in the list), `TEXT` (a constant string), `PART` (a constant part of a date, e.g. 'month'),
`FRACTION` (a constant from 0 to 1), `T` (all T of one call must fit together); `?` optional, `*` any number.
The answer is a type, `same` (the first argument's) or a rule of `arguments.answer_type`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["scalar", "aggregate", "window"]


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table. `cohorts`: how an aggregate may be used over an aggregate-mode table.

    "measure": over measures (and dimensions where it counts); "dimension": over dimensions only; "": not at all.
    """

    name: str
    arguments: tuple[str, ...]
    answer: str
    kind: Kind
    cohorts: Literal["measure", "dimension", ""] = ""
    needs_order: bool = False

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments).lower()})"


_SCALARS = """
abs NUMBER same | ceil NUMBER whole_number | ceiling NUMBER whole_number | floor NUMBER whole_number
round NUMBER WHOLE? rounded | trunc NUMBER WHOLE? rounded | sign NUMBER INTEGER | mod NUMBER NUMBER remainder
sqrt DOUBLE DOUBLE | cbrt DOUBLE DOUBLE | exp DOUBLE DOUBLE | ln DOUBLE DOUBLE | log DOUBLE DOUBLE? DOUBLE
log10 DOUBLE DOUBLE | log2 DOUBLE DOUBLE | pow DOUBLE DOUBLE DOUBLE | power DOUBLE DOUBLE DOUBLE | pi DOUBLE
sin DOUBLE DOUBLE | cos DOUBLE DOUBLE | tan DOUBLE DOUBLE | asin DOUBLE DOUBLE | acos DOUBLE DOUBLE
atan DOUBLE DOUBLE | atan2 DOUBLE DOUBLE DOUBLE | cot DOUBLE DOUBLE | degrees DOUBLE DOUBLE | radians DOUBLE DOUBLE
isnan DOUBLE BOOLEAN | isinf DOUBLE BOOLEAN | isfinite DOUBLE BOOLEAN
gcd WHOLE WHOLE BIGINT | lcm WHOLE WHOLE BIGINT
greatest T T* unified | least T T* unified | coalesce T T* unified | ifnull T T unified | nullif T T same
if BOOLEAN T T unified
lower VARCHAR VARCHAR | upper VARCHAR VARCHAR | lcase VARCHAR VARCHAR | ucase VARCHAR VARCHAR
length VARCHAR BIGINT | strlen VARCHAR BIGINT | len SIZED BIGINT | trim VARCHAR VARCHAR? VARCHAR
ltrim VARCHAR VARCHAR? VARCHAR | rtrim VARCHAR VARCHAR? VARCHAR | substr VARCHAR WHOLE WHOLE? VARCHAR
substring VARCHAR WHOLE WHOLE? VARCHAR | left VARCHAR WHOLE VARCHAR | right VARCHAR WHOLE VARCHAR
replace VARCHAR VARCHAR VARCHAR VARCHAR | translate VARCHAR VARCHAR VARCHAR VARCHAR | reverse VARCHAR VARCHAR
instr VARCHAR VARCHAR BIGINT | strpos VARCHAR VARCHAR BIGINT | position VARCHAR VARCHAR BIGINT
contains VARCHAR VARCHAR BOOLEAN | starts_with VARCHAR VARCHAR BOOLEAN | ends_with VARCHAR VARCHAR BOOLEAN
prefix VARCHAR VARCHAR BOOLEAN | suffix VARCHAR VARCHAR BOOLEAN | split_part VARCHAR VARCHAR WHOLE VARCHAR
string_split VARCHAR VARCHAR VARCHAR[] | concat ANY ANY* VARCHAR | concat_ws VARCHAR ANY ANY* VARCHAR
lpad VARCHAR WHOLE VARCHAR VARCHAR | rpad VARCHAR WHOLE VARCHAR VARCHAR | ascii VARCHAR INTEGER | chr WHOLE VARCHAR
strip_accents VARCHAR VARCHAR | levenshtein VARCHAR VARCHAR BIGINT | jaccard VARCHAR VARCHAR DOUBLE
jaro_winkler_similarity VARCHAR VARCHAR DOUBLE | md5 VARCHAR VARCHAR | sha256 VARCHAR VARCHAR
regexp_matches VARCHAR VARCHAR BOOLEAN | regexp_full_match VARCHAR VARCHAR BOOLEAN
regexp_replace VARCHAR VARCHAR VARCHAR VARCHAR? VARCHAR | regexp_extract VARCHAR VARCHAR WHOLE? VARCHAR
year TEMPORAL BIGINT | quarter TEMPORAL BIGINT | month TEMPORAL BIGINT | week TEMPORAL BIGINT | day TEMPORAL BIGINT
dayofmonth TEMPORAL BIGINT | dayofweek TEMPORAL BIGINT | isodow TEMPORAL BIGINT | dayofyear TEMPORAL BIGINT
weekofyear TEMPORAL BIGINT | weekday TEMPORAL BIGINT | isoyear TEMPORAL BIGINT | yearweek TEMPORAL BIGINT
decade TEMPORAL BIGINT | century TEMPORAL BIGINT | hour TEMPORAL BIGINT | minute TEMPORAL BIGINT
second TEMPORAL BIGINT | epoch TEMPORAL DOUBLE | epoch_ms TIMESTAMP BIGINT | dayname TEMPORAL VARCHAR
monthname TEMPORAL VARCHAR | last_day TEMPORAL DATE | date_part PART TEMPORAL date_part
datepart PART TEMPORAL date_part | date_trunc PART TEMPORAL TIMESTAMP | datetrunc PART TEMPORAL TIMESTAMP
date_diff PART TEMPORAL TEMPORAL BIGINT | datediff PART TEMPORAL TEMPORAL BIGINT
date_sub PART TEMPORAL TEMPORAL BIGINT | datesub PART TEMPORAL TEMPORAL BIGINT
make_date WHOLE WHOLE WHOLE DATE | strftime TEMPORAL TEXT VARCHAR | strptime VARCHAR TEXT TIMESTAMP
try_strptime VARCHAR TEXT TIMESTAMP | to_days INTEGER INTERVAL | to_weeks INTEGER INTERVAL
to_months INTEGER INTERVAL | to_years INTEGER INTERVAL | to_hours WHOLE INTERVAL | to_minutes WHOLE INTERVAL
list_extract LIST WHOLE item | list_contains LIST ITEM BOOLEAN | list_sort LIST same | list_distinct LIST same
list_sum NUMBERS item_sum | list_avg NUMBERS DOUBLE | list_min LIST item | list_max LIST item
array_to_string LIST TEXT VARCHAR | list_value T T* list
"""

_AGGREGATES = """
count ANY? BIGINT measure | sum NUMBER sum measure | avg NUMBER DOUBLE measure | mean NUMBER DOUBLE measure
variance DOUBLE DOUBLE measure | var_samp DOUBLE DOUBLE measure | var_pop DOUBLE DOUBLE measure
stddev DOUBLE DOUBLE measure | stddev_samp DOUBLE DOUBLE measure | stddev_pop DOUBLE DOUBLE measure
sem DOUBLE DOUBLE measure
min ANY same dimension | max ANY same dimension
approx_count_distinct ANY BIGINT dimension | grouping ANY ANY* BIGINT dimension
count_if BOOLEAN HUGEINT dimension | countif BOOLEAN HUGEINT dimension | bool_and BOOLEAN BOOLEAN dimension
bool_or BOOLEAN BOOLEAN dimension | median ORDERED middle | mode ANY same | product DOUBLE DOUBLE
quantile_cont CONTINUOUS FRACTION middle | quantile_disc ANY FRACTION same | arg_min ANY ANY same
arg_max ANY ANY same | min_by ANY ANY same | max_by ANY ANY same | corr DOUBLE DOUBLE DOUBLE measure
covar_pop DOUBLE DOUBLE DOUBLE measure | covar_samp DOUBLE DOUBLE DOUBLE measure
regr_slope DOUBLE DOUBLE DOUBLE measure | regr_intercept DOUBLE DOUBLE DOUBLE measure
regr_r2 DOUBLE DOUBLE DOUBLE measure | regr_count DOUBLE DOUBLE INTEGER measure
regr_sxx DOUBLE DOUBLE DOUBLE measure | regr_syy DOUBLE DOUBLE DOUBLE measure
regr_sxy DOUBLE DOUBLE DOUBLE measure | regr_avgx DOUBLE DOUBLE DOUBLE measure
regr_avgy DOUBLE DOUBLE DOUBLE measure | skewness DOUBLE DOUBLE | kurtosis DOUBLE DOUBLE
entropy ANY DOUBLE | string_agg VARCHAR TEXT? VARCHAR | group_concat VARCHAR TEXT? VARCHAR
list ANY list | array_agg ANY list | first ANY same order | last ANY same order | any_value ANY same order
"""

_WINDOWS = """
row_number BIGINT | rank BIGINT | dense_rank BIGINT | percent_rank DOUBLE | cume_dist DOUBLE | ntile WHOLE BIGINT
lag T WHOLE? T? same | lead T WHOLE? T? same | first_value ANY same | last_value ANY same
nth_value ANY WHOLE same
"""


def _rows(text: str) -> list[list[str]]:
    return [row.split() for line in text.splitlines() for row in line.split("|") if row.strip()]


def _aggregate(words: list[str]) -> Function:
    last = words[-1]
    cohorts: Literal["measure", "dimension", ""] = last if last in ("measure", "dimension") else ""  # type: ignore[assignment]
    ordered = last == "order"
    name, *arguments, answer = words[:-1] if cohorts or ordered else words
    return Function(name, tuple(arguments), answer, "aggregate", cohorts, ordered)


def _plain(words: list[str], kind: Kind) -> Function:
    name, *arguments, answer = words
    return Function(name, tuple(arguments), answer, kind)


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        *(_plain(words, "scalar") for words in _rows(_SCALARS)),
        *(_aggregate(words) for words in _rows(_AGGREGATES)),
        *(_plain(words, "window") for words in _rows(_WINDOWS)),
    )
}

_NONDETERMINISTIC = """
random rand setseed now today current_date current_time current_timestamp get_current_timestamp localtime
localtimestamp transaction_timestamp uuid gen_random_uuid uuidv4 uuidv7 nextval currval txid_current
get_current_time current_localtime current_localtimestamp clock_timestamp
"""

_OUTSIDE = """
read_csv read_csv_auto read_parquet parquet_scan parquet_metadata parquet_schema read_json read_json_auto
read_ndjson read_text read_blob read_xlsx glob sniff_csv getenv current_setting set_config which_secret
pragma_version version current_database current_schema current_user user session_user query query_table
postgres_scan sqlite_scan iceberg_scan delta_scan mysql_scan http_get load_aws_credentials write_log
parse_path sleep_ms add_parquet_key getvariable
"""

NONDETERMINISTIC = frozenset(_NONDETERMINISTIC.split())
OUTSIDE = frozenset(_OUTSIDE.split())
OUTSIDE_PREFIXES = ("duckdb_", "pragma_", "read_", "pg_")

INSTEAD = {
    "now": "DATE '2026-01-31'", "today": "DATE '2026-01-31'", "current_date": "DATE '2026-01-31'",
    "current_timestamp": "TIMESTAMP '2026-01-31 00:00:00'", "random": "x % 10", "uuid": "md5(x)",
    "array_length": "len", "char_length": "length", "nvl": "coalesce", "isnull": "x IS NULL",
    "to_char": "strftime",
    "to_date": "CAST(x AS DATE)", "var": "variance", "listagg": "string_agg", "collect_list": "list",
    "first": "first(x ORDER BY y)", "last": "last(x ORDER BY y)", "any_value": "min",
    "percentile_cont": "quantile_cont(x, 0.5)", "percentile_disc": "quantile_disc(x, 0.5)",
    "quantile": "quantile_cont", "std": "stddev", "substring_index": "split_part", "charindex": "strpos",
    "dateadd": "d + INTERVAL 1 DAY", "date_add": "d + INTERVAL 1 DAY", "format": "concat", "printf": "concat",
    "sumif": "sum(x) FILTER (WHERE c)", "locate": "strpos", "string_to_array": "string_split",
    "repeat": "rpad(x, n, x)", "unnest": "list_extract(xs, 1)", "iff": "if", "log1p": "ln",
}  # fmt: skip
