-- How the fleet is now, one row each, however long its history: the newest sample,
-- state, prediction of each source and status. store keeps them as rows arrive.
CREATE TABLE telemetry_latest (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	voltage_v real,
	current_a real,
	temperature_c real,
	resistance_mohm real,
	mode text,
	quality integer,
	PRIMARY KEY (run, battery)
) @keyed@;
CREATE TABLE twin_state_latest (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	unit integer NOT NULL,
	soc_pct real,
	soc_std_pct real,
	soh_pct real,
	soh_std_pct real,
	capacity_ah real,
	capacity_std_ah real,
	r0_mohm real,
	r0_std_mohm real,
	r1_mohm real,
	c1_f real,
	r2_mohm real,
	c2_f real,
	gassing_ma real,
	voltage_error_v real,
	voltage_rmse_v real,
	nis real,
	observable integer,
	autonomy_min real,
	autonomy_lower_min real,
	autonomy_upper_min real,
	autonomy_load_a real,
	reset text,
	PRIMARY KEY (run, battery)
) @keyed@;
CREATE TABLE rul_latest (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	unit integer NOT NULL,
	source text NOT NULL,
	rul_days real,
	lower_days real,
	upper_days real,
	p_fail_30d real,
	p_fail_90d real,
	confidence real,
	flags integer,
	weight_ml real,
	horizon_unit text,
	model text,
	factors text,
	replace_by bigint,
	PRIMARY KEY (run, battery, source)
) @keyed@;
CREATE TABLE status_latest (
	run integer NOT NULL,
	ts bigint NOT NULL,
	subject text NOT NULL,
	status text,
	reasons text,
	PRIMARY KEY (run, subject)
) @keyed@;
INSERT INTO telemetry_latest (run, ts, battery, voltage_v, current_a, temperature_c, resistance_mohm, mode, quality)
SELECT t.run, t.ts, t.battery, t.voltage_v, t.current_a, t.temperature_c, t.resistance_mohm, t.mode, t.quality
FROM (SELECT run, battery, max(ts) AS ts FROM telemetry GROUP BY run, battery) g
JOIN telemetry t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.ts;
INSERT INTO twin_state_latest (run, ts, battery, unit, soc_pct, soc_std_pct, soh_pct, soh_std_pct, capacity_ah, capacity_std_ah, r0_mohm, r0_std_mohm, r1_mohm, c1_f, r2_mohm, c2_f, gassing_ma, voltage_error_v, voltage_rmse_v, nis, observable, autonomy_min, autonomy_lower_min, autonomy_upper_min, autonomy_load_a, reset)
SELECT t.run, t.ts, t.battery, t.unit, t.soc_pct, t.soc_std_pct, t.soh_pct, t.soh_std_pct, t.capacity_ah, t.capacity_std_ah, t.r0_mohm, t.r0_std_mohm, t.r1_mohm, t.c1_f, t.r2_mohm, t.c2_f, t.gassing_ma, t.voltage_error_v, t.voltage_rmse_v, t.nis, t.observable, t.autonomy_min, t.autonomy_lower_min, t.autonomy_upper_min, t.autonomy_load_a, t.reset
FROM (SELECT run, battery, max(ts) AS ts FROM twin_state GROUP BY run, battery) g
JOIN twin_state t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.ts
	AND t.unit = (SELECT max(x.unit) FROM twin_state x
		WHERE x.run = t.run AND x.battery = t.battery AND x.ts = t.ts);
INSERT INTO rul_latest (run, ts, battery, unit, source, rul_days, lower_days, upper_days, p_fail_30d, p_fail_90d, confidence, flags, weight_ml, horizon_unit, model, factors, replace_by)
SELECT t.run, t.ts, t.battery, t.unit, t.source, t.rul_days, t.lower_days, t.upper_days, t.p_fail_30d, t.p_fail_90d, t.confidence, t.flags, t.weight_ml, t.horizon_unit, t.model, t.factors, t.replace_by
FROM (SELECT run, battery, source, max(ts) AS ts FROM rul_prediction GROUP BY run, battery, source) g
JOIN rul_prediction t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.ts AND t.source = g.source
	AND t.unit = (SELECT max(x.unit) FROM rul_prediction x WHERE x.run = t.run
		AND x.battery = t.battery AND x.ts = t.ts AND x.source = t.source);
