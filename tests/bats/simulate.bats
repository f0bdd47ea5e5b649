load helper

# What the fleet's own physics test (tests/unit) does not: records, options, ends.

jsonl() {
	decode -q "$@"
}

@test "simulate: the same seed gives the same bytes, another seed others" {
	simulate -q --batteries 24 --days 0.5 --truth >"$BATS_TEST_TMPDIR/a"
	simulate -q --batteries 24 --days 0.5 --truth >"$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	simulate -q --batteries 24 --days 0.5 --truth --seed 2 >"$BATS_TEST_TMPDIR/c"
	for f in a c; do
		jsonl -k telemetry <"$BATS_TEST_TMPDIR/$f" | tail -1 >"$BATS_TEST_TMPDIR/$f.last"
	done
	! cmp -s "$BATS_TEST_TMPDIR/a.last" "$BATS_TEST_TMPDIR/c.last" || fail "the seed does nothing"
}

@test "simulate: so many samples, and the ledger balances" {
	# 30 batteries are two strings of one site; a day of minutes
	simulate --batteries 30 --days 1 --ledger "$BATS_TEST_TMPDIR/ledger" >"$BATS_TEST_TMPDIR/s" 2>/dev/null
	[ "$(records_of telemetry "$BATS_TEST_TMPDIR/s")" -eq $((30 * 1440)) ]
	[ "$(records_of string_telemetry "$BATS_TEST_TMPDIR/s")" -eq $((2 * 1440)) ]
	[ "$(records_of environment "$BATS_TEST_TMPDIR/s")" -eq 1440 ]
	[ "$(records_of string "$BATS_TEST_TMPDIR/s")" -eq 2 ]
	[ "$(records_of battery "$BATS_TEST_TMPDIR/s")" -eq 30 ]
	[ "$(records_of truth "$BATS_TEST_TMPDIR/s")" -eq 0 ]
	ledger_balances "$BATS_TEST_TMPDIR/ledger"
}

@test "simulate: the same bytes on any number of threads" {
	# strings of a site in two threads, more threads than strings, a scenario that cuts
	# time where nobody samples, replacements, a string that is cut
	local a="--batteries 460 --days 40 --interval 1h --truth --scenario hvac_failure:DC-CNX-01:start=+433m
		--scenario resistance_drift:DC-KKN-01-REC-01-S1-J03 --scenario normal_operation:DC-CNX-01-UPS-01:start=+9h
		--backfill 1d@30m" jobs
	simulate -q $a >"$BATS_TEST_TMPDIR/one"
	[ "$(records_of event "$BATS_TEST_TMPDIR/one")" -gt 50 ]
	for jobs in 2 3 7 64; do
		simulate -q $a --jobs "$jobs" >"$BATS_TEST_TMPDIR/many"
		cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/many"
	done
	simulate -q $a --jobs 3 -n 12345 >"$BATS_TEST_TMPDIR/many"
	simulate -q $a --jobs 1 -n 12345 >"$BATS_TEST_TMPDIR/one"
	cmp "$BATS_TEST_TMPDIR/one" "$BATS_TEST_TMPDIR/many"
}

@test "simulate: a run is the same wherever it is cut" {
	# history and then the run, or all of it as the run; half of it; from another process
	local a="--batteries 100 --interval 10m --truth --seed 5"
	simulate -q $a --start 2026-03-01 --days 6 --jobs 2 | jsonl >"$BATS_TEST_TMPDIR/whole"
	simulate -q $a --start 2026-03-04 --days 3 --backfill 3d | jsonl >"$BATS_TEST_TMPDIR/cut"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/whole")" -gt 80000 ]
	cmp "$BATS_TEST_TMPDIR/whole" "$BATS_TEST_TMPDIR/cut"
	simulate -q $a --start 2026-03-01 --days 2.5 | jsonl >"$BATS_TEST_TMPDIR/first"
	cmp "$BATS_TEST_TMPDIR/first" <(head -n "$(wc -l <"$BATS_TEST_TMPDIR/first")" "$BATS_TEST_TMPDIR/whole")
}

