load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

# samples MINUTES: NDJSON of one battery, a sample a minute from midnight, at 13.6 V.
samples() {
	awk -v n="$1" 'BEGIN { for (i = 0; i < n; i++)
		printf "{\"kind\":\"telemetry\",\"ts\":\"2026-03-01T%02d:%02d:00Z\"," \
			"\"battery\":\"DC-CNX-01-UPS-01-S1-J01\",\"voltage_v\":13.6," \
			"\"temperature_c\":25,\"current_a\":0.1,\"resistance_mohm\":4," \
			"\"mode\":\"float\"}\n", i / 60, i % 60 }'
}

# at HH:MM[:SS] VOLTAGE: one more sample of the same battery.
at() {
	local time=$1
	[ ${#time} -eq 5 ] && time=$time:00
	printf '{"kind":"telemetry","ts":"2026-03-01T%sZ","battery":"DC-CNX-01-UPS-01-S1-J01","voltage_v":%s}\n' \
		"$time" "$2"
}

# rows FIELDS: the fields of the feature records of out.fl, as CSV without a heading.
rows() {
	decode -q --csv --kind feature --fields "$1" <out.fl | tail -n +2
}

@test "an hour of samples gives its statistics, a day its own" {
	samples 1440 | encode -q | featurize >out.fl
	[ "$(rows window_h | grep -c '^1$')" -eq 24 ]
	[ "$(rows window_h | grep -c '^24$')" -eq 24 ]
	run rows ts,battery,unit,window_h,count,coverage,gap_count,v_mean_v,v_std_v,ah_in,arrhenius_hours,conductance_s
	[ "${lines[0]}" = 2026-03-01T01:00:00Z,DC-CNX-01-UPS-01-S1-J01,0,1,60,1,0,13.6,0,0.1,1,250 ]
	[ "${lines[47]}" = 2026-03-02T00:00:00Z,DC-CNX-01-UPS-01-S1-J01,0,24,1440,1,0,13.6,0,2.4,24,250 ]
}

@test "every record is passed on unchanged and in order, and the ledger balances" {
	foreign_stream 6912 >in.fl
	try featurize --ledger l -i in.fl -o out.fl
	assert_status 0
	decode -q <in.fl >in.json
	decode -q <out.fl | jq -c 'select(.kind != "feature")' >out.json
	jq -c . in.json | cmp - out.json
	[ "$(records_of feature out.fl)" -eq 192 ] # four hours of 24 jars, two windows
	ledger_balances l
}

@test "kinds it does not know pass byte for byte" {
	$PYTHON - >in.fl <<-'END'
		import msgpack, sys
		def put(*r): sys.stdout.buffer.write(msgpack.packb(r))
		put(126, "floatline", 1, None, None, [["foreign", "1", ""]])
		put(0, 99, "elephant", 1, [["trunk", "text", "", []]])
		put(99, "long")
		put(127, 0, [[99, 1]])
	END
	featurize <in.fl >out.fl
	$PYTHON -c "
import msgpack
assert [99, 'long'] in list(msgpack.Unpacker(open('out.fl', 'rb')))"
}

@test "a late record is passed on, told of and not counted" {
	{
		samples 90
		at 00:30:30 20
		samples 120 | tail -30
	} | encode -q | featurize --reject r.json --ledger l >out.fl
	[ "$(records_of telemetry out.fl)" -eq 121 ]
	[ "$(wc -l <r.json)" -eq 1 ]
	jq -e '(.reason | test("late")) and (tostring | test("00:30:30"))' r.json
	jq -e '.kinds.telemetry.unused == 1' l
	ledger_balances l
	run rows count,v_max_v
	[ "${lines[0]}" = 60,13.6 ]
}

@test "--lateness sets what is late" {
	{
		samples 90
		at 00:30:30 13.8
		samples 121 | tail -31
	} | encode -q | featurize --lateness 60m --reject r.json >out.fl
	[ ! -s r.json ]
	run rows count,v_max_v
	[ "${lines[0]}" = 61,13.8 ]
}

@test "a record that comes twice is counted once" {
	samples 120 | awk '{ print } NR % 3 == 0' | encode -q |
		featurize --reject r.json --ledger l >out.fl
	[ "$(records_of telemetry out.fl)" -eq 160 ]
	[ "$(wc -l <r.json)" -eq 40 ]
	[ "$(jq -r .reason r.json | sort -u)" = "duplicate: already counted" ]
	run rows count
	[ "${lines[0]}" = 60 ]
	ledger_balances l
}

@test "order of arrival within the lateness does not matter, nor does duplication" {
	foreign_stream 9600 | decode -q >in.json
	encode -q <in.json | featurize | decode -q --kind feature | sort >want
	jq -c '.' in.json | awk 'BEGIN { srand(5) } { print int(NR / 24) + int(rand() * 4) "\t" $0; if (NR % 7 == 0) print int(NR / 24) + 3 "\t" $0 }' |
		sort -s -n -k1,1 | cut -f2- >shuffled.json
	[ "$(sort in.json | uniq | wc -l)" -lt "$(wc -l <shuffled.json)" ]
	encode -q <shuffled.json | featurize 2>closing | decode -q --kind feature | sort >got
	[ "$(wc -l <want)" -gt 250 ]
	cmp want got
}

@test "the same input gives the same bytes, however it is chunked" {
	foreign_stream 4800 >in.fl
	featurize <in.fl >one.fl
	featurize <in.fl >two.fl
	dd if=in.fl bs=137 status=none | featurize >three.fl
	cmp one.fl two.fl
	cmp one.fl three.fl
}

@test "a gap is a gap" {
	samples 180 | awk 'NR <= 70 || NR > 100' | encode -q | featurize --windows 1 >out.fl
	run rows count,gap_count,coverage
	[ "${lines[0]}" = 60,0,1 ]
	# ten samples, of which nine hold; 20 from 01:40
	[[ "${lines[1]}" == 30,1,0.48* ]]
	[ "${lines[2]}" = 60,0,1 ]
}

@test "rows go out daily with --every 1d" {
	samples 1440 | encode -q | featurize --every 1d --windows 1,24,168 >out.fl
	[ "$(rows ts,window_h,count)" = "2026-03-02T00:00:00Z,1,60
2026-03-02T00:00:00Z,24,1440
2026-03-02T00:00:00Z,168,1440" ]
}

@test "two programs share the windows as one has them, and daily rows are those of midnight" {
	simulate -q --batteries 3 --days 9 --interval 15m --seed 4 >in.fl
	featurize --windows 1,24,168,720 <in.fl | decode -q --kind feature | sort >one
	featurize --windows 1,24 <in.fl | featurize --windows 168,720 | decode -q --kind feature | sort >two
	[ "$(grep -c '"window_h":168' one)" -eq 27 ]
	cmp one two
	featurize --every 1d --windows 1,24,168,720 <in.fl | decode -q --kind feature | sort >daily
	grep '"ts":"[^"]*T00:00:00Z"' one | cmp - daily
}

@test "a replacement begins a new unit" {
	{
		samples 120
		echo '{"kind":"event","event_id":"e1","ts":"2026-03-01T02:00:00Z","subject":"DC-CNX-01-UPS-01-S1-J01","type":"replacement","status":"completed"}'
		samples 240 | tail -120
	} | encode -q | featurize >out.fl
	[ "$(rows window_h,unit,count | sort -u)" = "1,0,60
1,1,60
24,0,120
24,0,60
24,1,120
24,1,60" ]
}

@test "a battery whose clock is a day ahead does not spoil the others" {
	{
		foreign_stream 2400 | decode -q
		echo '{"kind":"telemetry","ts":"2025-06-16T16:46:00Z","battery":"DC-CNX-01-REC-01-S1-J01","voltage_v":13.5}'
	} | encode -q | featurize --reject r.json --ledger l >out.fl
	[ "$(wc -l <r.json)" -eq 1 ]
	jq -e '.reason | test("clock")' r.json
	ledger_balances l
}

@test "hourly means of the real data are those awk computes" {
	data_dir classic-90d
	zcat "$DATA/telemetry_jar_raw.csv.gz" | head -103681 |
		awk -F, -v OFS=, -v codes="$DATA/battery.csv" '
			BEGIN { while ((getline line <codes) > 0) { split(line, c, ","); code[c[1]] = c[4] } }
			NR == 1 { print "ts", "battery", "voltage_v", "temperature_c", "resistance_mohm"; next }
			{ sub(/ /, "T", $1); print $1 "Z", code[$2], $3, $4, $5 }' >in.csv
	awk -F, 'NR > 1 { h = substr($1, 1, 13) "," $2; n[h]++; v[h] += $3; t[h] += $4; r[h] += $5 }
		END { for (h in n) printf "%s,%.4f,%.3f,%.4f,%d\n", h, v[h] / n[h], t[h] / n[h], r[h] / n[h], n[h] }' \
		in.csv | sort >want
	encode -q --csv --kind telemetry in.csv | featurize --windows 1 >out.fl
	# The row of an hour is stamped with its end.
	decode -q --kind feature <out.fl |
		jq -r '[(.ts | fromdate - 3600 | todate[0:13]), .battery, .v_mean_v, .t_mean_c, .r_mean_mohm, .count] | @csv' |
		tr -d '"' | awk -F, '{ printf "%s,%s,%.4f,%.3f,%.4f,%d\n", $1, $2, $3, $4, $5, $6 }' | sort >got
	[ "$(wc -l <want)" -eq 1728 ]
	# Rounding may differ in the last digit.
	paste -d, want got | awk -F, '
		function off(a, b) { return a > b ? a - b : b - a }
		$1 != $7 || $2 != $8 || $6 != $12 || off($3, $9) > 0.00011 ||
			off($4, $10) > 0.0011 || off($5, $11) > 0.00011 { print; bad = 1 }
		END { exit bad }'
}

@test "the features of the classic data set are found again, to their rounding" {
	data_dir classic-90d
	zcat "$DATA/telemetry_jar_raw.csv.gz" | head -34561 |
		awk -F, -v OFS=, 'NR == 1 { print "ts", "battery", "voltage_v", "temperature_c", "resistance_mohm"; next }
			{ sub(/ /, "T", $1); print $1 "Z", $2, $3, $4, $5 }' >in.csv
	encode -q --csv --kind telemetry in.csv | featurize --windows 1 |
		decode -q --csv --kind feature --fields ts,battery,v_mean_v,v_std_v,v_min_v,v_max_v,t_mean_c,t_max_c,r_latest_mohm |
		sed 's/T\(.*\)Z,/ \1,/' | sort >ours
	zcat "$DATA/feature_store.csv.gz" | cut -d, -f1,2,4-7,9,10,12 | sort >theirs
	join -t $'\t' <(sed 's/,/\t/2' ours) <(sed 's/,/\t/2' theirs) | tr '\t' ',' >both
	[ "$(wc -l <both)" -ge 48 ]
	awk -F, 'function off(a, b) { return a > b ? a - b : b - a }
		off($3, $10) > 0.00051 || off($4, $11) > 0.000051 || off($5, $12) > 1e-5 ||
			off($6, $13) > 1e-5 || off($7, $14) > 0.051 || off($8, $15) > 1e-5 ||
			off($9, $16) > 1e-5 { print; bad = 1 }
		END { exit bad }' both
}

@test "the manual page defines every feature, with its unit" {
	awk -F'[(,"]' '/FIELD\(feature,/ {
			gsub(/ /, "", $3)
			if ($3 !~ /^(ts|battery|unit|window_h)$/)
				print ".It Li " $3 ($6 == "" ? "" : " Pq " $6) }' \
		"$ROOT/schemas/records.def" | sort >want
	grep '^\.It Li ' "$ROOT/man/floatline-featurize.1" | sort >got
	[ "$(wc -l <want)" -gt 40 ]
	diff want got
}

@test "capacity tests, the float current and discharges enter the features" {
	{
		echo '{"kind":"battery_model","name":"M","capacity_ah":120}'
		for jar in 1 2; do
			echo '{"kind":"battery","code":"DC-CNX-01-UPS-01-S1-J0'$jar'","model":"M"}'
		done
		echo '{"kind":"capacity_test","ts":"2026-02-28T12:00:00Z","subject":"DC-CNX-01-UPS-01-S1","pct_of_rated":91}'
		echo '{"kind":"capacity_test","ts":"2026-02-28T12:00:00Z","subject":"DC-CNX-01-UPS-01-S1-J02","pct_of_rated":84}'
		# An hour on float, two of discharge at 12 A, one on float.
		awk 'BEGIN { for (i = 0; i <= 250; i++) {
			ts = sprintf("2026-03-01T%02d:%02d:00Z", i / 60, i % 60)
			on = i >= 60 && i < 180
			printf "{\"kind\":\"string_telemetry\",\"ts\":\"%s\",\"string\":\"DC-CNX-01-UPS-01-S1\",\"current_a\":%s,\"float_current_a\":%s,\"mode\":\"%s\"}\n", ts, on ? -12 : 0.05, on ? "null" : 0.05, on ? "discharge" : "float"
			for (j = 1; j <= 2; j++)
				printf "{\"kind\":\"telemetry\",\"ts\":\"%s\",\"battery\":\"DC-CNX-01-UPS-01-S1-J0%d\",\"voltage_v\":%s,\"temperature_c\":%d}\n", ts, j, on ? 12.5 - 0.2 * j : 13.6, j == 1 ? 25 : 35
		} }'
	} | encode -q | featurize --windows 1 >out.fl
	rows ts,battery,float_current_ma,discharge_imbalance_v,capacity_test_pct,capacity_test_days |
		sed 's/DC-CNX-01-UPS-01-S1-//; s/2026-03-01T//' | sort >got
	# exp(-0.06 * 10) = 0.5488; the first hour of discharge ends with 12 Ah missing
	diff - got <<-END
		01:00:00Z,J01,50,,91,0.5416667
		01:00:00Z,J02,27.440582,,84,0.5416667
		02:00:00Z,J01,,0.1,91,0.5833333
		02:00:00Z,J02,,-0.1,84,0.5833333
		03:00:00Z,J01,,0.1,91,0.625
		03:00:00Z,J02,,-0.1,84,0.625
		04:00:00Z,J01,50,0.1,91,0.6666667
		04:00:00Z,J02,27.440582,-0.1,84,0.6666667
	END
}

@test "the discharge of a field battery is counted whole, though its columns come in turns" {
	data_dir bboxx
	ingest -q --mapping "$ROOT/schemas/mappings/bboxx.ini" "$DATA"/telemetry_*.csv |
		featurize --windows 24 --every 1d >out.fl
	# 19.74 Ah on the first day, by integrating the current column alone.
	rows ts,ah_out,discharge_events | awk -F, '{ print }
		NR == 1 { good = $1 == "2017-03-26T00:00:00Z" && $2 > 19.7 && $2 < 19.78 && $3 == 1 }
		END { exit !good }'
}

@test "state is bounded: at most 12 KiB a battery, whatever the windows" {
	local windows
	foreign_stream 240 >in.fl
	for windows in 1 1,24 24,168 168,720 1,24,168,720; do
		featurize --windows $windows --metrics m -i in.fl >out.fl
		awk '$1 == "floatline_featurize_batteries" { b = $2 == 24 }
			$1 == "floatline_featurize_state_bytes_per_battery" { s = $2 > 0 && $2 <= 12 * 1024 }
			$1 == "floatline_featurize_early_samples" { e = $2 == 0 }
			END { exit !(b && s && e) }' m
	done
}

@test "samples too many for the lateness are counted all the same, and told of" {
	awk 'BEGIN { for (i = 0; i < 4000; i++)
		printf "{\"kind\":\"telemetry\",\"ts\":\"2026-03-01T%02d:%02d:%02dZ\",\"battery\":\"LAB-1\",\"voltage_v\":13.6}\n", i / 3600, i / 60 % 60, i % 60 }' |
		encode -q >in.fl
	try featurize --lateness 10m --windows 1 --metrics m -i in.fl -o out.fl
	assert_status 0
	assert_stderr '^featurize: 3699 samples could not wait as long as --lateness'
	grep -qx 'floatline_featurize_early_samples 3699' m
	[ "$(rows count)" = 3600 ]
	try featurize --windows 1 -i in.fl -o out.fl
	! grep -q lateness "$ERR"
}

