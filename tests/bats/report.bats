load helper
# report --quality: a sound dataset passes; each thing that can be wrong is found, where
# it is; nothing crashes it.

setup_file() {
	# A day and a half with a discharge of 25 minutes in it.
	simulate -q --batteries 24 --days 1.5 --interval 2m --no-sensor-faults \
		--scenario power_outage:DC-CNX-01:start=+20h:duration=25m \
		--dataset "$BATS_FILE_TMPDIR/sound" -o /dev/null
	gunzip "$BATS_FILE_TMPDIR"/sound/*.gz
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cp -r "$BATS_FILE_TMPDIR/sound" set
}

# quality: of set, in r.json.
quality() {
	try report --quality set --json -o r.json
	assert_no_crash
}

verdict() {
	jq -r --arg c "$1" '.checks[] | select(.check == $c) | .verdict' r.json
}

# finds CHECK VERDICT [PATTERN]: the check says so of set; its first finding matches.
finds() {
	quality
	[ "$(verdict "$1")" = "$2" ] ||
		fail "$1: $(jq -c --arg c "$1" '.checks[] | select(.check == $c)' r.json)"
	[ "$2" != fail ] || assert_status 1
	[ -z "${3:-}" ] || jq -r --arg c "$1" '.checks[] | select(.check == $c) | .first[0] |
		.file + (if .line then ":\(.line)" else "" end) + ": " + .what' r.json | grep -Eq -- "$3" ||
		fail "$1: $(jq -c --arg c "$1" '.checks[] | select(.check == $c).first' r.json)"
}

# edit FILE AWK-PROGRAM: changes a CSV file; NR 1 is its header.
edit() {
	awk -F, -v OFS=, "$2" "set/$1.csv" >new && mv new "set/$1.csv"
}

@test "a sound dataset passes, as text and as JSON" {
	try report --quality set
	assert_status 0
	tail -n 1 "$OUT" | grep -E '^pass: .* 0 warn, 0 fail'
	[ ! -s "$ERR" ]
	quality
	assert_status 0
	jq -e '.verdict == "pass" and (.checks | length) >= 20 and .rows > 50000' r.json
	# What the outage is there for: these could be judged.
	for c in current_sign voltage_soc charge_balance float_voltage string_sum soh; do
		[ "$(verdict $c)" = pass ] || fail "$c: $(verdict $c)"
	done
}

@test "every check is in the manual page" {
	quality
	for c in $(jq -r '.checks[].check' r.json); do
		grep -Eq "^\.It .*\b$c\b" "$ROOT/man/floatline-report.1" || fail "$c"
	done
}

@test "the old generator's dataset fails, for the reasons its README gives" {
	data_dir classic-90d
	try report --quality "$DATA" --json
	assert_status 1
	jq -r '.checks[] | select(.verdict == "fail") | .check' "$OUT" | sort | xargs >failed
	for c in float_voltage float_current charge_balance soh capacity_tests replacements; do
		grep -q "\b$c\b" failed || fail "$c is not among: $(cat failed)"
	done
	# 24 batteries all "failed", 11.2 V after the first hour; but it can be read.
	jq -e '.rows > 3240000 and (.checks[] | select(.check == "soh") | .found == 24)' "$OUT"
	jq -e '.checks[] | select(.check == "float_voltage") | .summary | test("mean float voltage 1[12]\\.")' "$OUT"
	jq -e 'all(.checks[] | select(.check | IN("columns", "rows", "cells", "references")); .verdict == "pass")' "$OUT"
}

@test "missing files and columns, unreadable rows and cells" {
	rm set/telemetry_env.csv
	finds files warn 'telemetry_env.csv: is not there'
	rm set/battery.csv
	finds files fail 'battery.csv: is not there'
	cp "$BATS_FILE_TMPDIR/sound/battery.csv" set/
	edit string '{ NF--; $1 = $1; print }'
	finds columns fail "string.csv:1: column 'updated_at' is missing"
	edit telemetry_string_raw 'NR == 7 { $3 = "12,5" } { print }'
	finds rows warn 'telemetry_string_raw.csv:7: 11 cells for 10 columns'
	edit telemetry_jar_raw 'NR == 9 { $3 = "high" } { print }'
	finds cells warn "telemetry_jar_raw.csv:9: voltage_v is no number: 'high'"
	edit telemetry_jar_raw 'NR > 1 && NR % 50 == 0 { $1 = "yesterday" } { print }'
	finds cells fail
	printf 'x' >>set/telemetry_string_calc.csv
	finds rows warn
}

@test "impossible numbers and sentinels" {
	edit telemetry_jar_raw 'NR == 100 { $3 = 65535 } { print }'
	finds ranges warn 'telemetry_jar_raw.csv:100: voltage_v 65535 is not within'
	edit telemetry_jar_raw 'NR > 1 && NR % 100 == 0 { $4 = -273 } { print }'
	finds ranges fail
}

@test "keys twice, references to nowhere, strings of another size, dates" {
	edit telemetry_jar_raw 'NR == 5 { $2 = "nobody" } { print }'
	finds references fail "telemetry_jar_raw.csv:5: battery_id 'nobody' is not in battery"
	edit battery 'NR == 3 { print } { print }'
	finds references fail "is there twice"
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	echo '{"nobody": {}}' >set/battery_states.json
	finds references fail "battery_states.json: 'nobody' is not in battery"
	cp "$BATS_FILE_TMPDIR"/sound/* set/
	edit string 'NR == 2 { $5 = 25 } { print }'
	finds fleet fail 'string.csv:2: says 25 batteries, battery.csv has 24'
	edit battery 'NR == 2 { $7 = "2030-01-01"; $8 = "2029-01-01" } { print }'
	finds dates fail 'installed before it was made'
}

@test "moments twice, steps back, gaps" {
	edit telemetry_string_raw 'NR == 40 { print } { print }'
	finds order warn 'telemetry_string_raw.csv:41: a second row at'
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_jar_raw 'NR % 50 == 0 { print } { print }'
	finds order fail
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_env 'NR == 30 { held = $0; next } { print } NR == 33 { print held }'
	finds order warn 'telemetry_env.csv:33: goes back from'
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_jar_raw 'NR > 5000 && NR < 12000 { next } { print }'
	finds gaps fail 'telemetry_jar_raw.csv:5[0-9]+: [0-9]+ samples missing'
}

@test "float at the wrong voltage, with amperes, without spread, not adding up" {
	edit telemetry_jar_raw 'NR > 1 { $3 -= 0.9 } { print }'
	edit telemetry_string_raw 'NR > 1 { $3 -= 21.6 } { print }'
	finds float_voltage fail 'floats at 12.7.* V a jar, set-point 13.6'
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_string_raw 'NR > 1 { $4 += 1.2 } { print }'
	finds float_current fail 'mean 1\.[0-9]+ A on float'
	edit telemetry_jar_raw 'NR > 1 { $3 = 13.65 } { print }'
	finds float_spread warn 'standard deviation of its jars 0.000 V'
	edit telemetry_string_raw 'NR > 1 { $3 *= 1.03 } { print }'
	finds string_sum fail 'jars add up to 327.* string 33'
}

@test "current of the wrong sign, charge without current, voltage against charge" {
	edit telemetry_string_raw 'NR > 1 { $4 = -$4 } { print }'
	finds current_sign fail 'A in mode'
	# The discharge took a quarter or so; let it have taken all, and then never come back.
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_jar_raw 'NR > 1 { $7 = NR > 5000 ? 10 : 100 } { print }'
	edit telemetry_jar_calc 'NR > 1 { $3 = NR > 5000 ? 10 : 100 } { print }'
	finds charge_balance fail 'state of charge 100.0 % to 10.0 %'
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_jar_raw 'NR > 1 { $7 = 190 - $7; if ($7 > 110) $7 = 110 } { print }'
	finds voltage_soc fail
}

@test "health that recovers, or collapses everywhere" {
	edit telemetry_jar_raw 'NR > 20000 { $8 += 2 } { print }'
	finds soh warn 'rises from'
	edit telemetry_jar_raw 'NR > 20000 { $8 += 8 } { print }'
	finds soh fail
	cp "$BATS_FILE_TMPDIR"/sound/*.csv set/
	edit telemetry_jar_raw 'NR > 20000 { $8 = 0 } { print }'
	finds soh fail 'falls from .* to 0.00 % within a day'
}

@test "resistance and temperature against ageing" {
	edit telemetry_jar_raw 'NR == 77 { $6 *= 2 } { print }'
	finds resistance warn 'is not the inverse'
	# Resistance falls, and warmth preserves, as health is lost: against nature. Batteries
	# of one age, so that health alone tells their loss a year.
	edit battery 'NR > 1 { $8 = "2020-01-01"; $11 = 4 } { print }'
	edit telemetry_jar_raw 'NR > 1 { $5 = 2 + $8 / 50; $6 = 1000 / $5; $4 = 20 + ($8 - 70) / 5 } { print }'
	finds resistance fail
	jq -r '.checks[] | select(.check == "resistance") | .summary' r.json | grep -- 'correlation -'
	finds temperature_ageing fail
}

@test "tests, replacements and predictions against themselves" {
	string=$(sed -n '2s/,.*//p' set/string.csv)
	battery=$(sed -n '2s/,.*//p' set/battery.csv)
	echo "t1,$string,,2026-01-01 10:00:00,full,12,540,42,25,," >>set/capacity_test_raw.csv
	echo "t1,40,33.33,pass" >>set/capacity_test_calc.csv
	finds capacity_tests fail 'cut-off 42 V of a string of 144 cells: 0.29 V a cell'
	jq -e '.checks[] | select(.check == "capacity_tests") | .found == 3' r.json
	sed -i '2,$d' set/capacity_test_raw.csv set/capacity_test_calc.csv
	active=$(awk -F, '$12 == "active" && $13 == "" { print $1; exit }' set/battery.csv)
	echo "e1,$active,,,replacement,,2026-01-01 09:00:00,2026-01-01 10:00:00,,completed,,,,,," >>set/maintenance_event.csv
	finds replacements fail 'was replaced, but battery.csv has no other block there'
	echo "p1,$battery,,2026-01-02 10:00:00,50,60,70,0.5,0.2,0.9,ml,{},{}" >>set/rul_prediction.csv
	finds predictions fail '50 days are not within 60 to 70'
}