@test "simulate: one site says nothing of the others" {
	simulate -q --site DC-KKN-01 --days 60 --interval 1h --only event,site >"$BATS_TEST_TMPDIR/s"
	[ "$(records_of event "$BATS_TEST_TMPDIR/s")" -gt 20 ]
	jsonl <"$BATS_TEST_TMPDIR/s" | jq -s -e 'all(.[] | select(.kind == "event" or .kind == "site");
		(.subject // .code) | startswith("DC-KKN-01"))'
}

@test "simulate: the first batteries are the same, however many there are" {
	simulate -q --batteries 24 --days 1 --interval 1h | jsonl -k telemetry >"$BATS_TEST_TMPDIR/few"
	simulate -q --batteries 300 --days 1 --interval 1h | jsonl -k telemetry |
		grep DC-CNX-01-REC-01-S1 >"$BATS_TEST_TMPDIR/many"
	cmp "$BATS_TEST_TMPDIR/few" "$BATS_TEST_TMPDIR/many"
	simulate -q --batteries 300 --days 1 --interval 1h --string DC-CNX-01-REC-01-S1 |
		jsonl -k telemetry >"$BATS_TEST_TMPDIR/chosen"
	cmp "$BATS_TEST_TMPDIR/few" "$BATS_TEST_TMPDIR/chosen"
}

@test "simulate: the fleet has 9 sites, 27 systems, 81 strings, 1,944 batteries" {
	simulate -q -n 2100 >"$BATS_TEST_TMPDIR/s"
	[ "$(records_of site "$BATS_TEST_TMPDIR/s")" -eq 9 ]
	[ "$(records_of system "$BATS_TEST_TMPDIR/s")" -eq 27 ]
	[ "$(records_of string "$BATS_TEST_TMPDIR/s")" -eq 81 ]
	jsonl -k battery <"$BATS_TEST_TMPDIR/s" | jq -r .code | sort -u >"$BATS_TEST_TMPDIR/codes"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/codes")" -eq 1944 ]
	! grep -Evx 'DC-[A-Z]{3}-0[12]-(REC-01|UPS-0[12])-S[123]-J(0[1-9]|1[0-9]|2[0-4])' \
		"$BATS_TEST_TMPDIR/codes" || fail "codes of another form"
}

@test "simulate: beyond the fleet the sites are cloned, each code once" {
	simulate -q --batteries 4000 --only battery -n 8000 --days 0.0001 |
		jsonl -k battery | jq -r .code | sort >"$BATS_TEST_TMPDIR/codes"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/codes")" -eq 4000 ]
	[ -z "$(uniq -d "$BATS_TEST_TMPDIR/codes")" ]
	grep -q '^DC-CNX-02-' "$BATS_TEST_TMPDIR/codes"
}

# bats test_tags=slow
@test "simulate: a million batteries in one process, in less than 2 GB" {
	limit='ulimit -v 2000000'
	bash -c "$limit; simulate --version" >/dev/null 2>&1 || limit=: # sanitizers need more
	bash -c "$limit; simulate -q --batteries 1000000 --interval 1m --days 0.0007 --only telemetry,battery" |
		jsonl -k telemetry --csv --no-header --fields battery | sort -u | wc -l >"$BATS_TEST_TMPDIR/n"
	[ "$(cat "$BATS_TEST_TMPDIR/n")" -gt 999000 ] # but for lost samples
}

@test "simulate: a string floats at 13.5 to 13.8 V a jar, with milliamperes" {
	simulate -q --batteries 216 --days 2 --interval 10m | jsonl -k string_telemetry |
		jq -r 'select(.mode == "float" and .float_current_a != null) |
			[.voltage_v / 24, .float_current_a] | @tsv' >"$BATS_TEST_TMPDIR/float"
	awk '$1 < 13.5 || $1 > 13.8 || $2 < -0.03 || $2 > 0.25 { print; bad = 1 }
		END { exit bad || NR < 2000 }' "$BATS_TEST_TMPDIR/float"
}

