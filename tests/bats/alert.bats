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

@test "a decision to shelve without a time limit is told as of no use" {
	cd "$BATS_TEST_TMPDIR"
	jq -cn '{kind: "alert_action", ts: 1750002400000, subject_id: "a", action: "shelve", actor: "somchai"}' |
		encode -q | alert --reject r >out 2>err
	[ "$(records_of alert_action out)" -eq 1 ]
	grep -q 'shelved without a time limit' r
}

@test "--mute-scenarios: what a scenario runs on is suppressed" {
	cd "$BATS_TEST_TMPDIR"
	simulate -q --site DC-CNX-01 --batteries 24 --days 1 --interval 2m --start 2026-04-10T00:00:00Z \
		--scenario hvac_failure:DC-CNX-01:start=+6h:duration=12h -o in
	alert -q -i in --only alert | decode -q | jq -r 'select(.rule | test("hvac|room")) | .state' >a
	grep -qx firing a
	# What still holds when it ends is in earnest.
	alert -q -i in --mute-scenarios --only alert | decode -q |
		jq -r 'select((.rule | test("hvac|room")) and .ts < "2026-04-10T18:00:00Z") | .state' >b
	grep -qx suppressed b
	run grep -x firing b
	assert_status 1
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
		"DC-CNX-01 hvac-fault resolved critical" ]
	jq -r 'select(.kind == "incident") | .title' out | grep -qx 'DC-CNX-01: air conditioning out of order ([0-9]* alerts)'
	# Hundreds of alerts are in it, and none of them calls but the cause's own.
	id=$(jq -r 'select(.kind == "incident") | .incident_id' out | head -1)
	[ "$(jq -r "select(.kind == \"alert\" and .incident_id == \"$id\") | .subject" out | sort -u | wc -l)" -ge 200 ]
	[ "$(jq -r "select(.kind == \"alert\" and .incident_id == \"$id\" and .state == \"firing\") | .rule" out | sort -u)" = hvac-fault ]
	# Nor does anything about temperature outside it, then or while the jars cool down.
	[ "$(jq -r 'select(.kind == "alert" and .state == "firing" and (.rule | test("temperature"))) | .alert_id' out | wc -l)" -eq 0 ]
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

# trouble: 280 records each of 40 minutes; jar 1 warms for good, jars 2 to 4 for a while.
trouble() {
	jars 'if .j == 1 and .m >= 20 then .temperature_c = 30 + .m / 5
		elif .j >= 2 and .j <= 4 and .m >= 30 and .m < 70 then .temperature_c = 36 else . end'
}

@test "stopped and started with --state, it goes on as if never stopped" {
	local cut
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	hot >r.ini
	encode -q <all | alert -q --rules r.ini --state whole --only alert,incident,status | decode -q >want
	grep -q '"kind":"incident"' want
	for cut in 1 7 139 171 172 238 241 242 300 400 490 560 839; do
		rm -rf parts
		head -n $cut all | encode -q |
			alert -q --rules r.ini --state parts --only alert,incident,status | decode -q >got
		tail -n +$((cut + 1)) all | encode -q |
			alert -q --rules r.ini --state parts --only alert,incident,status | decode -q >>got
		cmp want got
		cmp whole/alert parts/alert
	done
	[ "$(ls parts)" = alert ]
	# The same again adds nothing: it is all late.
	encode -q <all | alert -q --rules r.ini --state parts --only alert,incident | decode -q >got
	[ ! -s got ]
}

@test "a state of another model or run, or damaged, is refused, and kept as it is" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	encode -q <all | alert -q --state s -o out
	try bash -c 'encode -q <all | alert -q --state s --model NASA-18650 -o out'
	assert_status 2
	assert_stderr "^alert: --state 's': the state was kept"
	try bash -c 'encode -q --run other <all | alert -q --state s -o out'
	assert_status 2
	cp s/alert good
	printf x | dd of=s/alert bs=1 seek=9000 conv=notrunc status=none
	cp s/alert damaged
	try bash -c 'encode -q <all | alert -q --state s -o out'
	assert_status 3
	assert_stderr damaged
	cmp s/alert damaged
	cp good s/alert
	try bash -c 'encode -q <all | alert -q --state s >/dev/full'
	assert_status 3
	cmp good s/alert
	try bash -c 'encode -q <all | alert -q --state /dev/null/s -o out'
	assert_status 3
	try alert --state-every 1s </dev/null
	assert_status 2
	assert_one_line_stderr 'goes with --state'
}

@test "the state outlives other rules: what goes on under its name goes on" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	hot >r.ini
	head -n 300 all | encode -q | alert -q --rules r.ini --state s --only alert | decode -q >a
	{ printf '[low]\nkind = telemetry\nfield = voltage_v\ncondition = below\nwarning = 1\nmessage = m\n'; hot | sed s/45/50/; } >r.ini
	tail -n +301 all | encode -q | alert -q --rules r.ini --state s --only alert | decode -q >b
	[ "$(jq -r 'select(.subject | endswith("J01")) | .alert_id' a b | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -r 'select(.severity == "critical") | .value' b)" = 51.2 ]
}