@test "a closed pipe ends it quietly" {
	foreign_stream 48000 >in.fl
	# shellcheck disable=SC2016
	try bash -c 'featurize <in.fl | head -c 1 >x; exit ${PIPESTATUS[0]}'
	assert_status 141
	[ ! -s "$ERR" ]
}

@test "a full disk is status 3 with one message" {
	foreign_stream 4800 >in.fl
	try bash -c 'featurize -q <in.fl >/dev/full'
	assert_status 3
	assert_stderr "featurize: cannot write '<stdout>'"
}

@test "empty input is a truncated stream: status 1" {
	try featurize -i /dev/null
	assert_status 1
	assert_stderr truncated
	encode -q </dev/null >empty.fl
	try featurize -i empty.fl
	assert_status 0
}

@test "a stream cut off gives what it can, and status 1" {
	foreign_stream 4800 >in.fl
	head -c 100000 in.fl >cut.fl
	try featurize -i cut.fl -o out.fl
	assert_status 1
	assert_stderr truncated
	[ "$(records_of feature out.fl)" -gt 24 ]
}

@test "absurd options are status 2 with one line, before anything is read" {
	local o
	for o in '--windows 0' '--windows 25' '--windows 1,1' '--windows ,' '--windows 1,2,3,4,5' \
		'--every 2h' '--every x' '--lateness 7h' '--lateness -1s' '--max-gap 0s' \
		'--max-gap 2d' 'file.csv' '--window 3'; do
		# shellcheck disable=SC2086
		try featurize $o </dev/null
		assert_status 2
		assert_one_line_stderr '^featurize: '
	done
}