INSERT INTO status_latest (run, ts, subject, status, reasons)
SELECT t.run, t.ts, t.subject, t.status, t.reasons
FROM (SELECT run, subject, max(ts) AS ts FROM status GROUP BY run, subject) g
JOIN status t ON t.run = g.run AND t.subject = g.subject AND t.ts = g.ts;
-- Roll-ups of telemetry: number, least, greatest, sum (in millionths) and last of each
-- value. ts is when a step begins, last_ts its last sample.
CREATE TABLE telemetry_15min (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	last_ts bigint NOT NULL,
	count integer NOT NULL,
	mode text,
	voltage_n integer NOT NULL,
	voltage_min_v real,
	voltage_max_v real,
	voltage_sum bigint NOT NULL,
	voltage_v real,
	current_n integer NOT NULL,
	current_min_a real,
	current_max_a real,
	current_sum bigint NOT NULL,
	current_a real,
	temperature_n integer NOT NULL,
	temperature_min_c real,
	temperature_max_c real,
	temperature_sum bigint NOT NULL,
	temperature_c real,
	resistance_n integer NOT NULL,
	resistance_min_mohm real,
	resistance_max_mohm real,
	resistance_sum bigint NOT NULL,
	resistance_mohm real,
	PRIMARY KEY (run, battery, ts)
) @keyed@;
CREATE TABLE telemetry_hour (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	last_ts bigint NOT NULL,
	count integer NOT NULL,
	mode text,
	voltage_n integer NOT NULL,
	voltage_min_v real,
	voltage_max_v real,
	voltage_sum bigint NOT NULL,
	voltage_v real,
	current_n integer NOT NULL,
	current_min_a real,
	current_max_a real,
	current_sum bigint NOT NULL,
	current_a real,
	temperature_n integer NOT NULL,
	temperature_min_c real,
	temperature_max_c real,
	temperature_sum bigint NOT NULL,
	temperature_c real,
	resistance_n integer NOT NULL,
	resistance_min_mohm real,
	resistance_max_mohm real,
	resistance_sum bigint NOT NULL,
	resistance_mohm real,
	PRIMARY KEY (run, battery, ts)
) @keyed@;
CREATE TABLE telemetry_day (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	last_ts bigint NOT NULL,
	count integer NOT NULL,
	mode text,
	voltage_n integer NOT NULL,
	voltage_min_v real,
	voltage_max_v real,
	voltage_sum bigint NOT NULL,
	voltage_v real,
	current_n integer NOT NULL,
	current_min_a real,
	current_max_a real,
	current_sum bigint NOT NULL,
	current_a real,
	temperature_n integer NOT NULL,
	temperature_min_c real,
	temperature_max_c real,
	temperature_sum bigint NOT NULL,
	temperature_c real,
	resistance_n integer NOT NULL,
	resistance_min_mohm real,
	resistance_max_mohm real,
	resistance_sum bigint NOT NULL,
	resistance_mohm real,
	PRIMARY KEY (run, battery, ts)
) @keyed@;
INSERT INTO telemetry_15min (run, ts, battery, last_ts, count, mode, voltage_n, voltage_min_v, voltage_max_v, voltage_sum, voltage_v, current_n, current_min_a, current_max_a, current_sum, current_a, temperature_n, temperature_min_c, temperature_max_c, temperature_sum, temperature_c, resistance_n, resistance_min_mohm, resistance_max_mohm, resistance_sum, resistance_mohm)
SELECT g.run, g.step, g.battery, g.last_ts, g.n, t.mode,
	g.n0, g.a0, g.z0, g.s0, t.voltage_v,
	g.n1, g.a1, g.z1, g.s1, t.current_a,
	g.n2, g.a2, g.z2, g.s2, t.temperature_c,
	g.n3, g.a3, g.z3, g.s3, t.resistance_mohm
FROM (SELECT run, battery, ts - (ts % 900000 + 900000) % 900000 AS step, max(ts) AS last_ts, count(*) AS n,
		count(voltage_v) AS n0, min(voltage_v) AS a0, max(voltage_v) AS z0,
		coalesce(sum(CAST(round(CAST(voltage_v AS double precision) * 1000000) AS bigint)), 0) AS s0,
		count(current_a) AS n1, min(current_a) AS a1, max(current_a) AS z1,
		coalesce(sum(CAST(round(CAST(current_a AS double precision) * 1000000) AS bigint)), 0) AS s1,
		count(temperature_c) AS n2, min(temperature_c) AS a2, max(temperature_c) AS z2,
		coalesce(sum(CAST(round(CAST(temperature_c AS double precision) * 1000000) AS bigint)), 0) AS s2,
		count(resistance_mohm) AS n3, min(resistance_mohm) AS a3, max(resistance_mohm) AS z3,
		coalesce(sum(CAST(round(CAST(resistance_mohm AS double precision) * 1000000) AS bigint)), 0) AS s3
	FROM telemetry GROUP BY run, battery, ts - (ts % 900000 + 900000) % 900000) g
JOIN telemetry t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.last_ts;
INSERT INTO telemetry_hour (run, ts, battery, last_ts, count, mode, voltage_n, voltage_min_v, voltage_max_v, voltage_sum, voltage_v, current_n, current_min_a, current_max_a, current_sum, current_a, temperature_n, temperature_min_c, temperature_max_c, temperature_sum, temperature_c, resistance_n, resistance_min_mohm, resistance_max_mohm, resistance_sum, resistance_mohm)
SELECT g.run, g.step, g.battery, g.last_ts, g.n, t.mode,
	g.n0, g.a0, g.z0, g.s0, t.voltage_v,
	g.n1, g.a1, g.z1, g.s1, t.current_a,
	g.n2, g.a2, g.z2, g.s2, t.temperature_c,
	g.n3, g.a3, g.z3, g.s3, t.resistance_mohm
