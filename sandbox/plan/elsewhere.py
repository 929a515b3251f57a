"""Functions that are not in the table: why not, and what to write instead (the words of other dialects too)."""

from __future__ import annotations

from .errors import Refusal
from .functions import FUNCTIONS, Function
from .scope import nearest

# The same question must give the same answer when a receipt is checked years later: no clock, no dice.
_NONDETERMINISTIC = """
random rand newid setseed now today getdate sysdate getutcdate curdate curtime current_date current_time
current_timestamp get_current_timestamp localtime localtimestamp transaction_timestamp unix_timestamp uuid
gen_random_uuid generate_uuid uuidv4 uuidv7 nextval currval txid_current get_current_time current_localtime
current_localtimestamp clock_timestamp sysdatetime systimestamp statement_timestamp approx_quantile approx_top_k
reservoir_quantile
"""
_OUTSIDE = """
read_csv read_csv_auto read_parquet parquet_scan parquet_metadata parquet_schema read_json read_json_auto
read_ndjson read_text read_blob read_xlsx glob sniff_csv getenv current_setting set_config which_secret
pragma_version version current_database current_schema current_schemas current_user user session_user query
query_table postgres_scan sqlite_scan iceberg_scan delta_scan mysql_scan http_get load_aws_credentials write_log
parse_path sleep_ms add_parquet_key getvariable current_query current_query_id current_connection_id
current_transaction_id json_serialize_sql json_deserialize_sql json_serialize_plan hive_partition_component
"""
NONDETERMINISTIC = frozenset(_NONDETERMINISTIC.split())
OUTSIDE = frozenset(_OUTSIDE.split())
_OUTSIDE_PREFIXES = ("duckdb_", "pragma_", "read_", "pg_")

