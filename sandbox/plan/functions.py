"""The table of functions: the only ones that SQL may call.

A row is a name, the words of its arguments, and the type of its answer. Words: a type, `ANY`, `PLAIN` (no list),
`NUMBER`, `WHOLE` (an integer up to 64 bits), `TEMPORAL` (date or timestamp), `MOMENT` (those and INTERVAL),
`LIST`, `LIKE` (a list as the first), `ITEM` (fits in the list), `T` (all T of one call must fit together).
Constants: `TEXT`, `PATH` (a string or whole number), `PART` (of a date, e.g. 'month'), `FRACTION` (from 0 to 1,
or a list of them), `DIGITS` (beside a DECIMAL), `PLACE` (from 0 to 9), `OPTIONS` (of a pattern: 'g', 'i', …),
`PERIOD` (an interval above zero), `WAY` ('ASC' or 'DESC'). `?` optional, `*` any number. The answer is a type
(`~` before it: the engine's own is another, so it is cast), `same` (the first argument's) or a rule of
`arguments.answer_type`. After it: over what of a cohort it may stand (`measure`, `dimension`) and what its
answer depends on besides the values (`order`, `sorted`, `ties`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Kind = Literal["scalar", "aggregate", "window"]
Mode = Literal["rows", "aggregate"]
Cohorts = Literal["measure", "dimension", ""]
Determinism = Literal["always", "order", "sorted", "ties"]
"""Given the same rows the answer is: always the same; the same with ORDER BY inside, which must be written;
the same since the plan puts an ORDER BY inside; the same but for which of several equal rows stands first."""
Total = Literal["itself", "guarded", "none"]
"""How a call becomes an expression that never raises: it is one; by what `total` puts around it; not at all."""
Cost = Literal["cell", "length", "square", "group", "rows"]
"""Time and memory grow with: nothing; the length of a value; the square of it; groups; the rows of a group."""


@dataclass(frozen=True, slots=True)
class Function:
    """One row of the table. `cohorts`: what of an aggregate-mode table an aggregate may stand directly over.

    "measure": measures (and dimensions where it counts); "dimension": dimensions only; "": not at all.
    """

    name: str
    arguments: tuple[str, ...]
    answer: str
    kind: Kind
    cohorts: Cohorts = ""
    determinism: Determinism = "always"
    total: Total = "none"
    cost: Cost = "cell"
    is_cast: bool = False

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.arguments).lower()})"

    @property
    def modes(self) -> tuple[Mode, ...]:
        """Where it may stand directly on a table; above a grouped SELECT all of them may."""
        return ("rows", "aggregate") if self.kind != "aggregate" or self.cohorts else ("rows",)


_MATHEMATICS = """
sign NUMBER INTEGER | ceil NUMBER whole_number | ceiling NUMBER whole_number | floor NUMBER whole_number
round NUMBER DIGITS? rounded | trunc NUMBER DIGITS? rounded | even DOUBLE DOUBLE | signbit DOUBLE BOOLEAN
sqrt DOUBLE DOUBLE | cbrt DOUBLE DOUBLE | exp DOUBLE DOUBLE | ln DOUBLE DOUBLE | log DOUBLE DOUBLE? DOUBLE
log10 DOUBLE DOUBLE | log2 DOUBLE DOUBLE | pow DOUBLE DOUBLE DOUBLE | power DOUBLE DOUBLE DOUBLE | pi DOUBLE
sin DOUBLE DOUBLE | cos DOUBLE DOUBLE | tan DOUBLE DOUBLE | asin DOUBLE DOUBLE | acos DOUBLE DOUBLE
atan DOUBLE DOUBLE | atan2 DOUBLE DOUBLE DOUBLE | cot DOUBLE DOUBLE | degrees DOUBLE DOUBLE
radians DOUBLE DOUBLE | sinh DOUBLE DOUBLE | cosh DOUBLE DOUBLE | tanh DOUBLE DOUBLE | asinh DOUBLE DOUBLE
acosh DOUBLE DOUBLE | atanh DOUBLE DOUBLE | gamma DOUBLE DOUBLE | lgamma DOUBLE DOUBLE
nextafter DOUBLE DOUBLE DOUBLE | isnan DOUBLE BOOLEAN | isinf DOUBLE BOOLEAN | isfinite DOUBLE BOOLEAN
bit_count WHOLE ~BIGINT | abs NUMBER same | mod NUMBER NUMBER remainder | gcd WHOLE WHOLE BIGINT
lcm WHOLE WHOLE BIGINT | greatest_common_divisor WHOLE WHOLE BIGINT | least_common_multiple WHOLE WHOLE BIGINT
factorial INTEGER HUGEINT
"""

_CONDITIONS = """
greatest T T* unified | least T T* unified | coalesce T T* unified | ifnull T T unified | nullif T T same
if BOOLEAN T T chosen
"""

_TEXTS = """
lower VARCHAR VARCHAR | upper VARCHAR VARCHAR | lcase VARCHAR VARCHAR | ucase VARCHAR VARCHAR
length VARCHAR BIGINT | char_length VARCHAR BIGINT | character_length VARCHAR BIGINT | strlen VARCHAR BIGINT
length_grapheme VARCHAR BIGINT | bit_length VARCHAR BIGINT | len SIZED BIGINT | trim VARCHAR VARCHAR? VARCHAR
ltrim VARCHAR VARCHAR? VARCHAR | rtrim VARCHAR VARCHAR? VARCHAR | substr VARCHAR WHOLE WHOLE? VARCHAR
substring VARCHAR WHOLE WHOLE? VARCHAR | substring_grapheme VARCHAR WHOLE WHOLE? VARCHAR
left VARCHAR WHOLE VARCHAR | right VARCHAR WHOLE VARCHAR | left_grapheme VARCHAR WHOLE VARCHAR
right_grapheme VARCHAR WHOLE VARCHAR | replace VARCHAR VARCHAR VARCHAR VARCHAR
translate VARCHAR VARCHAR VARCHAR VARCHAR | reverse VARCHAR VARCHAR | instr VARCHAR VARCHAR BIGINT
strpos VARCHAR VARCHAR BIGINT | position VARCHAR VARCHAR BIGINT | contains VARCHAR VARCHAR BOOLEAN
starts_with VARCHAR VARCHAR BOOLEAN | ends_with VARCHAR VARCHAR BOOLEAN | prefix VARCHAR VARCHAR BOOLEAN
suffix VARCHAR VARCHAR BOOLEAN | split_part VARCHAR VARCHAR WHOLE VARCHAR
string_split VARCHAR VARCHAR VARCHAR[] | str_split VARCHAR VARCHAR VARCHAR[]
string_to_array VARCHAR VARCHAR VARCHAR[] | split VARCHAR VARCHAR VARCHAR[]
string_split_regex VARCHAR VARCHAR VARCHAR[] | str_split_regex VARCHAR VARCHAR VARCHAR[]
regexp_split_to_array VARCHAR VARCHAR VARCHAR[] | concat PLAIN PLAIN* VARCHAR
concat_ws VARCHAR PLAIN PLAIN* VARCHAR | lpad VARCHAR WHOLE VARCHAR VARCHAR | rpad VARCHAR WHOLE VARCHAR VARCHAR
ascii VARCHAR INTEGER | unicode VARCHAR INTEGER | ord VARCHAR INTEGER | chr INTEGER VARCHAR
strip_accents VARCHAR VARCHAR | nfc_normalize VARCHAR VARCHAR | md5 VARCHAR VARCHAR | sha1 VARCHAR VARCHAR
sha256 VARCHAR VARCHAR | url_encode VARCHAR VARCHAR | url_decode VARCHAR VARCHAR | hex VARCHAR VARCHAR
to_hex WHOLE VARCHAR | bin WHOLE VARCHAR | to_base WHOLE INTEGER INTEGER? VARCHAR | format_bytes WHOLE VARCHAR
regexp_matches VARCHAR VARCHAR BOOLEAN | regexp_full_match VARCHAR VARCHAR BOOLEAN
regexp_replace VARCHAR VARCHAR VARCHAR OPTIONS? VARCHAR | regexp_extract VARCHAR VARCHAR PLACE? VARCHAR
regexp_extract_all VARCHAR VARCHAR PLACE? VARCHAR[] | regexp_escape VARCHAR VARCHAR
"""

_DISTANCES = """
levenshtein VARCHAR VARCHAR BIGINT | editdist3 VARCHAR VARCHAR BIGINT
damerau_levenshtein VARCHAR VARCHAR BIGINT | hamming VARCHAR VARCHAR BIGINT | mismatches VARCHAR VARCHAR BIGINT
jaccard VARCHAR VARCHAR DOUBLE | jaro_similarity VARCHAR VARCHAR DOUBLE
jaro_winkler_similarity VARCHAR VARCHAR DOUBLE
"""

_JSON = """
json_extract VARCHAR PATH ~VARCHAR | json_extract_path VARCHAR PATH ~VARCHAR
json_extract_string VARCHAR PATH VARCHAR | json_extract_path_text VARCHAR PATH VARCHAR
json_value VARCHAR PATH VARCHAR | json_exists VARCHAR TEXT BOOLEAN | json_contains VARCHAR VARCHAR BOOLEAN
json_array_length VARCHAR TEXT? ~BIGINT | json_keys VARCHAR TEXT? VARCHAR[] | json_type VARCHAR TEXT? VARCHAR
json_valid VARCHAR BOOLEAN | json_structure VARCHAR ~VARCHAR | json_quote ANY ~VARCHAR | to_json ANY ~VARCHAR
json_array ANY ANY* ~VARCHAR | json_merge_patch VARCHAR VARCHAR ~VARCHAR | json_pretty VARCHAR VARCHAR
"""

_DATES = """
year MOMENT BIGINT | quarter MOMENT BIGINT | month MOMENT BIGINT | week TEMPORAL BIGINT | day MOMENT BIGINT
dayofmonth MOMENT BIGINT | dayofweek TEMPORAL BIGINT | isodow TEMPORAL BIGINT | dayofyear TEMPORAL BIGINT
weekofyear TEMPORAL BIGINT | weekday TEMPORAL BIGINT | isoyear TEMPORAL BIGINT | yearweek TEMPORAL BIGINT
decade MOMENT BIGINT | century MOMENT BIGINT | millennium MOMENT BIGINT | era TEMPORAL BIGINT
hour MOMENT BIGINT | minute MOMENT BIGINT | second MOMENT BIGINT | millisecond MOMENT BIGINT
microsecond MOMENT BIGINT | epoch MOMENT DOUBLE | epoch_ms TIMESTAMP BIGINT | epoch_us TIMESTAMP BIGINT
julian TEMPORAL DOUBLE | dayname TEMPORAL VARCHAR | monthname TEMPORAL VARCHAR | last_day TEMPORAL DATE
date_part PART MOMENT date_part | datepart PART MOMENT date_part | date_trunc PART TEMPORAL TIMESTAMP
datetrunc PART TEMPORAL TIMESTAMP | date_diff PART TEMPORAL TEMPORAL BIGINT
datediff PART TEMPORAL TEMPORAL BIGINT | date_sub PART TEMPORAL TEMPORAL BIGINT
datesub PART TEMPORAL TEMPORAL BIGINT | date_add TEMPORAL INTERVAL TIMESTAMP | age TIMESTAMP TIMESTAMP INTERVAL
time_bucket PERIOD TEMPORAL second | make_date WHOLE WHOLE WHOLE DATE
make_timestamp WHOLE WHOLE WHOLE WHOLE WHOLE DOUBLE TIMESTAMP | make_timestamp_ms WHOLE TIMESTAMP
strftime TEMPORAL TEXT VARCHAR | strptime VARCHAR TEXT TIMESTAMP | try_strptime VARCHAR TEXT TIMESTAMP
to_days INTEGER INTERVAL | to_weeks INTEGER INTERVAL | to_months INTEGER INTERVAL | to_quarters INTEGER INTERVAL
to_years INTEGER INTERVAL | to_decades INTEGER INTERVAL | to_hours WHOLE INTERVAL | to_minutes WHOLE INTERVAL
to_seconds NUMBER INTERVAL | to_milliseconds NUMBER INTERVAL | to_microseconds WHOLE INTERVAL
"""

_LISTS = """
list_value T T* list | list_pack T T* list | list_extract LIST WHOLE item | list_element LIST WHOLE item
array_extract LIST WHOLE item | list_slice LIST WHOLE WHOLE same | array_slice LIST WHOLE WHOLE same
list_contains LIST ITEM BOOLEAN | list_has LIST ITEM BOOLEAN | array_contains LIST ITEM BOOLEAN
array_has LIST ITEM BOOLEAN | list_position LIST ITEM INTEGER | list_indexof LIST ITEM INTEGER
array_position LIST ITEM INTEGER | list_has_any LIST LIKE BOOLEAN | list_has_all LIST LIKE BOOLEAN
list_concat LIST LIKE unified | list_cat LIST LIKE unified | array_concat LIST LIKE unified
list_append LIST ITEM joined | array_append LIST ITEM joined | list_intersect LIST LIKE unified
list_sort LIST WAY? same | array_sort LIST WAY? same | list_reverse_sort LIST same | list_reverse LIST same
array_reverse LIST same | list_distinct LIST same | array_distinct LIST same | list_unique LIST ~BIGINT
array_length LIST BIGINT | flatten LISTS item | list_sum NUMBERS item_sum | list_avg NUMBERS DOUBLE
list_product NUMBERS DOUBLE | list_median NUMBERS item_middle | list_var_samp NUMBERS DOUBLE
list_var_pop NUMBERS DOUBLE | list_stddev_samp NUMBERS DOUBLE | list_stddev_pop NUMBERS DOUBLE
list_count LIST BIGINT | list_min LIST item | list_max LIST item | list_first LIST item | list_last LIST item
list_any_value LIST item | array_to_string LIST TEXT VARCHAR
"""

_AGGREGATES = """
count ANY? BIGINT measure | sum NUMBER sum measure | avg NUMBER DOUBLE measure | mean NUMBER DOUBLE measure
variance DOUBLE DOUBLE measure | var_samp DOUBLE DOUBLE measure | var_pop DOUBLE DOUBLE measure
stddev DOUBLE DOUBLE measure | stddev_samp DOUBLE DOUBLE measure | stddev_pop DOUBLE DOUBLE measure
min ANY same dimension | max ANY same dimension | approx_count_distinct ANY BIGINT dimension
grouping ANY ANY* BIGINT dimension | count_if BOOLEAN HUGEINT dimension | countif BOOLEAN HUGEINT dimension
bool_and BOOLEAN BOOLEAN dimension | bool_or BOOLEAN BOOLEAN dimension | bit_and WHOLE same dimension
bit_or WHOLE same dimension | bit_xor WHOLE same | product DOUBLE DOUBLE | fsum DOUBLE DOUBLE
kahan_sum DOUBLE DOUBLE | sumkahan DOUBLE DOUBLE | favg DOUBLE DOUBLE | sem DOUBLE DOUBLE measure
arg_min ANY ANY same ties | arg_max ANY ANY same ties | argmin ANY ANY same ties | argmax ANY ANY same ties
min_by ANY ANY same ties | max_by ANY ANY same ties | corr DOUBLE DOUBLE DOUBLE measure
covar_pop DOUBLE DOUBLE DOUBLE measure | covar_samp DOUBLE DOUBLE DOUBLE measure
regr_slope DOUBLE DOUBLE DOUBLE measure | regr_intercept DOUBLE DOUBLE DOUBLE measure
regr_r2 DOUBLE DOUBLE DOUBLE measure | regr_count DOUBLE DOUBLE INTEGER measure
regr_avgx DOUBLE DOUBLE DOUBLE measure | regr_avgy DOUBLE DOUBLE DOUBLE measure
regr_sxx DOUBLE DOUBLE DOUBLE measure | regr_sxy DOUBLE DOUBLE DOUBLE measure
regr_syy DOUBLE DOUBLE DOUBLE measure | skewness DOUBLE DOUBLE | kurtosis DOUBLE DOUBLE
kurtosis_pop DOUBLE DOUBLE
"""

_KEEPING = """
median ORDERED middle | quantile_cont CONTINUOUS FRACTION middle | quantile_disc ANY FRACTION same
quantile ANY FRACTION same | mad NUMBER middle | mode ANY same ties | entropy ANY DOUBLE
string_agg VARCHAR TEXT? VARCHAR sorted | group_concat VARCHAR TEXT? VARCHAR sorted
listagg VARCHAR TEXT? VARCHAR sorted | list ANY list sorted | array_agg ANY list sorted | first ANY same order
last ANY same order | any_value ANY same order | arbitrary ANY same order
"""

_WINDOWS = """
row_number BIGINT ties | rank BIGINT | dense_rank BIGINT | percent_rank DOUBLE | cume_dist DOUBLE
ntile WHOLE BIGINT ties | lag T WHOLE? T? same ties | lead T WHOLE? T? same ties | first_value ANY same ties
last_value ANY same ties | nth_value ANY WHOLE same ties
"""

_KEPT_FROM_SOME = """
round trunc abs mod gcd lcm greatest_common_divisor least_common_multiple factorial week weekofyear isoyear
yearweek epoch_ms epoch_us last_day date_part datepart date_trunc datetrunc date_diff datediff date_sub datesub
date_add age time_bucket make_date make_timestamp_ms strptime to_days to_weeks to_months to_quarters to_years
to_decades to_hours to_minutes to_seconds to_milliseconds to_microseconds substr substring left
"""
_REFUSE_SOME = """
make_timestamp substring_grapheme left_grapheme string_split_regex str_split_regex regexp_split_to_array chr
to_base regexp_matches regexp_full_match regexp_replace regexp_extract regexp_extract_all json_extract
json_extract_path json_extract_string json_extract_path_text json_value json_exists json_contains
json_array_length json_keys json_type json_structure json_merge_patch json_pretty hamming mismatches jaccard
list_sum list_avg
"""
_GUARDED = frozenset(_KEPT_FROM_SOME.split())
"""Scalars that refuse some values of their arguments, and are kept from them (`guarded`)."""
_RAISING = frozenset(_REFUSE_SOME.split())
"""Scalars that refuse some, and nothing keeps them from it."""
_UNBOUNDED = frozenset({"lpad", "rpad"})
"""Scalars whose answer may be of any size: running out of memory would tell something too."""

_GROUPS: tuple[tuple[str, Kind, Cost], ...] = (
    (_MATHEMATICS, "scalar", "cell"), (_CONDITIONS, "scalar", "cell"), (_DATES, "scalar", "cell"),
    (_TEXTS, "scalar", "length"), (_JSON, "scalar", "length"), (_LISTS, "scalar", "length"),
    (_DISTANCES, "scalar", "square"), (_AGGREGATES, "aggregate", "group"), (_KEEPING, "aggregate", "rows"),
    (_WINDOWS, "window", "rows"),
)  # fmt: skip


def _function(row: str, kind: Kind, cost: Cost) -> Function:
    words = row.split()
    found: dict[str, str] = {}
    while words[-1] in _NOTES:
        note = words.pop()
        found[_NOTES[note]] = note
    name, *arguments, answer = words
    total: Total = "guarded" if name in _GUARDED else "itself"
    if kind != "scalar" or name in _UNBOUNDED | _RAISING:
        total = "none"
    return Function(
        name, tuple(arguments), answer.removeprefix("~"), kind, **found,  # type: ignore[arg-type]
        total=total, cost=cost, is_cast=answer.startswith("~"),
    )  # fmt: skip


_NOTES = dict.fromkeys(get_args(Determinism), "determinism") | {"measure": "cohorts", "dimension": "cohorts"}
FUNCTIONS: dict[str, Function] = {
    function.name: function
    for text, kind, cost in _GROUPS
    for line in text.splitlines()
    for row in line.split("|")
    if row.strip()
    for function in [_function(row, kind, cost)]
}