@test "killed, it goes on from the state it kept last" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	hot >r.ini
	encode -q <all | alert -q --rules r.ini --only alert,incident | decode -q >want
	mkfifo in
	alert -q --rules r.ini --state s --state-every 1ms --only alert,incident <in >one 3>&- &
	pid=$!
	exec 7>in
	# Both halves are one stream to it, as a source that goes on would be.
	head -n 300 all | encode -q >&7
	wait_for_file s/alert
	kill -9 "$pid"
	wait "$pid" || true
	exec 7>&-
	tail -n +301 all | encode -q | alert -q --rules r.ini --state s --only alert,incident >two
	{
		decode -q --allow-truncated <one
		decode -q <two
	} >got
	# What was put off at the end of the whole is told only there.
	diff <(jq -c 'select(.kind == "alert")' want) <(jq -c 'select(.kind == "alert")' got)
	diff <(jq -r .incident_id want | sort -u) <(jq -r .incident_id got | sort -u)
}

@test "HUP reads the rules again; a file with an error leaves the old ones in force" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	hot >r.ini
	mkfifo in
	alert -q --rules r.ini --only alert <in >out 2>err 3>&- &
	pid=$!
	exec 7>in
	head -n 420 all | encode -q >&7
	wait_for_file out
	echo "volume = 11" >>r.ini
	kill -HUP "$pid"
	wait_until 10 grep -Eq "^alert: r\.ini:11: \[hot\] unknown key 'volume'; the old rules stay in force$" err
	hot | sed s/45/50/ >r.ini
	kill -HUP "$pid"
	wait_until 10 grep -q '^alert: r.ini: 1 rules are in force now$' err
	tail -n +421 all | encode -q >&7
	exec 7>&-
	wait "$pid"
	decode -q <out | jq -r 'select(.subject | endswith("J01"))' >j01
	[ "$(jq -r .alert_id j01 | sort -u | wc -l)" -eq 1 ]
	[ "$(jq -r '"\(.state) \(.severity) \(.value)"' j01 | tail -1)" = "firing critical 51.2" ]
}

@test "on a socket an alert of a run has the id it has from a file" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	encode -q --run drill <all | alert -q --state a --only alert | decode -q >want
	[ -s want ]
	alert -q -i "pull:@ipc://$PWD/p?producers=1" --state b --only alert -o got.fl 3>&- &
	pid=$!
	wait_for_socket p
	encode -q --run drill -o "push:ipc://$PWD/p" <all
	wait "$pid"
	diff want <(decode -q <got.fl)
	cmp a/alert b/alert
}

@test "--urgent: alerts and incidents, and nothing else, on an endpoint of their own" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	decode -q -i "sub:ipc://$PWD/u?topic=alert/&topic=incident/&producers=1" >got 3>&- &
	sub=$!
	encode -q <all | alert -q --urgent "pub:@ipc://$PWD/u?subscribers=1" >out
	wait "$sub"
	diff <(decode -q <out | grep -E '"kind":"(alert|incident)"' | sort) <(sort got)
	encode -q <all | alert -q --urgent file.fl >out
	diff <(decode -q <out | grep -E '"kind":"(alert|incident)"') <(decode -q <file.fl)
	encode -q --run drill <all | alert -q --urgent run.fl -o out
	decode -q --frames <run.fl 2>/dev/null | grep -q drill || grep -qa drill run.fl
	try bash -c 'encode -q <all | alert -q --urgent push:ipc://@u -o out'
	assert_status 2
	assert_stderr "cannot wait for a reader"
	try alert --urgent nonsense://x </dev/null
	assert_status 2
	assert_one_line_stderr "nonsense"
}

@test "the state of a battery is a few KiB" {
	cd "$BATS_TEST_TMPDIR"
	jars | encode -q | alert -q --metrics m -o out
	awk '$1 == "floatline_alert_state_bytes_per_battery" { ok = $2 > 0 && $2 <= 4096 } END { exit !ok }' m
}

