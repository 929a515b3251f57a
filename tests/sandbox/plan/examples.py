"""One call or more of every function of the table: a function without an example fails `test_functions.py`.

The calls stand over `people` of `world.py`; window functions get their OVER from `question`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.plan.functions import FUNCTIONS
from tests.sandbox.plan.asking import World, same

_EXAMPLES = r"""
sign(age - 30) | ceil(pay) | ceil(cost) | ceiling(cost) | floor(pay) | round(pay, 1) | round(cost)
round(age, -1) | trunc(cost, 1) | trunc(pay) | even(pay) | signbit(pay - 5) | sqrt(pay) | cbrt(pay)
exp(pay / 10) | ln(pay + 1) | log(pay + 1) | log(2, pay + 1) | log10(pay + 1) | log2(pay + 1) | pow(pay, 2)
power(age, 0.5) | pi() | sin(pay) | cos(pay) | tan(pay) | asin(pay / 100) | acos(pay / 100) | atan(pay)
atan2(pay, age) | cot(pay + 1) | degrees(pay) | radians(pay) | sinh(pay / 10) | cosh(pay / 10) | tanh(pay)
asinh(pay) | acosh(pay + 1) | atanh(pay / 100) | gamma(pay + 1) | lgamma(pay + 1) | nextafter(pay, 9)
isnan(pay) | isinf(pay) | isfinite(pay) | bit_count(age) | abs(age - 30) | abs(cost - 5) | mod(age, 7)
mod(cost, 3) | gcd(age, 12) | lcm(age, 12) | greatest_common_divisor(age, 12) | least_common_multiple(age, 12)
factorial(CAST(age % 9 AS INTEGER)) | greatest(age, hours) | least(pay, cost) | coalesce(hours, 0)
ifnull(sex, '?') | nullif(age, 7) | if(ok, age, pay) | lower(sex) | upper(sex) | lcase(note) | ucase(note)
length(note) | char_length(note) | character_length(note) | strlen(note) | length_grapheme(note)
bit_length(note) | len(note) | len([age]) | trim(note, 'n"') | trim(note) | ltrim(note, 'n') | rtrim(note, '"''')
substr(note, 2, 3) | substring(note, 2) | substring_grapheme(note, 2, 2) | left(note, 2) | right(note, 2)
left_grapheme(note, 3) | right_grapheme(note, 3) | replace(note, 'n', 'đ') | translate(note, 'n_', 'm-')
reverse(note) | instr(note, '_') | strpos(note, 'é') | position('_' IN note) | contains(note, 'é')
starts_with(note, 'n1') | ends_with(note, '"') | prefix(note, 'n2') | suffix(note, '"')
split_part(note, '_', 1) | string_split(note, '_') | str_split(note, '_') | string_to_array(note, '_')
split(note, '_') | string_split_regex(note, '[_é]') | str_split_regex(note, '[_é]')
regexp_split_to_array(note, '_') | concat(note, age, ok) | concat_ws('-', sex, age, NULL) | lpad(note, 9, 'é')
rpad(note, 9, 'x') | ascii(note) | unicode(note) | ord(note) | chr(65 + CAST(age AS INTEGER) % 20)
strip_accents(note) | nfc_normalize(note) | md5(note) | sha1(note) | sha256(note) | url_encode(note)
url_decode(note) | hex(note) | to_hex(age) | bin(age) | to_base(age, 7) | to_base(age, 2, 9)
format_bytes(age * 1000) | regexp_matches(note, 'n[12]') | regexp_full_match(sex, '.*ale')
regexp_replace(note, '[0-9]', '#', 'g') | regexp_extract(note, 'n([0-9])', 1) | regexp_extract_all(note, '[a-z]')
regexp_extract_all(note, '(n)([0-9])', 2) | regexp_escape(note) | levenshtein(note, 'n3') | editdist3(note, 'n3')
damerau_levenshtein(note, '3n') | hamming(note, reverse(note)) | mismatches(note, upper(note))
jaccard(note, 'n1') | jaro_similarity(note, 'n1') | jaro_winkler_similarity(sex, 'mail')
json_extract(to_json([age]), 0) | json_extract('{"a": [1, {"b": "x"}]}', '$.a[1]')
json_extract_path('{"a": 1}', 'a') | json_extract_string(to_json([note]), '$[0]')
json_extract_path_text('{"a": "x"}', 'a') | json_value('{"a": 1}', '$.a') | json_exists('{"a": null}', 'a')
json_contains('[1, 2]', to_json(age)) | json_array_length(to_json([age, hours]))
json_array_length('{"a": [1]}', '$.a') | json_keys('{"a": 1, "b": 2}') | json_type(to_json(cost))
json_type('[1]', '$[0]') | json_valid(note) | json_structure('{"a": [1, "x"]}') | json_quote(note)
to_json(born) | to_json([note]) | json_array(age, note, ok) | json_merge_patch('{"a": 1}', '{"b": 2}')
json_pretty('{"a":1}') | year(born) | quarter(seen) | month(born) | week(born) | day(seen) | dayofmonth(born)
dayofweek(born) | isodow(born) | dayofyear(born) | weekofyear(born) | weekday(born) | isoyear(born)
yearweek(born) | decade(born) | century(born) | millennium(born) | era(born) | hour(seen) | minute(seen)
second(seen) | millisecond(seen) | microsecond(seen) | epoch(seen) | epoch(seen - born) | epoch_ms(seen)
epoch_us(born) | julian(born) | dayname(born) | monthname(seen) | last_day(born) | date_part('week', born)
date_part('day', age(seen, born)) | date_part('epoch', seen) | datepart('julian', born)
date_trunc('month', born) | datetrunc('hour', seen) | date_diff('day', born, seen)
datediff('month', born, seen) | date_sub('month', born, seen) | datesub('hour', seen, seen)
date_add(born, INTERVAL 1 DAY) | age(seen, born) | age(born, born) | time_bucket(INTERVAL 7 DAY, born)
time_bucket(INTERVAL 2 HOUR, seen) | make_date(2020, 1 + age % 12, 5)
make_timestamp(2020, 1, 2, age % 24, 5, 6.5) | make_timestamp_ms(age * 1000) | strftime(born, '%d/%m/%Y')
strptime('31/01/2020', '%d/%m/%Y') | try_strptime('2020', '%Y') | to_days(CAST(age AS INTEGER)) | to_weeks(1)
to_months(age) | to_quarters(2) | to_years(1) | to_decades(1) | to_hours(age) | to_minutes(age) | to_seconds(pay)
to_seconds(age) | to_milliseconds(age) | to_microseconds(age) | list_value(age, hours) | list_pack(1, 2.5)
list_extract([age, 7], 1) | list_element([note], 1) | array_extract([pay], 1) | list_slice([age, 1, 2], 2, 3)
array_slice([note, sex], 1, 1) | list_contains([1, 2], age) | list_has([born], '2020-01-01')
array_contains(['n'], note) | array_has([age], 7) | list_position([7, age], 7) | list_indexof([age], age)
array_position([sex], sex) | list_has_any([age, 1], [1, 2]) | list_has_all([age], [1])
list_concat([age], [1, 2]) | list_cat([1], [age]) | array_concat([note], [sex]) | list_append([1], age)
array_append([age], 1.5) | list_intersect([age, 1], [1]) | list_sort([age, hours, 3], 'DESC')
array_sort([note, sex]) | list_reverse_sort([age, 3]) | list_reverse([age, 3]) | array_reverse([note, 'x'])
list_sort(list_distinct([age, 3, 3])) | list_distinct([age, age]) | array_distinct([note])
list_unique([age, 3]) | array_length([age, 3]) | flatten([[age], [1, 2]]) | list_sum([age, 3])
list_avg([pay, 3]) | list_product([pay, 2]) | list_median([age, 3]) | list_median([cost])
list_var_samp([pay, 3]) | list_var_pop([pay, 3]) | list_stddev_samp([pay, 3]) | list_stddev_pop([pay, 3])
list_count([hours, 1]) | list_min([age, 3]) | list_max([note, 'x']) | list_first([age]) | list_last([age, 1])
list_any_value([hours, 3]) | array_to_string([note, sex], '; ') | count(*) | count(hours) | count(DISTINCT sex)
sum(age) | sum(cost) | avg(pay) | mean(hours) | variance(pay) | var_samp(age) | var_pop(pay) | stddev(pay)
stddev_samp(cost) | stddev_pop(pay) | min(born) | max(note) | approx_count_distinct(age) | grouping(sex)
count_if(ok) | countif(age > 30) | bool_and(ok) | bool_or(ok) | bit_and(age) | bit_or(age) | bit_xor(age)
product(1 + pay / 1000) | fsum(pay) | kahan_sum(pay) | sumkahan(age) | favg(pay) | sem(pay) | arg_min(note, seen)
arg_max(age, seen) | argmin(age, seen) | argmax(note, seen) | min_by(pay, seen) | max_by(cost, seen)
corr(pay, age) | covar_pop(pay, age) | covar_samp(pay, age) | regr_slope(pay, age) | regr_intercept(pay, age)
regr_r2(pay, age) | regr_count(pay, hours) | regr_avgx(pay, age) | regr_avgy(pay, age) | regr_sxx(pay, age)
regr_sxy(pay, age) | regr_syy(pay, age) | skewness(pay) | kurtosis(pay) | kurtosis_pop(pay) | median(age)
median(born) | quantile_cont(pay, 0.9) | quantile_disc(note, 0.5) | quantile_cont(pay, [0.1, 0.5])
quantile_disc(age, [0, 1]) | quantile(age, 0.25) | mad(pay) | mad(cost) | mode(sex) | entropy(note)
string_agg(note, ', ' ORDER BY seen) | group_concat(DISTINCT note ORDER BY note)
listagg(note, '-' ORDER BY seen DESC) | list(age ORDER BY seen) | array_agg(note ORDER BY seen)
first(note ORDER BY seen) | last(age ORDER BY seen) | any_value(hours ORDER BY seen)
arbitrary(pay ORDER BY seen) | row_number() | rank() | dense_rank() | percent_rank() | cume_dist() | ntile(4)
lag(age, 2, 0) | lead(note) | first_value(age) | last_value(note) | nth_value(pay, 2)
"""
_NAME = re.compile(r"\w+")


def _named() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in _EXAMPLES.strip().splitlines():
        for call in line.split(" | "):
            name = _NAME.match(call)
            assert name is not None, call
            found.setdefault(name[0], []).append(call)
    return found


EXAMPLES = _named()
"""Name → calls."""


def calls(kind: str) -> list[str]:
    """Every example of the functions of that kind as a column; an INTERVAL as text, for it is never returned."""
    found = []
    for name, examples in EXAMPLES.items():
        function = FUNCTIONS[name]
        if function.kind == kind:
            over = " OVER (ORDER BY seen)" if kind == "window" else ""
            found += [f"CAST({c} AS VARCHAR)" if function.answer == "INTERVAL" else f"{c}{over}" for c in examples]
    return found


def question(some: Sequence[str], kind: str, table: str = "people") -> str:
    """A question with those calls, after a column that tells its rows apart."""
    key, tail = ("sex", " GROUP BY sex") if kind == "aggregate" else ("seen", "")
    return f"SELECT {key}, {', '.join(some)} FROM {table}{tail}"


def groups(size: int) -> list[tuple[str, list[str]]]:
    """All calls, so many at a time, each with its kind."""
    kinds = [(kind, calls(kind)) for kind in ("scalar", "aggregate", "window")]
    return [(kind, all_calls[i : i + size]) for kind, all_calls in kinds for i in range(0, len(all_calls), size)]


def differing(world: World, kind: str, some: list[str], table: str = "people") -> list[str]:
    """The calls that we answer otherwise than plain DuckDB, or that show nothing."""
    sql = question(some, kind, table)
    ours, plain = world.ours(sql), world.plain(sql)
    columns = range(1, len(some) + 1)
    alike = [same([(r[0], r[i]) for r in ours], [(r[0], r[i]) for r in plain]) for i in columns]
    shown = [any(row[i] is not None for row in ours) for i in columns]
    return [call for call, a, b in zip(some, alike, shown, strict=True) if not (a and b)]
