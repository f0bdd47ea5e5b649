load helper

# jars FILTER: NDJSON of 6 jars and their string, a minute apart, 120 minutes; the jq
# filter changes or drops records ('.m' is the minute, '.j' the jar, 0 the string).
jars() {
	jq -cn "
		range(120) as \$m | range(7) as \$j |
		{m: \$m, j: \$j, ts: (1750000000000 + \$m * 60000), mode: \"float\"} +
		if \$j == 0 then {kind: \"string_telemetry\", string: \"DC-CNX-01-UPS-01-S1\",
			voltage_v: 81.6}
		else {kind: \"telemetry\", battery: \"DC-CNX-01-UPS-01-S1-J0\\(\$j)\",
			voltage_v: 13.6, temperature_c: 25} end |
		${1:-.} | del(.m, .j)"
}

# alerts FILTER [OPTION…]: the alert records that come of it, one a line.
alerts() {
	local filter=$1
	shift
	jars "$filter" | encode -q | alert -q "$@" --only alert | decode -q
}

hot() {
	printf '[hot]\nkind = telemetry\nfield = temperature_c\ncondition = above\n'
	printf 'warning = 35\ncritical = 45\nclear = 33\nfor = 5m\nkeep = 5m\nmessage = hot\n'
}

@test "a healthy string raises nothing, and every record passes unchanged and in order" {
	jars | encode -q >"$BATS_TEST_TMPDIR/in"
	alert -q <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/out"
	[ "$(decode -q <"$BATS_TEST_TMPDIR/out" | wc -l)" -eq 840 ]
	diff <(decode -q <"$BATS_TEST_TMPDIR/in") <(decode -q <"$BATS_TEST_TMPDIR/out")
}

@test "over the threshold for less than 'for' gives nothing, for as long an alert" {
	[ "$(alerts 'if .j == 1 and .m >= 20 and .m < 25 then .temperature_c = 36 else . end' | wc -l)" -eq 0 ]
	run alerts 'if .j == 1 and .m >= 20 and .m < 26 then .temperature_c = 36 else . end'
	[ "${#lines[@]}" -eq 2 ]
	[ "$(jq -r .state <<<"$output" | tr '\n' ' ')" = "firing resolved " ]
	[ "$(jq -r .ts <<<"${lines[0]}")" = 2025-06-15T15:31:40Z ]
	[ "$(jq -r .since_ts <<<"${lines[0]}")" = 2025-06-15T15:26:40Z ]
}

@test "from warning to critical and to its end an alert keeps its id" {
	run alerts 'if .j == 1 and .m >= 20 and .m < 60 then .temperature_c = (if .m < 40 then 36 else 46 end) else . end'
	[ "$(jq -r '.state + ":" + .severity' <<<"$output" | tr '\n' ' ')" = "firing:warning firing:critical resolved:critical " ]
	[ "$(jq -r .alert_id <<<"$output" | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -r .message <<<"${lines[0]}")" = "DC-CNX-01-UPS-01-S1-J01: jar at 36 degC, above 35 degC" ]
}

@test "a resolved alert names what it is about in words" {
	hot >"$BATS_TEST_TMPDIR/r.ini"
	local warm='if .j == 1 and .m >= 20 and .m < 40 then .temperature_c = 36 else . end'
	run alerts "$warm" --rules "$BATS_TEST_TMPDIR/r.ini"
	[ "$(jq -r .message <<<"${lines[1]}")" = "DC-CNX-01-UPS-01-S1-J01: resolved, temperature is 25 degC" ]
	echo "label = heat of the case" >>"$BATS_TEST_TMPDIR/r.ini"
	run alerts "$warm" --rules "$BATS_TEST_TMPDIR/r.ini"
	[ "$(jq -r .message <<<"${lines[1]}")" = "DC-CNX-01-UPS-01-S1-J01: resolved, heat of the case is 25 degC" ]
}

@test "an alert still open at the end stays open" {
	run alerts 'if .j == 1 and .m >= 20 then .temperature_c = 36 else . end'
	[ "${#lines[@]}" -eq 1 ]
}

@test "--pending shows what begins and lapses, with one id" {
	run alerts 'if .j == 1 and .m >= 20 and .m < 23 then .temperature_c = 36 else . end' --pending
	[ "$(jq -r .state <<<"$output" | tr '\n' ' ')" = "pending resolved " ]
	[ "$(jq -r .alert_id <<<"$output" | sort -u | wc -l)" -eq 1 ]
}

@test "the same stream gives the same bytes, however it is cut into chunks" {
	jars 'if .j == 1 and .m >= 20 then .temperature_c = 36 + .m / 10 else . end' |
		encode -q >"$BATS_TEST_TMPDIR/in"
	alert -q <"$BATS_TEST_TMPDIR/in" >"$BATS_TEST_TMPDIR/a"
	dd bs=97 status=none <"$BATS_TEST_TMPDIR/in" | alert -q | cmp - "$BATS_TEST_TMPDIR/a"
	alert -q -i "$BATS_TEST_TMPDIR/in" -o "$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "one battery whose clock is a day ahead makes nobody stale" {
	[ "$(alerts 'if .j == 3 then .ts += 86400000 else . end' | wc -l)" -eq 0 ]
	[ "$(alerts 'if .j == 1 then .ts += 86400000 else . end' | wc -l)" -eq 0 ]
}

@test "a battery that falls silent is named, and its return resolves the alert" {
	run alerts 'select(.j != 3 or .m < 20 or .m > 60)'
	[ "$(jq -r '.rule + ":" + .state' <<<"$output" | tr '\n' ' ')" = "jar-silent:firing jar-silent:resolved " ]
	[ "$(jq -r .subject <<<"${lines[0]}")" = DC-CNX-01-UPS-01-S1-J03 ]
}

@test "impossible float voltages: one alert for the string, in an engineer's words" {
	run alerts '.voltage_v = (if .j == 0 then 68.4 else 11.4 end)'
	[ "${#lines[@]}" -eq 1 ]
	[ "$(jq -r .severity <<<"$output")" = critical ]
	[[ "$(jq -r .message <<<"$output")" == *"mean float voltage 11.4 V per jar is impossible on float"* ]]
}

@test "a message never says that a value is below itself" {
	run alerts 'if .j == 1 then .temperature_c = 35.00002 else . end'
	[ "$(jq -r .message <<<"$output")" = "DC-CNX-01-UPS-01-S1-J01: jar at 35.00002 degC, above 35 degC" ]
}

@test "quality flags are a malfunction of the sensor, and no measurement" {
	run alerts 'if .j == 1 and .m >= 20 then .temperature_c = 99 | .quality = ["temperature_range", "sentinel"] else . end'
	[ "${#lines[@]}" -eq 1 ]
	[ "$(jq -r .source <<<"$output")" = quality ]
	[ "$(jq -r .message <<<"$output")" = "DC-CNX-01-UPS-01-S1-J01: sensor malfunction: temperature_range, sentinel" ]
}

@test "an alert is shelved by a record of the stream" {
	jars 'if .j == 1 and .m >= 20 then .temperature_c = 36 else . end' >"$BATS_TEST_TMPDIR/a"
	id=$(encode -q <"$BATS_TEST_TMPDIR/a" | alert -q --only alert | decode -q | jq -r .alert_id)
	{
		head -n 280 "$BATS_TEST_TMPDIR/a"
		jq -cn --arg id "$id" '{kind: "alert_action", ts: 1750002400000, subject_id: $id,
			action: "shelve", actor: "somchai", until_ts: 1750004800000}'
		tail -n +281 "$BATS_TEST_TMPDIR/a"
	} | encode -q | alert -q --only alert | decode -q >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -r .state "$BATS_TEST_TMPDIR/out" | tr '\n' ' ')" = "firing suppressed firing " ]
	[ "$(jq -r .alert_id "$BATS_TEST_TMPDIR/out" | sort -u)" = "$id" ]
	grep -q 'S1-J01: shelved by somchai' "$BATS_TEST_TMPDIR/out"
}

