load helper
# ingest on real data, where it is at hand.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

fields() {
	decode -q --csv --no-header --kind "${2:-telemetry}" --fields "$1"
}

@test "bboxx: discharge is negative here, temperature is carried for 15 minutes" {
	data_dir bboxx >/dev/null
	file=$DATA/telemetry_861508033133471_2017-03-26_2017-03-26.csv
	try ingest "$file" -o out.fl
	assert_status 0
	[ "$(records_of telemetry out.fl)" -eq $(($(wc -l <"$file") - 1)) ]
	# The deepest discharge of the file: 2.55 A out.
	[ "$(fields current_a <out.fl | awk '$1 != "" && $1 < m { m = $1 } END { print (m < -2.5 && m > -2.6) }')" = 1 ]
	fields battery <out.fl | sort -u | grep -qx BBOXX-861508033133471-LAB-01-S1-J01
	decode -q --kind telemetry <out.fl >out.json
	jq -e 'select(.quality | index("interpolated")) | select(.temperature_c == null)' out.json && return 1
	jq -se 'map(select(.quality | index("interpolated"))) | length > 100' out.json
	# No voltage is made up: as many as the file has.
	[ "$(fields voltage_v <out.fl | grep -c .)" -eq "$(cut -d, -f2 "$file" | tail -n +2 | grep -c .)" ]
}

@test "ub121000: every row, charge positive, the glitch flagged or kept" {
	data_dir ub121000 >/dev/null
	ingest -q "$DATA/ub121000.csv" >out.fl
	[ "$(records_of telemetry out.fl)" -eq 16417 ]
	[ "$(fields current_a <out.fl | awk '$1 > m { m = $1 } $1 < n { n = $1 } END { print (m > 31 && m < 32 && n < -9.9) }')" = 1 ]
}

@test "lead-acid-discharge: a row is a minute, discharge is negative, 9 V is believed" {
	data_dir lead-acid-discharge >/dev/null
	for file in "$DATA"/test_*.csv; do
		rows=$(($(grep -c . "$file") - 1))
		ingest -q --reject bad.json "$file" >out.fl
		[ "$(records_of telemetry out.fl)" -eq "$rows" ]
		[ ! -s bad.json ]
	done
	ingest -q "$DATA/test_11.csv" | fields ts,voltage_v,current_a,mode | tail -1 |
		grep -q '^2000-01-01T05:11:00Z,9.07,-9.2,discharge'
}

@test "nasa: a cycle is a capacity test, end of life at 70 % of 2 Ah" {
	data_dir nasa >/dev/null
	ingest -q "$DATA/B0005.csv" >out.fl
	[ "$(records_of capacity_test out.fl)" -eq 168 ]
	[ "$(fields measured_capacity_ah,pct_of_rated capacity_test <out.fl | head -1)" = 1.8564874,92.82437 ]
	# B0005 first falls below 1.4 Ah after some 125 cycles (Saha and Goebel).
	n=$(fields pct_of_rated capacity_test <out.fl | awk '$1 < 70 { print NR; exit }')
	[ "$n" -gt 115 ] && [ "$n" -lt 135 ]
}

@test "classic: every one of 3,110,400 and 129,600 rows is accounted for" {
	data_dir classic-90d >/dev/null
	try ingest --ledger ledger --reject bad.json "$DATA" -o out.fl
	assert_status 0
	assert_stderr 'telemetry_jar_raw.csv.gz: 3110400 rows = 3110400 used'
	assert_stderr 'telemetry_string_raw.csv.gz: 129600 rows = 129600 used'
	assert_stderr 'alert.csv: 200 rows = 0 used \+ 0 rejected \+ 200 ignored'
	assert_stderr 'feature_store.csv.gz: 6480 rows'
	assert_stderr 'rul_prediction.csv: 624 rows'
	ledger_balances ledger
	# An independent reader counts the same, in order of time, with current and mode.
	$PYTHON - <<-'END'
		import msgpack, collections
		n, last, fields = collections.Counter(), 0, {}
		for r in msgpack.Unpacker(open("out.fl", "rb"), max_buffer_size=1 << 28):
		    if r[0] == 0:
		        fields[r[1]] = [f[0] for f in r[4]]
		        continue
		    n[r[0]] += 1
		    if r[0] in (1, 2, 4, 20, 21):
		        ts = r[1 + fields[r[0]].index("ts")]
		        assert ts >= last
		        last = ts
		    if r[0] == 1 and n[1] == 1:
		        first = dict(zip(fields[1], r[1:]))
		assert n[1] == 3110400 and n[2] == 129600 and n[4] == 98 and n[21] == 24 and n[20] == 1, n
		assert n[5] == 24 and n[6] == 9 and n[9] == 2 and n[10] == 24, n
		assert first["ts"] == 1787590800000 and first["battery"] == "DC-CNX-01-REC-01-S1-J01", first
		assert abs(first["current_a"] - 0.59) < 1e-6 and first["mode"] == 0, first
	END
}

@test "classic: model records carry physical limits, tests their results" {
	data_dir classic-90d >/dev/null
	ingest -q -n 61 "$DATA" >head.fl
	decode -q --kind battery_model <head.fl |
		jq -se 'length == 2 and all(.voltage_hard_min_v == 8 and .voltage_hard_max_v == 16)'
	decode -q --kind battery <head.fl | jq -se '(map(select(.model == "HX12-120")) | length) == 21 and length == 24 and all(.string == "DC-CNX-01-REC-01-S1")'
}

@test "what --guess prints for each data set works" {
	data_dir >/dev/null
	for file in bboxx/telemetry_861508033133471_2017-03-25_2017-03-25.csv ub121000/ub121000.csv \
		lead-acid-discharge/test_1.csv nasa/B0005.csv classic-90d/telemetry_jar_raw.csv.gz; do
		ingest --guess "$DATA/$file" >g.ini
		ingest -q -n 100 -m g.ini "$DATA/$file" >out.fl
		[ "$(records_of telemetry out.fl)" -eq 100 ]
	done
	ingest --guess "$DATA/lead-acid-discharge/test_1.csv" | grep -q '^Current = current_a \* -1'
	ingest --guess "$DATA/bboxx/telemetry_861508033133471_2017-03-26_2017-03-26.csv" |
		grep -q '^current = current_a \* -1'
	ingest --guess "$DATA/ub121000/ub121000.csv" | grep -qx 'current_a = current_a'
}
