load helper
# Dataset directories written: 'simulate --dataset', 'decode --dataset', and read back.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
}

FILES="location battery_model battery_system string battery environmental_sensor
	telemetry_jar_raw telemetry_jar_calc telemetry_string_raw telemetry_string_calc
	telemetry_env feature_store maintenance_event capacity_test_raw capacity_test_calc
	impedance_measurement_raw impedance_measurement_calc alert rul_prediction"

show() {
	case $1 in *.gz) zcat "$1" ;; *) cat "$1" ;; esac
}

# Two streams have the same records, but for what the layout has no column for:
# same.py A B. Events: their last word, by id; their time is their completion.
compare() {
	$PYTHON - "$1" "$2" <<-'END'
		import json, sys

		LACKING = {"quality", "float_current_a", "outdoor_temperature_c", "temp_offset_c",
		           "humidity_offset_pct", "outages_per_year", "design_load_a",
		           "required_autonomy_min", "value"}
		DROPPED = {"maintenance_window", "origin", "end"}

		def records(path):
		    kinds, events = {}, {}
		    for line in open(path):
		        r = json.loads(line)
		        kind = r.pop("kind")
		        if kind in DROPPED or kind == "capacity_test" and "-J" in r["subject"]:
		            continue
		        for name in LACKING:
		            r.pop(name, None)
		        if kind == "event":
		            start = r["scheduled_ts"] or r["ts"]
		            done = r["end_ts"] or (r["ts"] if r["status"] == "completed" else None)
		            r.update(ts=done or start, scheduled_ts=start, end_ts=done)
		            events[r["event_id"]] = r
		        else:
		            kinds.setdefault(kind, []).append(r)
		    kinds["event"] = sorted(events.values(), key=lambda e: e["event_id"])
		    return kinds

		def same(a, b):
		    if isinstance(a, float) or isinstance(b, float):
		        return a is not None and b is not None and abs(a - b) <= 0.00051
		    return a == b

		a, b = records(sys.argv[1]), records(sys.argv[2])
		assert a.keys() == b.keys(), (a.keys(), b.keys())
		for kind in a:
		    assert len(a[kind]) == len(b[kind]), (kind, len(a[kind]), len(b[kind]))
		    for x, y in zip(a[kind], b[kind]):
		        assert all(same(x[f], y[f]) for f in x), (kind, x, y)
		print({kind: len(v) for kind, v in a.items()})
	END
}

@test "simulate --dataset writes every file of the layout, beside the same stream" {
	simulate -q --batteries 3 --days 0.1 >plain.fl
	try simulate --batteries 3 --days 0.1 --dataset set -o with.fl
	assert_status 0
	assert_stderr "dataset 'set' is written; its data quality report says pass"
	cmp plain.fl with.fl
	for f in $FILES; do
		[ -s "set/$f.csv" ] || gzip -t "set/$f.csv.gz"
	done
	jq -e 'length == 3 and (to_entries[0].value | .battery_code == "DC-CNX-01-REC-01-S1-J01"
		and .truth.soh_pct > 50 and (.truth | has("rul_days")))' set/battery_states.json
	tail -n 1 set/data_quality_report.txt | grep '^pass: '
	# A folder per dataset, nothing left beside it.
	[ "$(find . -maxdepth 1 -type d | wc -l)" -eq 2 ]
}

@test "the columns are those of the classic generator" {
	data_dir classic-90d
	simulate -q --batteries 3 --days 0.01 --dataset set -o /dev/null
	for theirs in "$DATA"/*.csv "$DATA"/*.csv.gz; do
		ours=set/${theirs##*/}
		[ "$(show "$theirs" 2>/dev/null | head -1)" = "$(show "$ours" 2>/dev/null | head -1)" ] ||
			fail "${theirs##*/}: $(show "$ours" | head -1)"
	done
}