@test "simulate: on battery the current is negative and the voltage falls" {
	# a capacity test in its third month discharges the string for hours
	simulate -q --batteries 24 --days 80 --interval 10m |
		jsonl -k string_telemetry --fields ts,voltage_v,current_a,mode |
		grep '"mode":"discharge"' >"$BATS_TEST_TMPDIR/on"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/on")" -gt 30 ]
	jq -s -e '.[-30:] | all(.[]; .current_a < -8 and .voltage_v < 24 * 12.7) and
		(first.voltage_v - last.voltage_v > 20) and
		([.[].voltage_v] | . == (sort | reverse))' "$BATS_TEST_TMPDIR/on"
}

@test "simulate: a partial discharge test each quarter is on record, and capacity is not" {
	simulate -q --batteries 24 --days 365 --interval 1h --discharge-test 40 >"$BATS_TEST_TMPDIR/s"
	jsonl -k capacity_test <"$BATS_TEST_TMPDIR/s" | jq -s -e '[.[] |
		select(.type == "partial_discharge")] | length == 3 and
		all(.[]; .result == "pass" and .measured_capacity_ah == null and
			.pct_of_rated == null and (.rate_a * .duration_min / 60 - 48 | fabs) < 0.2)'
	jsonl -k event <"$BATS_TEST_TMPDIR/s" | jq -s -e '[.[] | select(.status == "completed" and
		.note == "discharge test to 40 % of rated")] | length == 3 and
		all(.[]; .type == "capacity_test" and (.value - 48 | fabs) < 0.2)'
	simulate -q --batteries 24 --days 365 --interval 1h | jsonl -k capacity_test |
		jq -s -e 'all(.[]; .type == "full_discharge")'
}

@test "simulate: truth comes only when asked for, and belongs to its battery" {
	simulate -q --batteries 24 --days 3 --interval 1h --truth >"$BATS_TEST_TMPDIR/s"
	[ "$(records_of truth "$BATS_TEST_TMPDIR/s")" -eq 72 ]
	jsonl -k truth <"$BATS_TEST_TMPDIR/s" | jq -s -e 'all(.[]; .soh_pct > 40 and .soh_pct < 112 and
		((.soh_pct < 80) == (.rul_days == 0) or .cause == "internal_short" or .cause == "open_circuit"))'
	# a day later there is a day less to live, but for a hundredth
	jsonl -k truth <"$BATS_TEST_TMPDIR/s" | jq -s -e 'group_by(.battery) |
		all(.[]; .[0].rul_days == null or .[0].rul_days == 0 or
			((.[0].rul_days - .[2].rul_days - 2) | fabs) < 2 + .[0].rul_days / 100)'
}

@test "simulate: history first, then the run itself" {
	simulate -q --batteries 24 --days 0.01 --interval 1m --backfill 1d@15m \
		--start 2026-03-02 | jsonl -k environment | jq -r .ts >"$BATS_TEST_TMPDIR/ts"
	[ "$(head -1 "$BATS_TEST_TMPDIR/ts")" = 2026-03-01T00:00:00Z ]
	[ "$(sed -n 96p "$BATS_TEST_TMPDIR/ts")" = 2026-03-01T23:45:00Z ]
	[ "$(sed -n 97,98p "$BATS_TEST_TMPDIR/ts" | paste -sd' ')" = "2026-03-02T00:00:00Z 2026-03-02T00:01:00Z" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/ts")" -eq $((96 + 15)) ]
}

@test "simulate: telemetry is in order of time, events begin before they end" {
	simulate -q --batteries 216 --days 20 --interval 1h >"$BATS_TEST_TMPDIR/s"
	jsonl -k telemetry --fields ts <"$BATS_TEST_TMPDIR/s" | sort -c
	jsonl -k event <"$BATS_TEST_TMPDIR/s" |
		jq -s -e 'length > 5 and all(.[]; .status == "in_progress" or .ts <= .end_ts)'
}

