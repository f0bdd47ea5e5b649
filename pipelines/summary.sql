-- What a person wants to know of a fleet: sqlite3 -readonly fleet.db <summary.sql
.mode list
.separator "  "
.print
SELECT count(*) || ' batteries, ' || (SELECT count(*) FROM telemetry) || ' samples from '
	|| (SELECT date(min(ts) / 1000, 'unixepoch') || ' to ' || date(max(ts) / 1000, 'unixepoch') FROM telemetry)
	FROM battery_now;
SELECT '  ' || n || ' ' || s FROM (
	SELECT coalesce(status, 'unknown') AS s, count(*) AS n FROM battery_now GROUP BY 1
	ORDER BY CASE s WHEN 'failed' THEN 0 WHEN 'critical' THEN 1 WHEN 'warning' THEN 2 WHEN 'watch' THEN 3 ELSE 4 END);
.print
.print 'The five to look at first'
.mode column --wrap 120
.headers on
SELECT battery,
	printf('%.1f ± %.1f %%', soh_pct, soh_std_pct) AS health,
	printf('%.0f min', autonomy_min) AS autonomy,
	printf('%.0f days (%.0f to %s)', rul_days, lower_days, CASE
		WHEN upper_days > 7300 THEN 'over 20 years' ELSE printf('%.0f', upper_days) END) AS "life left",
	coalesce(json_extract(factors, '$[0][0]') || coalesce(', ' || json_extract(factors, '$[1][0]'), ''), '') AS why,
	open_alerts AS alerts
FROM battery_now ORDER BY rul_days IS NULL, rul_days, soh_pct LIMIT 5;
.mode list
.headers off
.print
SELECT count(*) || ' alerts in ' || count(DISTINCT incident_id) || ' incidents, '
	|| coalesce(sum(state = 'firing'), 0) || ' of them open' FROM alert;
.mode column --wrap 120
.headers on
SELECT rule, severity, count(*) AS alerts, sum(state = 'firing') AS open,
	count(DISTINCT subject) AS subjects,
	(SELECT x.message FROM alert x WHERE x.run = a.run AND x.rule = a.rule
		AND x.severity = a.severity ORDER BY x.state <> 'firing', x.ts DESC LIMIT 1) AS example
FROM alert a GROUP BY run, rule, severity ORDER BY open DESC, alerts DESC LIMIT 8;