@test "damaged, hostile and strange files are findings, never a crash" {
	gzip set/telemetry_jar_raw.csv
	size=$(stat -c %s set/telemetry_jar_raw.csv.gz)
	truncate -s $((size / 2)) set/telemetry_jar_raw.csv.gz
	finds rows fail 'telemetry_jar_raw.csv.gz:[0-9]+: .*cut off'
	head -c 20000 /dev/urandom >set/battery.csv
	quality
	: >set/string.csv
	quality
	rm set/location.csv
	mkfifo set/location.csv
	quality
	rm set/location.csv
	mkdir set/location.csv
	quality
	head -c 300000 /dev/zero | tr '\0' ',' >set/telemetry_string_raw.csv
	printf 'ts,string_id,power_w,thd_pct\n%s\n' '"' >set/telemetry_string_calc.csv
	quality
	[ "$status" -eq 1 ]
	printf '{"nobody": {}, "x": 1}' >set/battery_states.json
	quality
	printf '{"a": ' >set/battery_states.json
	finds rows fail
	head -c 5000 /dev/zero | tr '\0' '[' >set/battery_states.json
	quality
	# What a file says does not reach the terminal as it is.
	printf 'model_id,model_name\nm1,\n\033[31mred,x\n\033[31mred,x\n' >set/battery_model.csv
	try report --quality set
	! grep -q $'\033' "$OUT"
}

@test "wrong usage and what cannot be read or written" {
	try report
	assert_status 2
	assert_one_line_stderr "say which dataset or which month: --quality DIR or --month YYYY-MM"
	try report --quality nowhere
	assert_status 3
	assert_one_line_stderr "report: cannot read 'nowhere'"
	mkdir hollow
	try report --quality hollow
	assert_status 2
	assert_one_line_stderr "'hollow' has no file of the classic layout"
	try report --quality set/battery.csv
	assert_status 2
	try bash -c 'report --quality set >/dev/full'
	assert_status 3
	assert_one_line_stderr "cannot write '<stdout>'"
}
