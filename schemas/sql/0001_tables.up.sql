-- The tables: columns are the fields of the record kinds by their names, see
-- floatline-records(5). Times are milliseconds since 1970, UTC. Enumerations are
-- words, bit sets integers, lists JSON. Every row belongs to a run; production
-- is the run named ''.
CREATE TABLE run (
	id @id@,
	name text NOT NULL UNIQUE
);
CREATE TABLE site (
	id @id@,
	run integer NOT NULL REFERENCES run (id),
	code text NOT NULL,
	name text,
	region text,
	city text,
	latitude double precision,
	longitude double precision,
	timezone text,
	commissioned bigint,
	temp_offset_c real,
	humidity_offset_pct real,
	outages_per_year real,
	active boolean,
	UNIQUE (run, code)
);
CREATE TABLE battery_model (
	run integer NOT NULL REFERENCES run (id),
	name text NOT NULL,
	manufacturer text,
	chemistry text,
	nominal_voltage_v real,
	capacity_ah real,
	eol_pct real,
	float_min_v real,
	float_max_v real,
	boost_min_v real,
	boost_max_v real,
	max_charge_a real,
	temp_warning_c real,
	temp_critical_c real,
	voltage_hard_min_v real,
	voltage_hard_max_v real,
	voltage_plausible_min_v real,
	voltage_plausible_max_v real,
	temperature_min_c real,
	temperature_max_c real,
	resistance_min_mohm real,
	resistance_max_mohm real,
	expected_life_years real,
	datasheet text,
	PRIMARY KEY (run, name)
) @keyed@;
CREATE TABLE battery_system (
	id @id@,
	run integer NOT NULL REFERENCES run (id),
	code text NOT NULL,
	site integer REFERENCES site (id),
	type text,
	manufacturer text,
	model text,
	rated_kva real,
	installed bigint,
	design_load_a real,
	required_autonomy_min real,
	UNIQUE (run, code)
);
CREATE INDEX battery_system_site ON battery_system (site);
CREATE TABLE string (
	id @id@,
	run integer NOT NULL REFERENCES run (id),
	code text NOT NULL,
	system integer REFERENCES battery_system (id),
	position integer,
	batteries integer,
	nominal_voltage_v real,
	installed bigint,
	last_capacity_test bigint,
	UNIQUE (run, code)
);
CREATE INDEX string_system ON string (system);
CREATE TABLE battery (
	id @id@,
	run integer NOT NULL REFERENCES run (id),
	code text NOT NULL,
	string integer REFERENCES string (id),
	model text,
	serial text,
	position integer,
	manufactured bigint,
	installed bigint,
	warranty_until bigint,
	initial_capacity_ah real,
	initial_resistance_mohm real,
	status text,
	replacement_of text,
	replaced bigint,
	unit integer,
	UNIQUE (run, code)
);
CREATE INDEX battery_string ON battery (string);
CREATE TABLE sensor (
	id @id@,
	run integer NOT NULL REFERENCES run (id),
	code text NOT NULL,
	site integer REFERENCES site (id),
	type text,
	zone text,
	UNIQUE (run, code)
);
CREATE INDEX sensor_site ON sensor (site);
CREATE TABLE telemetry (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	voltage_v real,
	current_a real,
	temperature_c real,
	resistance_mohm real,
	mode text,
	quality integer,
	PRIMARY KEY (run, battery, ts)
) @series@;
CREATE TABLE string_telemetry (
	run integer NOT NULL,
	ts bigint NOT NULL,
	string integer NOT NULL,
	voltage_v real,
	current_a real,
	float_current_a real,
	mode text,
	ripple_voltage_rms_v real,
	ripple_current_rms_a real,
	flags integer,
	power_w real,
	thd_pct real,
	quality integer,
	PRIMARY KEY (run, string, ts)
) @series@;
CREATE TABLE environment (
	run integer NOT NULL,
	ts bigint NOT NULL,
	sensor integer NOT NULL,
	temperature_c real,
	humidity_pct real,
	hvac text,
	outdoor_temperature_c real,
	PRIMARY KEY (run, sensor, ts)
) @series@;
CREATE TABLE truth (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	unit integer NOT NULL,
	soc_pct real,
	soh_pct real,
	capacity_ah real,
	resistance_mohm real,
	core_temperature_c real,
	current_a real,
	gassing_a real,
	rul_days double precision,
	end_of_life_ts bigint,
	censored boolean,
	cause text,
	rate_class text,
	PRIMARY KEY (run, battery, ts, unit)
) @series@;
CREATE TABLE feature (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	unit integer NOT NULL,
	window_h integer NOT NULL,
	count bigint,
	coverage real,
	gap_count integer,
	v_mean_v real,
	v_std_v real,
	v_min_v real,
	v_max_v real,
	v_range_v real,
	v_imbalance_v real,
	t_mean_c real,
	t_std_c real,
	t_max_c real,
	t_rise_k real,
	hours_above_30c real,
	hours_above_35c real,
	hours_above_40c real,
	arrhenius_hours real,
	r_latest_mohm real,
	r_mean_mohm real,
	r_baseline_pct real,
	r_slope_mohm_per_day real,
	r_slope_stderr real,
	conductance_s real,
	i_mean_a real,
	i_std_a real,
	i_abs_max_a real,
	ah_out real,
	ah_in real,
	equivalent_cycles real,
	discharge_events integer,
	deepest_dod_pct real,
	minutes_below_float real,
	minutes_above_float real,
	surge_events integer,
	ripple_mean_v real,
	thd_mean_pct real,
	age_days real,
	season_sin real,
	season_cos real,
	PRIMARY KEY (run, battery, ts, window_h, unit)
) @series@;
CREATE TABLE twin_state (
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
	PRIMARY KEY (run, battery, ts, unit)
) @series@;
CREATE TABLE rul_prediction (
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
	PRIMARY KEY (run, battery, ts, source, unit)
) @series@;
CREATE TABLE event (
	run integer NOT NULL,
	event_id text NOT NULL,
	ts bigint,
	end_ts bigint,
	scheduled_ts bigint,
	subject text,
	type text,
	status text,
	value double precision,
	actor text,
	note text,
	PRIMARY KEY (run, event_id)
) @keyed@;
CREATE TABLE capacity_test (
	run integer NOT NULL,
	ts bigint NOT NULL,
	subject text NOT NULL,
	type text,
	rate_a real,
	duration_min real,
	cutoff_v real,
	ambient_c real,
	measured_capacity_ah real,
	pct_of_rated real,
	result text,
	PRIMARY KEY (run, subject, ts)
) @keyed@;
CREATE TABLE impedance_measurement (
	run integer NOT NULL,
	ts bigint NOT NULL,
	battery integer NOT NULL,
	resistance_mohm real,
	temperature_c real,
	corrected_mohm real,
	baseline_pct real,
	instrument text,
	PRIMARY KEY (run, battery, ts)
) @keyed@;
CREATE TABLE maintenance_window (
	run integer NOT NULL,
	id text NOT NULL,
	subject text,
	from_ts bigint,
	until_ts bigint,
	title text,
	PRIMARY KEY (run, id)
) @keyed@;
CREATE TABLE work_order (
	run integer NOT NULL,
	id text NOT NULL,
	subject text,
	title text,
	priority integer,
	status text,
	due bigint,
	assignee text,
	incident text,
	PRIMARY KEY (run, id)
) @keyed@;
CREATE TABLE alert (
	run integer NOT NULL,
	alert_id text NOT NULL,
	incident_id text,
	ts bigint,
	subject text,
	rule text,
	severity text,
	state text,
	source text,
	value double precision,
	threshold double precision,
	message text,
	since_ts bigint,
	resolved_ts bigint,
	PRIMARY KEY (run, alert_id)
) @keyed@;
CREATE TABLE incident (
	run integer NOT NULL,
	incident_id text NOT NULL,
	parent_id text,
	ts bigint,
	subject text,
	cause text,
	title text,
	severity text,
	state text,
	alert_count integer,
	first_ts bigint,
	last_ts bigint,
	PRIMARY KEY (run, incident_id)
) @keyed@;
CREATE TABLE alert_action (
	run integer NOT NULL,
	ts bigint NOT NULL,
	subject_id text NOT NULL,
	action text NOT NULL,
	actor text NOT NULL,
	until_ts bigint,
	note text,
	PRIMARY KEY (run, subject_id, ts, action, actor)
) @keyed@;
CREATE TABLE status (
	run integer NOT NULL,
	ts bigint NOT NULL,
	subject text NOT NULL,
	status text,
	reasons text,
	PRIMARY KEY (run, subject, ts)
) @keyed@;
CREATE INDEX alert_subject ON alert (run, subject);