_DATE, _MOMENT = "DATE '2026-01-31'", "TIMESTAMP '2026-01-31 00:00:00'"
INSTEAD = {
    **dict.fromkeys(("now", "getdate", "sysdate", "current_timestamp", "localtimestamp", "sysdatetime",
                     "getutcdate", "systimestamp", "transaction_timestamp"), _MOMENT),
    "unix_timestamp": "epoch(x)",
    "random": "x % 10", "rand": "x % 10", "newid": "md5(x)", "uuid": "md5(x)", "gen_random_uuid": "md5(x)",
    "approx_quantile": "quantile_cont(x, 0.5)", "reservoir_quantile": "quantile_cont(x, 0.5)",
    "approx_top_k": "count(*) … GROUP BY x ORDER BY 1 DESC LIMIT 10",
    # NULL and conditions
    "nvl": "coalesce", "isnull": "coalesce(x, y), x IS NULL", "notnull": "x IS NOT NULL",
    "nvl2": "if(x IS NULL, b, a)",
    "zeroifnull": "coalesce(x, 0)", "iff": "if", "iif": "if", "decode": "CASE x WHEN … THEN … END",
    "choose": "CASE x WHEN 1 THEN … END", "try": "TRY_CAST(x AS BIGINT)", "switch": "CASE x WHEN … THEN … END",
    "countnotnull": "count(x)", "safe_divide": "x / nullif(y, 0)", "div0": "x / nullif(y, 0)",
    # casts
    "to_number": "CAST(x AS DOUBLE)", "to_date": "CAST(x AS DATE)", "to_timestamp": "strptime(x, '%Y-%m-%d')",
    **dict.fromkeys(("str_to_date", "parse_date", "parse_timestamp", "parse_datetime"), "strptime"),
    "date": "CAST(x AS DATE)", "convert": "CAST(x AS …)",
    "try_convert": "TRY_CAST(x AS …)", "safe_cast": "TRY_CAST(x AS …)", "to_varchar": "CAST(x AS VARCHAR)",
    "str": "CAST(x AS VARCHAR)", "string": "CAST(x AS VARCHAR)", "int": "CAST(x AS BIGINT)",
    "typeof": "TRY_CAST(x AS BIGINT)", "isnumeric": "TRY_CAST(x AS DOUBLE) IS NOT NULL",
    # dates
    "to_char": "strftime(d, '%Y-%m'), CAST(x AS VARCHAR)", "text": "strftime(d, '%Y-%m'), CAST(x AS VARCHAR)",
    **dict.fromkeys(("date_format", "format_date", "format_timestamp", "time_format"), "strftime(d, '%Y-%m')"),
    "dateadd": "d + INTERVAL 1 DAY", "adddate": "d + INTERVAL 1 DAY", "subdate": "d - INTERVAL 1 DAY",
    "add_months": "d + INTERVAL 1 MONTH", "months_between": "date_diff('month', a, b)",
    "timestampdiff": "date_diff('day', a, b)", "timestamp_diff": "date_diff('day', a, b)",
    "datename": "dayname", "to_days_since": "date_diff('day', a, b)", "eomonth": "last_day",
    "from_unixtime": "make_timestamp_ms", "datefromparts": "make_date", "date_from_parts": "make_date",
    "week_of_year": "weekofyear", "day_of_week": "dayofweek", "day_of_year": "dayofyear",
    # text
    "array_size": "len", "size": "len", "cardinality": "len", "lengthb": "strlen", "octet_length": "strlen",
    "charindex": "strpos", "locate": "strpos", "patindex": "regexp_extract", "find_in_set": "list_position",
    "substring_index": "split_part", "substr_before": "split_part", "mid": "substring", "stuff": "replace",
    "format": "round(x, 2), concat(a, b)", "printf": "concat",
    "repeat": "rpad(x, n, x)", "replicate": "rpad(x, n, x)",
    "space": "rpad(' ', n, ' ')", "char": "chr", "unaccent": "strip_accents", "editdist": "levenshtein",
    "edit_distance": "levenshtein", "regexp_like": "regexp_matches", "rlike": "regexp_matches",
    "regexp_substr": "regexp_extract", "regexp_contains": "regexp_matches", "regexp_count":
    "len(regexp_extract_all(x, 'a'))", "soundex": "jaro_winkler_similarity", "quotename": "concat",
    **dict.fromkeys(("initcap", "proper"), "concat(upper(left(x, 1)), lower(substring(x, 2)))"),
    "ilike": "x ILIKE 'a%'", "like": "x LIKE 'a%'", "overlay": "concat(left(x, 2), y)",
    "to_base64": "hex", "base64": "hex", "hash": "md5(x)", "checksum": "md5(x)", "tolower": "lower",
    "toupper": "upper", "endswith": "ends_with", "startswith": "starts_with", "strsplit": "string_split",
    # numbers
    "truncate": "trunc", "ceil_to": "ceil", "log1p": "ln", "expm1": "exp", "square": "pow(x, 2)",
    "width_bucket": "x // 10", "trunc_date": "date_trunc", "bitand": "bit_and", "bitor": "bit_or",
    "isodd": "x % 2", "e": "exp(1)",
    # aggregates
    "var": "variance", "varp": "var_pop", "std": "stddev", "stdev": "stddev", "stdevp": "stddev_pop",
    "variance_pop": "var_pop", "variance_samp": "var_samp", "average": "avg", "collect_list": "list",
    "collect_set": "list(DISTINCT x ORDER BY x)", "group_array": "list", "array_concat_agg": "list",
    "first": "first(x ORDER BY y)", "last": "last(x ORDER BY y)", "any_value": "min", "arbitrary": "min",
    "percentile_cont": "quantile_cont(x, 0.5)", "percentile_disc": "quantile_disc(x, 0.5)",
    "percentile": "quantile_cont(x, 0.5)", "percentile_approx": "quantile_cont(x, 0.5)",
    "approx_quantiles": "quantile_cont(x, [0.25, 0.5, 0.75])", "value_counts": "count(*) … GROUP BY x",
    "approx_percentile": "quantile_cont(x, 0.5)",
    "approx_distinct": "approx_count_distinct", "hll": "approx_count_distinct", "uniq": "approx_count_distinct",
    "every": "bool_and", "some": "bool_or", "logical_and": "bool_and", "logical_or": "bool_or",
    **dict.fromkeys(("sumif", "sumifs"), "sum(x) FILTER (WHERE c)"),
    **dict.fromkeys(("avgif", "averageif", "averageifs"), "avg(x) FILTER (WHERE c)"),
    "countifs": "count(*) FILTER (WHERE c)", "iferror": "TRY_CAST(x AS DOUBLE), x / nullif(y, 0)",
    **dict.fromkeys(("vlookup", "xlookup", "hlookup", "lookup"), "JOIN … ON …"),
    "histogram": "count(*) … GROUP BY x",
    "geomean": "exp(avg(ln(x)))", "geometric_mean": "exp(avg(ln(x)))", "weighted_avg": "sum(x * w) / sum(w)",
    "wavg": "sum(x * w) / sum(w)",
    "ratio_to_report": "x / sum(x) OVER ()", "json_agg": "list", "top": "LIMIT 10",
    # lists, JSON
    "unnest": "list_extract(xs, 1)", "explode": "list_extract(xs, 1)", "flatten_array": "flatten",
    "list_filter": "list_contains(xs, x)", "list_transform": "list_extract(xs, 1)",
    "array_join": "array_to_string",
    "get_json_object": "json_extract_string", "json_query": "json_extract", "parse_json": "json_extract(x, '$.a')",
    **dict.fromkeys(("struct", "row", "named_struct"), "a, b"), "array": "(SELECT list(x) FROM …)",
    "json_object": "concat(a, ', ', b)", "json_build_object": "concat(a, ', ', b)", "columns": "a, b",
    "json_length": "json_array_length", "jsonb_array_length": "json_array_length",
    "generate_series": "FROM generate_series(1, 10)",
    **dict.fromkeys(("generate_array", "sequence"), "FROM generate_series(1, 10)"),
    "generate_date_array": "FROM generate_series(DATE '2026-01-01', DATE '2026-01-31', INTERVAL 1 DAY)",
    "range": "FROM range(0, 10)",
}  # fmt: skip
for _word in ("today", "current_date", "curdate"):
    INSTEAD[_word] = _DATE


def look_up(name: str, at: int | None, end: int | None) -> Function:
    """The function of the table called `name` (in lower case).

    Refusal, which says what is nearest, if there is none.
    """
    found = FUNCTIONS.get(name)
    if found is not None:
        return found
    if name in NONDETERMINISTIC:
        raise Refusal("sql.nondeterministic", at, end, use=INSTEAD.get(name, _DATE))
    if name in OUTSIDE or name.startswith(_OUTSIDE_PREFIXES):
        raise Refusal("sql.outside_world", at, end)
    raise Refusal("sql.unknown_function", at, end, use=INSTEAD.get(name) or nearest(name, list(FUNCTIONS)))