@test "three jars of a string with one alert are one incident" {
	jars 'if .j >= 1 and .j <= 3 and .m >= 20 then .temperature_c = 36 else . end' |
		encode -q | alert -q --only alert,incident | decode -q >"$BATS_TEST_TMPDIR/out"
	[ "$(jq -rs '[.[] | select(.kind == "incident")] | length' "$BATS_TEST_TMPDIR/out")" -eq 1 ]
	id=$(jq -r 'select(.kind == "incident") | .incident_id' "$BATS_TEST_TMPDIR/out")
	[ "$(jq -r 'select(.kind == "alert" and .incident_id == "'"$id"'") | .subject' "$BATS_TEST_TMPDIR/out" | sort -u | wc -l)" -eq 3 ]
}

@test "the air conditioning of a site fails: the operator sees one incident and one alert" {
	simulate -q --site DC-CNX-01 --days 5 --interval 2m --start 2026-04-10T00:00:00Z \
		--scenario hvac_failure:DC-CNX-01:start=+6h:duration=72h |
		alert -q --only alert,incident,status | decode -q >"$BATS_TEST_TMPDIR/out"
	cd "$BATS_TEST_TMPDIR"
	# One incident, of the site, called after its cause; it ends when all is cool again.
	[ "$(jq -r 'select(.kind == "incident") | .incident_id' out | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -rs '[.[] | select(.kind == "incident")] | last | "\(.subject) \(.cause) \(.state) \(.severity)"' out)" = \
		"DC-CNX-01 hvac-failure resolved critical" ]
	jq -r 'select(.kind == "incident") | .title' out | grep -qx 'DC-CNX-01: air conditioning failed ([0-9]* alerts)'
	# Hundreds of alerts are in it, and none of them calls but the cause's own.
	id=$(jq -r 'select(.kind == "incident") | .incident_id' out | head -1)
	[ "$(jq -r "select(.kind == \"alert\" and .incident_id == \"$id\") | .subject" out | sort -u | wc -l)" -ge 200 ]
	[ "$(jq -r "select(.kind == \"alert\" and .incident_id == \"$id\" and .state == \"firing\") | .rule" out | sort -u)" = hvac-failure ]
	# Nor does anything about temperature outside it, then or while the jars cool down.
	[ "$(jq -r 'select(.kind == "alert" and .state == "firing" and (.rule | test("temperature|hvac"))) | .alert_id' out | sort -u | wc -l)" -eq 1 ]
	# The batteries are warm all the same.
	[ "$(jq -r 'select(.kind == "status" and .status == "warning" and (.reasons | index("jar-temperature-high"))) | .subject' out | sort -u | wc -l)" -ge 100 ]
}

@test "--rules takes other rules; --stats counts them" {
	hot >"$BATS_TEST_TMPDIR/r.ini"
	try bash -c "$(declare -f jars); jars 'if .j == 1 and .m >= 20 and .m < 60 then .temperature_c = 36 else . end' |
		encode -q | alert -q --rules '$BATS_TEST_TMPDIR/r.ini' --stats -o /dev/null"
	assert_status 0
	grep -Eq '^hot +1 +0 +0 +1 +0$' "$ERR"
}

@test "a bad rule file: status 2, one line with file, line and reason, nothing read" {
	{ hot; echo "volume = 11"; } >"$BATS_TEST_TMPDIR/r.ini"
	try alert --rules "$BATS_TEST_TMPDIR/r.ini" </dev/null
	assert_status 2
	assert_one_line_stderr "^alert: .*r\.ini:11: \[hot\] unknown key 'volume'$"
	[ ! -s "$OUT" ]
	head -c 3000 "$BIN/alert" >"$BATS_TEST_TMPDIR/r.ini"
	try alert --rules "$BATS_TEST_TMPDIR/r.ini" </dev/null
	assert_status 2
	assert_one_line_stderr '^alert: '
}

@test "a rule file that is not there: status 3; an unknown model, an operand: 2" {
	try alert --rules /no/such/file </dev/null
	assert_status 3
	assert_one_line_stderr "cannot open '/no/such/file'"
	try alert --model no-such </dev/null
	assert_status 2
	assert_one_line_stderr no-such
	try alert stray </dev/null
	assert_status 2
	assert_one_line_stderr stray
}

@test "empty input, a truncated stream, a closed pipe" {
	try alert </dev/null
	assert_status 1
	assert_no_crash
	jars | encode -q | head -c 20000 >"$BATS_TEST_TMPDIR/cut"
	try alert <"$BATS_TEST_TMPDIR/cut"
	assert_status 1
	assert_stderr 'truncat'
	try alert -q --allow-truncated <"$BATS_TEST_TMPDIR/cut"
	assert_status 0
	run bash -c "$(declare -f jars); jars | encode -q | alert -q | head -c 10 >/dev/null; echo \${PIPESTATUS[2]}"
	[ "$output" -eq 141 ] || [ "$output" -eq 0 ]
}

@test "the ledger balances" {
	jars 'if .j == 1 and .m >= 20 then .temperature_c = 36 else . end' |
		encode -q --ledger "$BATS_TEST_TMPDIR/l" |
		alert -q --ledger "$BATS_TEST_TMPDIR/l" |
		decode -q --ledger "$BATS_TEST_TMPDIR/l" >/dev/null
	ledger_balances "$BATS_TEST_TMPDIR/l"
}

@test "the classic data set: its float voltages are called impossible, alerts are few" {
	[ -x "$BIN/ingest" ] || skip "no ingest in this build"
	data_dir classic-90d
	ingest -q "$DATA" | alert -q --only alert | decode -q >"$BATS_TEST_TMPDIR/out"
	grep -q 'mean float voltage 12.7[0-9]* V per jar is impossible on float' "$BATS_TEST_TMPDIR/out"
	[ "$(jq -r .alert_id "$BATS_TEST_TMPDIR/out" | sort -u | wc -l)" -lt 500 ]
}