@test "simulate: absurd options are refused before anything is written" {
	local o
	for o in "--interval 0.5s" "--interval 2h" "--batteries 0" "--batteries many" \
		"--days -1" "--seed -1" "--discharge-test 90" "--discharge-test -1" "--start yesterday" "--speed 2" "--backfill x" \
		"--backfill 30d@" "--backfill 30d@2h" "--backfill -3d" "--string NONE" \
		"--site DC-CNX" "--truth-interval 1s" "--run=" "--start 0001-01-01" "--start 9999-01-01" \
		"--backfill 999999d" "--control tcp://127.0.0.1:5999" "--shard 0/2" "--jobs -1" "--jobs 65" "--jobs two" "--shard 3/2" "--shard x" "--shard 1/" "--shard 9/9 --batteries 24" "--interval 1m,environment=90s" "--interval 1m,truth=1h" "--interval 1m," "--interval ," "operand" "--nonsense"; do
		# shellcheck disable=SC2086
		try simulate $o
		[ "$status" -eq 2 ] || fail "$o: status $status"
		[ ! -s "$OUT" ] || fail "$o: wrote records"
		assert_one_line_stderr '^simulate: '
	done
}

@test "simulate: a fleet file that is absent or wrong" {
	try simulate --fleet /nonexistent.ini
	assert_status 3
	assert_one_line_stderr "/nonexistent.ini"
	printf '[fleet]\ncolour = red\n' >"$BATS_TEST_TMPDIR/f.ini"
	try simulate --fleet "$BATS_TEST_TMPDIR/f.ini"
	assert_status 2
	assert_one_line_stderr "f.ini' line 2: unknown key 'colour'"
}

@test "simulate: a fleet file like another says only what is different" {
	cd "$BATS_TEST_TMPDIR"
	cp "$ROOT/schemas/fleet/thailand.ini" .
	printf '[fleet]\nlike = thailand.ini\noldest_years = 0\n[string DC-CNX-01-REC-01-S2]\nage_years = 4\n' >mine.ini
	simulate -q --fleet mine.ini --batteries 72 --interval 1h -n 400 | decode -q -k string >s
	[ "$(jq -r .installed s | cut -c 1-4 | xargs)" = "2026 2022 2026" ]
	printf '[string DC-XXX-01-REC-01-S2]\nage_years = 4\n' >>mine.ini
	try simulate --fleet mine.ini
	assert_status 2
	assert_one_line_stderr "^simulate: 'mine.ini': .string DC-XXX-01-REC-01-S2.: no such string"
	sed -i s/thailand/nowhere/ mine.ini
	try simulate --fleet mine.ini
	assert_status 2
	assert_one_line_stderr "'mine.ini' line 2: cannot open 'nowhere.ini'"
}

@test "simulate: --progress tells how much is done and when the rest will be" {
	# enough for more than a second of a machine of any speed
	try bash -c 'simulate -q --progress --batteries 240 --days 3000 --interval 1h | head -c 100000000 >/dev/null'
	grep -Eq '^simulate: [0-9]+ records, [0-9]+/s, [0-9]+ %, [0-9]+ s left$' "$ERR"
}