FROM (SELECT run, battery, ts - (ts % 3600000 + 3600000) % 3600000 AS step, max(ts) AS last_ts, count(*) AS n,
		count(voltage_v) AS n0, min(voltage_v) AS a0, max(voltage_v) AS z0,
		coalesce(sum(CAST(round(CAST(voltage_v AS double precision) * 1000000) AS bigint)), 0) AS s0,
		count(current_a) AS n1, min(current_a) AS a1, max(current_a) AS z1,
		coalesce(sum(CAST(round(CAST(current_a AS double precision) * 1000000) AS bigint)), 0) AS s1,
		count(temperature_c) AS n2, min(temperature_c) AS a2, max(temperature_c) AS z2,
		coalesce(sum(CAST(round(CAST(temperature_c AS double precision) * 1000000) AS bigint)), 0) AS s2,
		count(resistance_mohm) AS n3, min(resistance_mohm) AS a3, max(resistance_mohm) AS z3,
		coalesce(sum(CAST(round(CAST(resistance_mohm AS double precision) * 1000000) AS bigint)), 0) AS s3
	FROM telemetry GROUP BY run, battery, ts - (ts % 3600000 + 3600000) % 3600000) g
JOIN telemetry t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.last_ts;
INSERT INTO telemetry_day (run, ts, battery, last_ts, count, mode, voltage_n, voltage_min_v, voltage_max_v, voltage_sum, voltage_v, current_n, current_min_a, current_max_a, current_sum, current_a, temperature_n, temperature_min_c, temperature_max_c, temperature_sum, temperature_c, resistance_n, resistance_min_mohm, resistance_max_mohm, resistance_sum, resistance_mohm)
SELECT g.run, g.step, g.battery, g.last_ts, g.n, t.mode,
	g.n0, g.a0, g.z0, g.s0, t.voltage_v,
	g.n1, g.a1, g.z1, g.s1, t.current_a,
	g.n2, g.a2, g.z2, g.s2, t.temperature_c,
	g.n3, g.a3, g.z3, g.s3, t.resistance_mohm
FROM (SELECT run, battery, ts - (ts % 86400000 + 86400000) % 86400000 AS step, max(ts) AS last_ts, count(*) AS n,
		count(voltage_v) AS n0, min(voltage_v) AS a0, max(voltage_v) AS z0,
		coalesce(sum(CAST(round(CAST(voltage_v AS double precision) * 1000000) AS bigint)), 0) AS s0,
		count(current_a) AS n1, min(current_a) AS a1, max(current_a) AS z1,
		coalesce(sum(CAST(round(CAST(current_a AS double precision) * 1000000) AS bigint)), 0) AS s1,
		count(temperature_c) AS n2, min(temperature_c) AS a2, max(temperature_c) AS z2,
		coalesce(sum(CAST(round(CAST(temperature_c AS double precision) * 1000000) AS bigint)), 0) AS s2,
		count(resistance_mohm) AS n3, min(resistance_mohm) AS a3, max(resistance_mohm) AS z3,
		coalesce(sum(CAST(round(CAST(resistance_mohm AS double precision) * 1000000) AS bigint)), 0) AS s3
	FROM telemetry GROUP BY run, battery, ts - (ts % 86400000 + 86400000) % 86400000) g
JOIN telemetry t ON t.run = g.run AND t.battery = g.battery AND t.ts = g.last_ts;
-- What was taken away because of its age: rows of that tier before that time.
CREATE TABLE retention (
	run integer NOT NULL,
	tier text NOT NULL,
	before_ts bigint NOT NULL,
	PRIMARY KEY (run, tier)
) @keyed@;
CREATE INDEX alert_state ON alert (run, state, subject);
-- battery_now from them. A fused prediction goes before a newer single one.
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
	b.warranty_until AS warranty_until,
	l.ts AS rul_ts, t.ts AS sampled, t.voltage_v AS voltage_v, t.current_a AS current_a,
	t.temperature_c AS temperature_c, t.resistance_mohm AS resistance_mohm,
	t.mode AS mode
FROM battery b
JOIN run r ON r.id = b.run
LEFT JOIN string g ON g.id = b.string
LEFT JOIN battery_system y ON y.id = g.system
LEFT JOIN site c ON c.id = y.site
LEFT JOIN telemetry_latest t ON t.run = b.run AND t.battery = b.id
LEFT JOIN twin_state_latest p ON p.run = b.run AND p.battery = b.id
LEFT JOIN rul_latest l ON l.run = b.run AND l.battery = b.id
	AND l.source = (SELECT x.source FROM rul_latest x
		WHERE x.run = b.run AND x.battery = b.id
		ORDER BY CASE x.source WHEN 'fused' THEN 0 ELSE 1 END, x.ts DESC, x.source LIMIT 1)
LEFT JOIN status_latest s ON s.run = b.run AND s.subject = b.code;