# A world of its own: jars without a current of their own, their string's telemetry, a
# room sensor, master records and a replacement, as NDJSON.
world() {
	awk 'BEGIN {
		print "{\"kind\":\"battery_model\",\"name\":\"HX12-120\",\"capacity_ah\":120,\"float_min_v\":13.5,\"float_max_v\":13.8}"
		for (j = 1; j <= 3; j++)
			printf "{\"kind\":\"battery\",\"code\":\"DC-CNX-01-UPS-01-S1-J0%d\",\"model\":\"HX12-120\",\"installed\":\"2025-01-01T00:00:00Z\"}\n", j
		for (i = 0; i < 1800; i++) {
			ts = sprintf("2026-03-%02dT%02d:%02d:00Z", 1 + i / 1440, i / 60 % 24, i % 60)
			printf "{\"kind\":\"environment\",\"ts\":\"%s\",\"sensor\":\"DC-CNX-01-ENV01\",\"temperature_c\":%.1f}\n", ts, 22 + i % 7 / 10
			printf "{\"kind\":\"string_telemetry\",\"ts\":\"%s\",\"string\":\"DC-CNX-01-UPS-01-S1\",\"current_a\":%d,\"mode\":\"%s\",\"ripple_voltage_rms_v\":0.%d}\n", ts, i % 200 < 20 ? -60 : 5, i % 200 < 20 ? "discharge" : "float", i % 9
			for (j = 1; j <= 3; j++)
				printf "{\"kind\":\"telemetry\",\"ts\":\"%s\",\"battery\":\"DC-CNX-01-UPS-01-S1-J0%d\",\"voltage_v\":%.3f,\"temperature_c\":%.1f,\"resistance_mohm\":%.3f}\n", ts, j, 13.4 + i * j % 11 / 20, 25 + i % 13, 4 + i * j % 17 / 100
			if (i == 700)
				printf "{\"kind\":\"event\",\"event_id\":\"e\",\"ts\":\"%s\",\"subject\":\"DC-CNX-01-UPS-01-S1-J02\",\"type\":\"replacement\",\"status\":\"completed\"}\n", ts
		}
	}'
}

