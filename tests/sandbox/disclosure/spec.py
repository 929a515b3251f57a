"""What may be asked of a table in aggregate mode: run by `test_aggregate.py`, printed in `docs/sql.md`."""

from __future__ import annotations

ACCEPTED: tuple[str, ...] = (
    "SELECT count(*) FROM licences",
    "SELECT count(*) FROM licences WHERE tinh = 'nowhere'",
    "SELECT tinh, count(*) AS n FROM licences GROUP BY tinh ORDER BY n DESC, tinh",
    "SELECT hang, count(diem), sum(diem), avg(diem) FROM licences GROUP BY hang",
    "SELECT hang, variance(diem), var_pop(phat), stddev(phat), stddev_pop(diem) FROM licences GROUP BY ALL",
    "SELECT sum(phat), avg(phat), stddev(phat), count(phat) FROM licences WHERE hang = 'C'",
    "SELECT count(tinh), count(1), count(DISTINCT tinh), min(nam), max(cap) FROM licences",
    "SELECT count(*) FILTER (WHERE moi) AS moi, avg(diem) FILTER (WHERE nam > 1990) FROM licences",
    "SELECT nam // 10 * 10 AS decade, CASE WHEN hang = 'A' THEN 'xe máy' ELSE 'ô tô' END AS loai, avg(phat) "
    "FROM licences GROUP BY ALL",
    "SELECT tinh, hang, count(*) FROM licences GROUP BY ROLLUP (tinh, hang)",
    "SELECT tinh, hang, count(*), grouping(hang) FROM licences GROUP BY CUBE (tinh, hang)",
    "SELECT tinh FROM licences GROUP BY tinh HAVING avg(diem) > 5.5 AND count(*) > 100",
    "SELECT tinh, avg(diem) AS a FROM licences GROUP BY tinh ORDER BY a DESC LIMIT 2",
    "SELECT tinh FROM licences GROUP BY tinh ORDER BY sum(diem) + count(*) DESC, tinh LIMIT 2",
    "SELECT DISTINCT tinh, hang FROM licences WHERE nam = 1990",
    "SELECT tinh, count(*) * 100.0 / (SELECT count(*) FROM licences) AS share FROM licences GROUP BY tinh",
    "SELECT a.tinh, a.n, p.dan FROM (SELECT tinh, count(*) AS n FROM licences GROUP BY tinh) a "
    "JOIN places p ON p.tinh = a.tinh",
    "WITH g AS (SELECT hang, nam, avg(diem) AS a FROM licences GROUP BY hang, nam) "
    "SELECT hang, max(a) - min(a) AS span FROM g GROUP BY hang",
    "SELECT tinh, count(*) AS n, sum(count(*)) OVER () AS total, rank() OVER (ORDER BY count(*) DESC) "
    "FROM licences GROUP BY tinh",
    "SELECT tinh, n FROM (SELECT tinh, hang, count(*) AS n FROM licences GROUP BY ALL) "
    "QUALIFY row_number() OVER (PARTITION BY tinh ORDER BY n DESC, hang) = 1",
    "SELECT count(*) FROM licences WHERE tinh IN (SELECT tinh FROM places WHERE dan > 2)",
    "SELECT p.tinh, (SELECT avg(diem) FROM licences l WHERE l.tinh = p.tinh) AS diem FROM places p",
    "SELECT v.label, count(*), avg(l.diem) FROM licences l JOIN (VALUES ('A', 'small'), ('B', 'large')) "
    "v(hang, label) ON l.hang = v.hang GROUP BY v.label",
    "SELECT t.big, count(*), sum(l.diem) FROM licences l, LATERAL (SELECT count(*) > 0 AS big FROM places p "
    "WHERE p.tinh = l.tinh AND p.dan > 2) t GROUP BY t.big",
    "SELECT p.tinh, t.n FROM places p, LATERAL (SELECT count(*) AS n FROM licences l WHERE l.tinh = p.tinh) t",
    "SELECT count(*) FROM licences WHERE (tinh, hang) IN (SELECT tinh, 'A' FROM places) OR (nam, moi) = "
    "(1990, TRUE)",
    "SELECT tinh, dan, count(*) FROM licences NATURAL JOIN places GROUP BY tinh, dan",
    "SELECT p.dan, count(*) FROM licences l ASOF JOIN places p ON l.nam >= p.dan GROUP BY p.dan",
    "WITH RECURSIVE years AS (SELECT min(nam) AS y FROM licences UNION ALL SELECT y + 1 FROM years WHERE y < "
    "1995) SELECT y, (SELECT count(*) FROM licences WHERE nam = y) AS n FROM years",
    "SELECT hang, count(*) FROM licences GROUP BY hang UNION ALL SELECT 'all', count(*) FROM licences",
    "SELECT string_agg(DISTINCT hang, ',' ORDER BY hang), list(DISTINCT nam ORDER BY nam) FROM licences",
    "SELECT bool_or(moi), bool_and(nam > 1980), approx_count_distinct(hang) FROM licences",
    "SELECT year(cap) AS y, round(avg(phat), 2), coalesce(sum(phat), 0) FROM licences GROUP BY y",
    "SELECT cohort_level, tinh, count(*), avg(diem) FROM licences GROUP BY cohort_level, tinh",
    "SELECT hang, count(*), avg(CASE WHEN cohort_level = 'fine' THEN 1 ELSE 0 END) AS fine_share, "
    "string_agg(DISTINCT cohort_level, '/' ORDER BY cohort_level) FROM licences GROUP BY hang",
    "SELECT sum(nam), avg(nam), stddev(nam), var_pop(nam), sum(nam / 3), avg(nam * 1.5) FROM licences "
    "GROUP BY hang",
    "SELECT avg(CASE WHEN hang = 'A' THEN 1 ELSE 0 END) AS a, avg(CAST(moi AS INTEGER)) AS moi FROM licences",
    "SELECT count_if(moi), sum(CASE WHEN nam > 1990 THEN 1 ELSE 0 END), count_if(hang = 'Z') FROM licences "
    "GROUP BY tinh",
    "SELECT tinh, sum(CASE WHEN hang = 'A' THEN diem END) AS a, avg(CASE WHEN moi THEN phat ELSE 0 END), "
    "count(CASE WHEN hang = 'A' THEN diem END) FROM licences GROUP BY tinh",
    "SELECT hang, avg(diem), sem(diem), avg(diem) - 1.96 * sem(diem) AS low, sem(nam) FROM licences GROUP BY hang",
    "SELECT avg(diem * 2 + 1), stddev(-diem / 3), sum(phat - nam), variance(diem * nam), sum(diem * diem) "
    "FROM licences",
    "SELECT hang, sum(diem * gio) / sum(gio) AS weighted, sum(diem + gio), avg(gio - diem), stddev(gio - diem) "
    "FROM licences GROUP BY hang",
    "SELECT tinh, corr(diem, gio), covar_pop(diem, gio), covar_samp(gio, diem) FROM licences GROUP BY tinh",
    "SELECT regr_slope(gio, diem), regr_intercept(gio, diem), regr_r2(gio, diem), regr_count(gio, diem), "
    "regr_avgx(gio, diem), regr_avgy(gio, diem), regr_sxx(gio, diem), regr_syy(gio, diem), regr_sxy(gio, diem) "
    "FROM licences",
    "SELECT hang, regr_slope(diem, nam), corr(phat, nam), regr_r2(nam, phat), corr(nam, year(cap)) "
    "FROM licences GROUP BY hang",
    "SELECT corr(diem, gio), regr_slope(gio, diem), regr_r2(gio, diem), regr_count(gio, diem) FROM licences "
    "WHERE nam = 0",
    "SELECT nam, corr(nam, diem), regr_slope(diem, nam), regr_intercept(diem, nam), regr_r2(diem, nam), "
    "regr_r2(nam, diem) FROM licences GROUP BY nam",
    "SELECT tinh, hang, nam, count(*) FROM licences GROUP BY GROUPING SETS ((tinh, hang), (nam), ())",
    "SELECT p.dan, count(*), avg(l.diem), sum(p.dan), corr(l.diem, p.dan) FROM licences l "
    "JOIN places p USING (tinh) GROUP BY p.dan",
    "SELECT l.hang, count(*), count(p.tinh), sum(l.phat) FROM licences l LEFT JOIN places p ON p.tinh = l.tinh "
    "GROUP BY l.hang",
    "SELECT p.tinh, count(*), count(l.tinh), count(l.diem), avg(l.diem) FROM places p "
    "LEFT JOIN licences l ON p.tinh = l.tinh AND l.nam = 1990 AND l.tinh <> 'Huế' GROUP BY p.tinh",
    "SELECT p.tinh, count(*), sum(l.phat) FROM places p FULL JOIN licences l ON p.tinh = l.tinh GROUP BY ALL",
    "SELECT count(*), sum(a.diem), sum(b.phat), sum(a.diem * b.phat), avg(a.nam - b.nam), corr(a.diem, b.gio) "
    "FROM licences a JOIN licences b ON a.tinh = b.tinh AND a.hang = b.hang WHERE a.moi AND b.nam > 1991",
    "SELECT count(*), avg(diem) FROM licences l SEMI JOIN places p ON p.tinh = l.tinh",
    "SELECT tinh FROM places p ANTI JOIN licences l ON p.tinh = l.tinh AND l.nam > 1991",
    "SELECT tinh FROM places p WHERE EXISTS (SELECT * FROM licences l WHERE l.tinh = p.tinh AND l.moi)",
    "SELECT dan FROM places WHERE tinh NOT IN (SELECT tinh FROM licences WHERE tinh IS NOT NULL AND nam = 0)",
    "WITH vung AS (SELECT 'Huế' AS tinh, 'Trung' AS vung UNION ALL SELECT 'Hà Nội', 'Bắc') "
    "SELECT v.vung, count(*), avg(l.diem) FROM licences l JOIN vung v ON v.tinh = l.tinh GROUP BY v.vung",
    "SELECT a.tinh, a.d, b.g FROM (SELECT tinh, avg(diem) AS d FROM licences GROUP BY tinh) a JOIN "
    "(SELECT tinh, max(g) AS g FROM (SELECT tinh, hang, avg(gio) AS g FROM licences GROUP BY ALL) GROUP BY tinh) "
    "b ON b.tinh IS NOT DISTINCT FROM a.tinh",
    "SELECT max(nam) - min(nam) AS span, sum(diem) / count(diem) AS mean FROM licences HAVING count(*) > 10",
)