@test "simulate: a CSV of batteries is the fleet" {
	cd "$BATS_TEST_TMPDIR"
	local seq="01 02 03 04 05 06 07 08" i
	{
		echo battery_code,serial_number,installed_date,initial_capacity_ah
		for i in $seq; do echo "DC-PKT-03-UPS-05-S2-J$i,x,2021-03-04,121.5"; done
		for i in 01 02 03; do echo "DC-BKK-01-REC-01-S1-J$i,x,,"; done
	} >fleet.csv
	simulate -q --fleet fleet.csv --days 1 --interval 1h --no-sensor-faults --truth >s
	jsonl -k battery <s | jq -r '.code + " " + .installed' | sort >got
	[ "$(wc -l <got)" -eq 11 ]
	[ "$(grep -c '^DC-PKT-03-UPS-05-S2-J0[1-8] 2021-03-04T00:00:00Z$' got)" -eq 8 ]
	jsonl -k string <s | jq -se 'map([.code, .batteries]) ==
		[["DC-PKT-03-UPS-05-S2", 8], ["DC-BKK-01-REC-01-S1", 3]]'
	jsonl -k site <s | jq -se 'map([.code, .region]) == [["DC-PKT-03", "southern"], ["DC-BKK-01", "central"]]'
	jsonl -k battery <s | jq -se '[.[] | select(.initial_capacity_ah == 121.5)] | length == 8'
	[ "$(records_of telemetry s)" -eq $((11 * 24)) ]
	[ "$(records_of truth s)" -eq 11 ]
	simulate -q --fleet fleet.csv --days 1 --interval 1h --no-sensor-faults --truth --jobs 2 | cmp - s
	[ "$(simulate -q --fleet fleet.csv --batteries 9 --interval 1h | decode -q -k battery | wc -l)" -eq 9 ]
	# what a run tells of its batteries is such a list, whatever else it has
	simulate -q --batteries 30 --interval 1h -n 40 | decode -q -k battery --csv >told.csv
	simulate -q --fleet told.csv --interval 1h -n 40 | decode -q -k battery --csv >again.csv
	for f in told again; do cut -d, -f1,2,7,9,10 $f.csv >$f; done
	cmp told again
	try simulate --fleet fleet.csv --batteries 12
	assert_status 2
	assert_one_line_stderr "^simulate: 'fleet.csv' has 11 batteries: none can be cloned"
	sed -i 's/DC-PKT-03-UPS-05-S2-J08/DC-PKT-03-UPS-05-S2-J09/' fleet.csv
	try simulate --fleet fleet.csv
	assert_status 2
	assert_one_line_stderr "^simulate: 'fleet.csv' line 9: string DC-PKT-03-UPS-05-S2 has this J09, and no J08"
	[ ! -s "$OUT" ]
	try simulate --fleet nowhere.csv
	assert_status 3
}

@test "simulate: a closed pipe ends it quietly, a full disk does not" {
	# shellcheck disable=SC2016
	try bash -c 'simulate --days 900 | head -c 1 >/dev/null; exit "${PIPESTATUS[0]}"'
	assert_status 141
	[ ! -s "$ERR" ]
	try simulate --days 1 -o /dev/full
	assert_status 3
	assert_stderr '/dev/full'
}

@test "simulate: a run has a name, production has none" {
	simulate -q --run drill-7 --batteries 1 -n 1 >"$BATS_TEST_TMPDIR/s"
	$PYTHON - "$BATS_TEST_TMPDIR/s" <<-'END'
		import msgpack, sys
		origin = next(msgpack.Unpacker(open(sys.argv[1], "rb")))
		assert origin[3] == "drill-7", origin
	END
}

@test "simulate: faults of sensors are in what is measured, never in the truth" {
	# a string for a year: some samples are lost, the truth is the same bytes
	local with="$BATS_TEST_TMPDIR/with" without="$BATS_TEST_TMPDIR/without"
	simulate -q --batteries 216 --days 120 --interval 1h --truth >"$with"
	simulate -q --batteries 216 --days 120 --interval 1h --truth --no-sensor-faults >"$without"
	[ "$(records_of telemetry "$without")" -eq $((216 * 120 * 24)) ]
	[ "$(records_of telemetry "$with")" -lt $((216 * 120 * 24)) ]
	[ "$(records_of telemetry "$with")" -gt $((216 * 120 * 24 * 99 / 100)) ]
	for k in truth event impedance capacity_test; do
		decode -q -k $k <"$with" >"$with.$k"
		decode -q -k $k <"$without" >"$without.$k"
		[ -s "$with.$k" ]
		cmp "$with.$k" "$without.$k"
	done
}