@test "in the database an alert and an incident are a row, and what people decided stays" {
	cd "$BATS_TEST_TMPDIR"
	trouble >all
	hot >r.ini
	encode -q <all | alert -q --rules r.ini --only alert,incident -o out
	id=$(decode -q --kind alert <out | jq -r .alert_id | head -1)
	store -q --db sqlite:d.db -i out
	jq -cn --arg id "$id" '{kind: "alert_action", ts: 1750006000000, subject_id: $id, action: "acknowledge", actor: "nok", note: "on my way"}' |
		encode -q | store -q --db sqlite:d.db
	for again in 1 2; do
		[ "$(sqlite3 d.db 'SELECT count(*) FROM alert')" -eq "$(decode -q --kind alert <out | jq -r .alert_id | sort -u | wc -l)" ]
		[ "$(sqlite3 d.db 'SELECT count(*) FROM incident')" -eq "$(decode -q --kind incident <out | jq -r .incident_id | sort -u | wc -l)" ]
		[ "$(sqlite3 d.db "SELECT state, severity FROM alert WHERE alert_id = '$id'")" = "firing|critical" ]
		[ "$(sqlite3 d.db 'SELECT actor, note FROM alert_action')" = "nok|on my way" ]
		# The same stream once more, run anew: the same ids, the same rows.
		encode -q <all | alert -q --rules r.ini | store -q --db sqlite:d.db
	done
}

@test "each of the default rules fires where its test says, and every one has a test" {
	local rules=$ROOT/schemas/rules/default.ini tests=$ROOT/schemas/rules/default.test
	run alert --test "$tests"
	assert_status 0
	[[ "$output" != *"not ok"* ]]
	mapfile -t names < <(sed -n 's/^\[\([a-z0-9-]*\)\]$/\1/p' "$rules" | grep -v '^seasons$')
	[ "${#names[@]}" -gt 30 ]
	for rule in "${names[@]}"; do
		grep -Eq "^expect [0-9a-z]+ $rule [^ ]+ (firing|suppressed) " "$tests" || fail "no test fires $rule"
	done
}

@test "--test tells what did not come, what came, and where a file of tests is wrong" {
	cd "$BATS_TEST_TMPDIR"
	hot >r.ini
	{
		echo "test warms"
		echo "telemetry B temperature_c=30*5,36*10,30*10"
		echo "expect 10m hot B firing warning"
		echo "expect 20m hot B resolved warning"
		echo "test too early"
		echo "telemetry B temperature_c=36*10"
		echo "expect 4m hot B firing warning"
		echo "test never"
		echo "telemetry B every=5m at=1h temperature_c=36"
		echo "expect 1h hot B firing warning"
		echo "test silence"
		echo "telemetry B temperature_c=36*10"
		echo "never hot"
	} >t
	run alert --rules r.ini --test t
	assert_status 1
	[ "${lines[0]}" = "ok 1 warms" ]
	[ "${lines[1]}" = "not ok 2 too early" ]
	[ "${lines[2]}" = "# not expected: 5m00s hot B firing warning" ]
	[ "${lines[3]}" = "not ok 3 never" ]
	[ "${lines[4]}" = "# did not come: 60m00s hot B firing warning" ]
	[ "${lines[5]}" = "not ok 4 silence" ]
	[ "${lines[7]}" = "1..4" ]
	while IFS='|' read -r text want; do
		printf 'test t\n%b\n' "$text" >t
		try alert --rules r.ini --test t
		assert_status 2
		assert_one_line_stderr "^alert: t:2: $want"
	done <<-END
		telemetri B|neither test, start, expect, never nor a kind: 'telemetri'
		telemetry|a code must follow 'telemetry'
		telemetry B volts=1|the kind has no field 'volts'
		telemetry B voltage_v|not like FIELD=VALUES: 'voltage_v'
		telemetry B voltage_v=1*x|not like VALUE\*N,VALUE\*N: '1\*x'
		telemetry B every=soon|not a duration: 'soon'
		expect soon hot B firing warning|not a duration: 'soon'
		expect 5m cold B firing warning|no such rule: 'cold'
		expect 5m hot B burning warning|no such state or severity: 'burning'
		start yesterday|not a time: 'yesterday'
	END
	echo "telemetry B" >t
	try alert --rules r.ini --test t
	assert_status 2
	assert_one_line_stderr "t:1: before the first 'test'"
	printf 'test t\ntelemetry B voltage_v=high\n' >t
	try alert --rules r.ini --test t
	assert_status 2
	assert_one_line_stderr "t:1: test t: voltage_v 'high'"
	try alert --test /no/such
	assert_status 3
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