@test "what is written is read back: every record, to three decimals" {
	# Half a year has tests, equalising, outages, and a block that is replaced.
	simulate -q --batteries 24 --days 200 --interval 1h --seed 1 --dataset set -o a.fl
	try ingest --reject bad.json set -o b.fl
	assert_status 0
	[ ! -s bad.json ] || fail "$(head -3 bad.json)"
	decode -q <a.fl >a.json
	decode -q <b.fl >b.json
	[ "$(jq -c 'select(.kind == "battery")' b.json | wc -l)" -eq 25 ]
	[ "$(jq -c 'select(.kind == "event" and .type == "replacement")' b.json | wc -l)" -ge 1 ]
	compare a.json b.json
}

@test "soc and soh of a sample are the truth of that moment" {
	simulate -q --batteries 2 --days 0.1 --truth --truth-interval 1m --dataset set |
		decode -q --kind truth --csv --fields soc_pct,soh_pct | tail -n +2 >truth.csv
	zcat set/telemetry_jar_raw.csv.gz | tail -n +2 | cut -d, -f7,8 >raw.csv
	zcat set/telemetry_jar_calc.csv.gz | tail -n +2 | cut -d, -f3,4 >calc.csv
	cmp raw.csv calc.csv
	paste -d, truth.csv raw.csv | awk -F, '{ n++ }
		($1 - $3) ^ 2 > 1e-6 || ($2 - $4) ^ 2 > 1e-6 { bad++ }
		END { exit !(n == 288 && bad == 0) }'
}

@test "the same options give the same dataset, on one thread or two" {
	simulate -q --batteries 48 --days 0.2 --dataset a -o /dev/null
	simulate -q --batteries 48 --days 0.2 --jobs 2 --dataset b -o /dev/null
	diff -r a b
}

@test "a pipeline's dataset has its features, estimates, predictions and alerts" {
	simulate -q --batteries 24 --days 1 --truth --truth-interval 1h --interval 5m \
		--scenario power_outage:DC-CNX-01:start=+10h:duration=20m |
		featurize -q | twin -q | predict -q 2>/dev/null | alert -q >s.fl
	decode --ledger ledger --dataset set <s.fl
	ledger_balances ledger
	for f in feature_store rul_prediction alert telemetry_jar_calc; do
		file=$(echo set/$f.csv*)
		[ "$(show "$file" | wc -l)" -gt 10 ] || fail "$f: $(show "$file" | wc -l)"
	done
	# Estimates, not the truth that is in the stream as well.
	decode -q --kind twin_state --csv --no-header --fields soc_pct,soh_pct <s.fl >twin.csv
	zcat set/telemetry_jar_calc.csv.gz | tail -n +2 | cut -d, -f3,4 | paste -d, twin.csv - |
		awk -F, 'NF != 4 || ($1 - $3) ^ 2 > 3e-7 || ($2 - $4) ^ 2 > 3e-7 { bad++ }
			END { exit !(NR > 24 && bad == 0) }'
	jq -e 'all(.[]; .twin.soh_pct > 0 and .truth.soh_pct > 0 and .rul_days >= 0)' set/battery_states.json
	try report --quality set
	assert_status 0
	try ingest -q --reject bad.json set -o back.fl
	assert_status 0
	[ ! -s bad.json ]
}

@test "a battery that only samples name has a row, and so have its parents" {
	foreign_stream 48 | decode -q --dataset set
	[ "$(tail -n +2 set/battery.csv | wc -l)" -eq 24 ]
	[ "$(tail -n +2 set/location.csv | cut -d, -f2)" = DC-CNX-01 ]
	report --quality set --json >r.json || true
	jq -e '.checks[] | select(.check == "references") | .found == 0 and .checked > 48' r.json
}