@test "stopped and started with --state, it goes on as if never stopped" {
	local cut options
	world >world.json
	for options in '--windows 1,24' '--windows 2,24,168 --lateness 20m'; do
		# shellcheck disable=SC2086
		encode -q world.json | featurize $options --state whole | decode -q --kind feature >want
		[ "$(wc -l <want)" -gt 100 ]
		for cut in 1 3 4 5 9 1000 1003 3505 3506 3507 8990; do
			rm -rf parts
			head -$cut world.json | encode -q | featurize $options --state parts |
				decode -q --kind feature >got
			tail -n +$((cut + 1)) world.json | encode -q |
				featurize $options --state parts | decode -q --kind feature >>got
			cmp want got
		done
		rm -rf whole
	done
	# the same again adds nothing: it is all late
	encode -q world.json | featurize --windows 2,24,168 --lateness 20m --state parts >out.fl
	[ "$(records_of feature out.fl)" -eq 0 ]
	[ "$(ls parts)" = featurize ]
}

@test "a state of other options, of another run, or damaged, is refused" {
	samples 120 >in.json
	encode -q <in.json | featurize --state s >out.fl
	encode -q <in.json >in.fl
	try featurize --state s --windows 1 -i in.fl
	assert_status 2
	assert_stderr "^featurize: --state 's': the state was kept"
	encode -q --run other <in.json >other.fl
	try featurize --state s -i other.fl
	assert_status 2
	cp s/featurize good
	printf 'x' | dd of=s/featurize bs=1 seek=900 conv=notrunc status=none
	cp s/featurize damaged
	try featurize --state s -i in.fl
	assert_status 3
	assert_stderr "damaged"
	cmp s/featurize damaged # not replaced
	head -c 5 good >s/featurize
	try featurize --state s -i in.fl
	assert_status 3
}

@test "what could not be written leaves the old state" {
	samples 120 | encode -q | featurize --state s >out.fl
	cp s/featurize before
	samples 240 | encode -q >in.fl
	try bash -c 'featurize --state s <in.fl >/dev/full'
	assert_status 3
	cmp before s/featurize
	try featurize --state /dev/null/s -i in.fl -o out.fl
	assert_status 3
	assert_stderr "/dev/null/s"
}
