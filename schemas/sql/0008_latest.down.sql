DROP VIEW battery_now;
CREATE VIEW battery_now AS
SELECT r.name AS run, b.code AS battery, p.ts AS ts, p.unit AS unit,
	p.soc_pct AS soc_pct, p.soh_pct AS soh_pct, p.soh_std_pct AS soh_std_pct,
	p.autonomy_min AS autonomy_min,
	l.source AS rul_source, l.rul_days AS rul_days, l.lower_days AS lower_days,
	l.upper_days AS upper_days, l.p_fail_90d AS p_fail_90d, l.factors AS factors,
	s.status AS status, s.reasons AS reasons,
	(SELECT count(*) FROM alert a
		WHERE a.run = b.run AND a.subject = b.code AND a.state = 'firing')
		AS open_alerts,
	l.replace_by AS replace_by,
	b.run AS run_id, b.id AS battery_id, c.id AS site_id,
	c.code AS site, y.code AS system, g.code AS string, b.position AS position,
	b.model AS model, b.serial AS serial, b.installed AS installed,
	b.warranty_until AS warranty_until
FROM battery b
JOIN run r ON r.id = b.run
LEFT JOIN string g ON g.id = b.string
LEFT JOIN battery_system y ON y.id = g.system
LEFT JOIN site c ON c.id = y.site
LEFT JOIN twin_state p ON p.run = b.run AND p.battery = b.id
	AND p.ts = (SELECT max(x.ts) FROM twin_state x
		WHERE x.run = b.run AND x.battery = b.id)
	AND p.unit = (SELECT max(x.unit) FROM twin_state x
		WHERE x.run = b.run AND x.battery = b.id AND x.ts = p.ts)
LEFT JOIN rul_prediction l ON l.run = b.run AND l.battery = b.id
	AND l.ts = coalesce(
		(SELECT max(x.ts) FROM rul_prediction x
			WHERE x.run = b.run AND x.battery = b.id AND x.source = 'fused'),
		(SELECT max(x.ts) FROM rul_prediction x
			WHERE x.run = b.run AND x.battery = b.id))
	AND l.source = (SELECT x.source FROM rul_prediction x
		WHERE x.run = b.run AND x.battery = b.id AND x.ts = l.ts
		ORDER BY CASE x.source WHEN 'fused' THEN 0 WHEN 'ml' THEN 1 ELSE 2 END
		LIMIT 1)
	AND l.unit = (SELECT max(x.unit) FROM rul_prediction x
		WHERE x.run = b.run AND x.battery = b.id AND x.ts = l.ts
			AND x.source = l.source)
LEFT JOIN status s ON s.run = b.run AND s.subject = b.code
	AND s.ts = (SELECT max(x.ts) FROM status x
		WHERE x.run = b.run AND x.subject = b.code);
DROP INDEX alert_state;
DROP TABLE retention;
DROP TABLE telemetry_day;
DROP TABLE telemetry_hour;
DROP TABLE telemetry_15min;
DROP TABLE status_latest;
DROP TABLE rul_latest;
DROP TABLE twin_state_latest;
DROP TABLE telemetry_latest;