@test "a dataset is never written over what is there" {
	mkdir full empty
	echo mine >full/notes
	try simulate -q --batteries 1 --days 0.01 --dataset full -o /dev/null
	assert_status 2
	assert_one_line_stderr "simulate: 'full' is there and not an empty folder: name a new one"
	[ "$(ls -A full)" = notes ]
	simulate -q --batteries 1 --days 0.01 --dataset empty/ -o /dev/null
	[ -s empty/battery.csv ]
	try simulate -q --batteries 1 --days 0.01 --dataset no/such/place -o /dev/null
	assert_status 3
	assert_one_line_stderr "'no/such/place'"
	ln -s empty link
	echo >file
	for d in link file . .. / empty/..; do
		try simulate -q --batteries 1 --days 0.01 --dataset $d -o /dev/null
		assert_status 2
		assert_one_line_stderr "name a new"
	done
	try simulate -q --live --dataset d
	assert_status 2
	try simulate -q -n 10 --dataset d -o /dev/null
	assert_status 2
	try decode -q --csv --dataset d </dev/null
	assert_status 2
	assert_one_line_stderr "leave --ndjson"
}

@test "a full disk: status 3, one line, no half dataset" {
	# A file may grow to 64 KiB only, as if the disk were full then.
	for p in "simulate -q --batteries 24 --days 0.5 --dataset set -o /dev/null" \
		"decode -q --dataset set <s.fl"; do
		simulate -q --batteries 24 --days 0.5 -o s.fl
		try bash -c "trap '' XFSZ; ulimit -f 64; $p"
		assert_status 3
		assert_one_line_stderr "cannot write '.*telemetry_jar_raw.csv.gz': File too large"
		rm s.fl
		[ -z "$(find . -mindepth 1 ! -name 'std*')" ] || fail "left: $(ls -A)"
	done
}

@test "a signal before the output is open leaves nothing of a dataset" {
	local p got
	mkfifo pipe
	for p in "simulate -q --batteries 24 --days 30 --dataset gone -o pipe" \
		"decode -q --dataset gone -i pipe"; do
		$p &
		source=$!
		# Nobody is at the other end of the pipe: there it sleeps.
		wait_until 60 grep -Eq '^[0-9]+ \((simulate|decode)\) S' "/proc/$source/stat"
		kill -TERM "$source"
		got=0
		wait "$source" || got=$?
		[ "$got" -eq 143 ] # it had not begun
		[ "$(ls)" = pipe ] || fail "$p left: $(ls)"
	done
}

@test "a reader that leaves does not take the dataset with it" {
	try bash -c "simulate -q --batteries 24 --days 3 --dataset set | head -c 100 >/dev/null;
		exit \${PIPESTATUS[0]}"
	assert_status 3
	assert_one_line_stderr "Broken pipe; going on without it"
	simulate -q --batteries 24 --days 3 --dataset whole -o /dev/null
	diff -r set whole
	[ "$(find . -maxdepth 1 -type d | wc -l)" -eq 3 ]
}

@test "a stream that was cut off or interrupted gives no dataset" {
	simulate -q --batteries 24 --days 0.1 >s.fl
	head -c 100000 s.fl >cut.fl
	try decode -q --dataset set -i cut.fl
	assert_status 1
	assert_stderr "cut off or interrupted: the dataset 'set' was not written"
	[ ! -e set ]
	decode -q --allow-truncated --dataset set -i <(head -c 100000 s.fl) 2>/dev/null || true
	mkfifo pipe
	simulate -q --batteries 24 --days 30 --dataset gone -o pipe 2>err &
	source=$!
	head -c 1000000 pipe >got &
	reader=$!
	wait_until 60 bash -c 'ls gone.partial.*/telemetry* >/dev/null 2>&1'
	wait_until 60 test -s got # before it writes a signal simply ends it
	kill -TERM "$source"
	status=0
	wait "$source" || status=$?
	wait "$reader" || true
	[ "$status" -ne 0 ]
	[ ! -e gone ]
	[ -z "$(find . -maxdepth 1 -name 'gone.partial.*')" ]
}