REFUSED: tuple[tuple[str, str, str], ...] = (
    ("SELECT count(*) FROM places p ASOF JOIN licences l ON p.dan <= l.nam", "sql.not_supported", "licences"),
    ("WITH RECURSIVE q(t) AS (SELECT 'x' UNION SELECT l.tinh FROM q JOIN licences l ON l.hang <> q.t) "
     "SELECT t FROM q", "sql.must_aggregate", "tinh"),
    ("SELECT t.x FROM licences l, LATERAL (SELECT l.diem AS x) t GROUP BY t.x", "sql.measure_misused", "diem"),
    ("SELECT * FROM licences", "sql.must_aggregate", "*"),
    ("SELECT tinh FROM licences", "sql.must_aggregate", "tinh"),
    ("SELECT 1 FROM licences", "sql.must_aggregate", ""),
    ("SELECT diem FROM licences", "sql.measure_misused", "diem"),
    ("SELECT DISTINCT diem FROM licences", "sql.measure_misused", "diem"),
    ("SELECT diem, count(*) FROM licences GROUP BY diem", "sql.measure_misused", "diem"),
    ("SELECT count(*) FROM licences WHERE diem > 5", "sql.measure_misused", "diem"),
    ("SELECT count(*) FILTER (WHERE diem > 5) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT sum(CASE WHEN diem > 5 THEN 1 ELSE 0 END) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT avg(CAST(diem AS BIGINT)) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT avg(round(diem)) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT sum(nam / diem) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT sum(CASE WHEN moi THEN diem END * CASE WHEN moi THEN gio END) FROM licences", "sql.measure_misused",
     "diem"),
    ("SELECT sum(diem * phat) FROM licences", "sql.no_cross_product", "phat"),
    ("SELECT avg(diem + gio + phat) FROM licences", "sql.no_cross_product", "phat"),
    ("SELECT corr(diem, phat) FROM licences", "sql.no_cross_product", "phat"),
    ("SELECT sum(diem * diem * gio) FROM licences", "sql.measure_function", "gio"),
    ("SELECT variance(diem * gio) FROM licences", "sql.measure_function", "gio"),
    ("SELECT corr(diem, CASE WHEN moi THEN gio END) FROM licences", "sql.measure_misused", "gio"),
    ("SELECT corr(DISTINCT diem, gio) FROM licences", "sql.measure_function", "corr"),
    ("SELECT sum(DISTINCT diem + 1) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT max(diem) FROM licences", "sql.measure_function", "max"),
    ("SELECT median(diem) FROM licences", "sql.measure_function", "median"),
    ("SELECT list(diem) FROM licences", "sql.measure_function", "list"),
    ("SELECT count(DISTINCT diem) FROM licences", "sql.measure_function", "count"),
    ("SELECT sum(DISTINCT diem) FROM licences", "sql.measure_function", "sum"),
    ("SELECT arg_max(tinh, diem) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT min(tinh ORDER BY diem) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT string_agg(DISTINCT tinh, ',' ORDER BY diem) FROM licences", "sql.measure_misused", "diem"),
    ("SELECT sum(diem ORDER BY tinh) FROM licences", "sql.measure_function", "sum"),
    ("SELECT tinh, sum(diem) OVER () FROM licences", "sql.must_aggregate", "tinh"),
    ("SELECT DISTINCT sum(diem) OVER () FROM licences", "sql.must_aggregate", "sum"),
    ("SELECT DISTINCT tinh, row_number() OVER () FROM licences", "sql.must_aggregate", "row_number"),
    ("SELECT tinh, count(*) FROM licences GROUP BY tinh HAVING max(diem) > 3", "sql.measure_function", "max"),
    ("SELECT tinh FROM licences GROUP BY tinh ORDER BY max(diem)", "sql.measure_function", "max"),
    ("SELECT tinh, count(*) FROM licences GROUP BY tinh QUALIFY max(diem) OVER () > 1", "sql.not_grouped", "diem"),
    ("SELECT mode(tinh) FROM licences", "sql.not_over_cohorts", "mode"),
    ("SELECT list(tinh) FROM licences", "sql.not_over_cohorts", "list"),
    ("SELECT l.tinh FROM licences l JOIN places p USING (tinh)", "sql.must_aggregate", "tinh"),
    ("SELECT l.tinh FROM places p LEFT JOIN licences l USING (tinh)", "sql.must_aggregate", "tinh"),
    ("SELECT count(*) FROM licences l JOIN places p ON l.diem = p.dan", "sql.measure_misused", "diem"),
    ("SELECT count(*) FROM places p SEMI JOIN licences l ON p.dan = l.diem", "sql.measure_misused", "diem"),
    ("SELECT tinh FROM places WHERE EXISTS (SELECT 1 FROM licences WHERE diem > 1)", "sql.measure_misused",
     "diem"),
    ("SELECT tinh FROM places WHERE tinh IN (SELECT tinh FROM licences LIMIT 2)", "sql.must_aggregate", "tinh"),
    ("SELECT dan FROM places WHERE dan IN (SELECT diem FROM licences)", "sql.measure_misused", "diem"),
    ("SELECT tinh, (SELECT nam FROM licences l WHERE l.tinh = p.tinh) FROM places p", "sql.must_aggregate", "nam"),
    ("SELECT (SELECT sum(l.diem + p.dan) FROM places p) FROM licences l GROUP BY tinh", "sql.not_grouped",
     "diem"),
    ("SELECT * FROM (SELECT tinh, diem FROM licences)", "sql.must_aggregate", "tinh"),
    ("WITH x AS (SELECT * FROM licences) SELECT count(*) FROM x", "sql.must_aggregate", "*"),
    ("SELECT (SELECT sum(l.diem) FROM places) FROM licences l GROUP BY tinh", "sql.not_grouped", "diem"),
    ("SELECT count(*), (SELECT count(*) FROM places WHERE dan > l.diem) FROM licences l GROUP BY diem",
     "sql.measure_misused", "diem"),
    ("SELECT count(*) FROM licences l WHERE EXISTS (SELECT 1 FROM places WHERE dan > l.diem)",
     "sql.measure_misused", "diem"),
    ("SELECT cohort_level FROM licences", "sql.must_aggregate", "cohort_level"),
    ("SELECT cohort_level FROM places", "sql.unknown_column", "cohort_level"),
    ("SELECT n FROM licences", "sql.unknown_column", "n"),
    ("SELECT sum(n) FROM licences", "sql.unknown_column", "n"),
    ("SELECT sum(diem__sum) FROM licences", "sql.unknown_column", "diem__sum"),
    ("SELECT stddev(diem__sumsq) FROM licences", "sql.unknown_column", "diem__sumsq"),
)  # fmt: skip