@test "simulate: scenarios by name and by file happen, and events tell of them" {
	printf '[scenario storm]\nscenario = power_outage\ntarget = DC-CNX-01-REC-01-S1\nstart = +1h\nduration = 20m\n' \
		>"$BATS_TEST_TMPDIR/storm.ini"
	simulate -q --batteries 48 --days 0.2 --scenario "$BATS_TEST_TMPDIR/storm.ini" \
		--scenario hvac_failure:DC-CNX-01:start=+30m:duration=3h >"$BATS_TEST_TMPDIR/s"
	jsonl -k string_telemetry <"$BATS_TEST_TMPDIR/s" | jq -s -e '
		([.[] | select(.mode == "discharge") | .string] | unique) == ["DC-CNX-01-REC-01-S1"] and
		([.[] | select(.mode == "discharge")] | length) == 19'
	jsonl -k event <"$BATS_TEST_TMPDIR/s" | jq -s -e '[.[] | select(.type == "scenario")] |
		length == 4 and ([.[].event_id] | unique | length) == 2 and
		([.[] | select(.status == "completed") | .ts, .end_ts] ==
			["2026-01-01T01:00:00Z", "2026-01-01T01:20:00Z", "2026-01-01T00:30:00Z", "2026-01-01T03:30:00Z"])'
	jsonl -k environment <"$BATS_TEST_TMPDIR/s" | jq -s -e '[.[] | select(.hvac == "fault")] | length == 180'
}

@test "simulate: absurd scenarios are refused before anything is written" {
	local o
	for o in storm:all heatwave: heatwave:all:value=1e9 heatwave:DC-XXX-01 /nonexistent/file heatwave:all:start=x \
		power_outage:all:duration=-1s; do
		try simulate --batteries 24 --scenario "$o"
		[ "$status" -eq 2 ] || [ "$o" = /nonexistent/file ] || fail "$o: status $status"
		[ "$status" -ne 0 ]
		[ ! -s "$OUT" ] || fail "$o: wrote records"
		assert_one_line_stderr '^simulate: '
	done
}

@test "simulate: shards are the whole, each record once" {
	# long enough for outages, and time is cut between the samples
	local i a="--batteries 700 --days 20 --interval 1h --truth --truth-interval 5d --drop telemetry
		--scenario hvac_failure:DC-KKN-01:start=+97m --scenario normal_operation:DC-KKN-01-UPS-01:start=+157m"
	# shellcheck disable=SC2086
	simulate -q $a | jsonl | grep -v '"kind":"battery_model"' | sort >"$BATS_TEST_TMPDIR/whole"
	for i in 1 2 3; do
		# shellcheck disable=SC2086
		simulate -q $a --shard $i/3 | jsonl | grep -v '"kind":"battery_model"'
	done | sort >"$BATS_TEST_TMPDIR/parts"
	[ "$(grep -vc '"kind":"\(origin\|end\)"' "$BATS_TEST_TMPDIR/whole")" -gt 15000 ]
	diff <(grep -v '"kind":"\(origin\|end\)"' "$BATS_TEST_TMPDIR/whole") \
		<(grep -v '"kind":"\(origin\|end\)"' "$BATS_TEST_TMPDIR/parts") | head -5 >&2
	cmp <(grep -v '"kind":"\(origin\|end\)"' "$BATS_TEST_TMPDIR/whole") \
		<(grep -v '"kind":"\(origin\|end\)"' "$BATS_TEST_TMPDIR/parts")
}

@test "simulate: each kind at its own interval, the same values as at one" {
	simulate -q --batteries 24 --days 0.2 --interval 1m,environment=15m,telemetry=10m | jsonl >"$BATS_TEST_TMPDIR/own"
	simulate -q --batteries 24 --days 0.2 --interval 1m | jsonl >"$BATS_TEST_TMPDIR/one"
	[ "$(grep -c '"kind":"environment"' "$BATS_TEST_TMPDIR/own")" -eq 20 ] # 288 minutes
	[ "$(grep -c '"kind":"telemetry"' "$BATS_TEST_TMPDIR/own")" -eq $((24 * 29)) ]
	[ "$(grep -c '"kind":"string_telemetry"' "$BATS_TEST_TMPDIR/own")" -eq 288 ]
	[ -z "$(comm -23 <(grep telemetry "$BATS_TEST_TMPDIR/own" | sort) <(sort "$BATS_TEST_TMPDIR/one"))" ]
}
