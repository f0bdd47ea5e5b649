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
.mode column
SELECT battery,
	printf('%.0f ± %.0f %%', soh_pct, soh_std_pct) AS health,
	printf('%.0f min', autonomy_min) AS autonomy,
	printf('%.0f days (%.0f to %.0f)', rul_days, lower_days, upper_days) AS "life left",
	coalesce(json_extract(factors, '$[0][0]') || coalesce(', ' || json_extract(factors, '$[1][0]'), ''), '') AS why,
	open_alerts AS alerts
FROM battery_now ORDER BY rul_days IS NULL, rul_days, soh_pct LIMIT 5;
.mode list
.print
SELECT count(*) || ' alerts in ' || count(DISTINCT incident_id) || ' incidents, '
	|| coalesce(sum(state = 'firing'), 0) || ' of them open' FROM alert;
.mode column
SELECT rule, severity, count(*) AS alerts, sum(state = 'firing') AS open,
	count(DISTINCT subject) AS subjects, max(message) AS example
FROM alert GROUP BY rule, severity ORDER BY alerts DESC LIMIT 8;
