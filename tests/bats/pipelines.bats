load helper

# The scripts people start from, on small inputs.

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	P=$ROOT/pipelines
}

# A dataset in the classic layout with the first rows of the real one.
small_dataset() {
	data_dir classic-90d >/dev/null
	mkdir -p set
	for f in "$DATA"/*.csv; do head -n 2000 "$f" >"set/${f##*/}"; done
	gzip -dc "$DATA/telemetry_jar_raw.csv.gz" | head -n 48001 >set/telemetry_jar_raw.csv
	gzip -dc "$DATA/telemetry_string_raw.csv.gz" | head -n 2001 >set/telemetry_string_raw.csv
}

# All rows of a SQLite database, as a checksum.
checksum() {
	sqlite3 "$1" .dump | sort | sha256sum
}

@test "each script is short, and says how it is used" {
	for f in "$P"/*.sh; do
		limit=25
		case $f in */nasa.sh | */validate* | */evaluate.sh) limit=120 ;; */retrain.sh) limit=80 ;; */live.sh) limit=45 ;; */demo-live.sh) limit=130 ;; esac # they measure, or have options
		[ "$(wc -l <"$f")" -le $limit ] || fail "$f is long"
		grep -q '^set -.*o pipefail' "$f" || fail "$f: no pipefail"
		sed -n '2,5p' "$f" | grep -q "^#   ${f##*/}" || fail "$f: no usage line"
	done
	for f in train evaluate load-dataset make-dataset nightly live retrain; do
		status=0
		out=$("$P/$f.sh") || status=$?
		assert_status 2
		[[ $out == *"$f.sh "* ]] || fail "$f.sh does not say how it is used: $out"
	done
}

@test "load-dataset accounts for every row, and a second time changes nothing" {
	small_dataset
	run "$P/load-dataset.sh" set sqlite:t.db
	assert_status 0
	[ "${lines[-1]}" = balanced ]
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -eq 48000 ]
	[ "$(sqlite3 t.db 'select count(*) from string_telemetry')" -eq 2000 ]
	[ "$(sqlite3 t.db 'select count(*) from twin_state')" -gt 0 ]
	first=$(checksum t.db)
	"$P/load-dataset.sh" set sqlite:t.db
	[ "$(checksum t.db)" = "$first" ]
}

# bats test_tags=slow
@test "load-dataset stores the whole classic dataset, and its alerts call the float voltages impossible" {
	data_dir classic-90d >/dev/null
	run "$P/load-dataset.sh" "$DATA" sqlite:t.db
	assert_status 0
	[ "${lines[-1]}" = balanced ]
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -eq 3110400 ]
	[ "$(sqlite3 t.db 'select count(*) from string_telemetry')" -eq 129600 ]
	sqlite3 t.db "select severity || ' ' || message from alert where rule = 'string-float-impossible'" |
		grep -q '^critical DC-CNX-01-REC-01-S1: mean float voltage 12.7[0-9]* V per jar is impossible on float'
}

@test "make-dataset makes one that load-dataset takes" {
	try "$P/make-dataset.sh" made - --batteries 24 --days 0.5 --interval 5m
	assert_status 0
	assert_stderr "^decode: dataset 'made' is written"
	for f in feature_store.csv.gz rul_prediction.csv; do
		[ "$(zcat -f made/$f | wc -l)" -gt 24 ] || fail "$f: $(zcat -f made/$f | wc -l)"
	done
	run "$P/load-dataset.sh" made sqlite:t.db
	assert_status 0
	[ "${lines[-1]}" = balanced ]
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -eq $((144 * 24)) ]
	try "$P/make-dataset.sh" made nowhere
	assert_status 2
	assert_one_line_stderr "no model in 'nowhere'"
}

@test "nightly writes a log line, and a second run at the same time is refused" {
	small_dataset
	"$P/nightly.sh" set sqlite:t.db log
	[ "$(wc -l <log)" -eq 1 ]
	grep -Eq '^[0-9T:-]+Z set into sqlite:t.db: status 0, [0-9]+ s, balanced$' log
	exec 8>log.lock
	flock 8
	status=0
	"$P/nightly.sh" set sqlite:t.db log 2>err || status=$?
	assert_status 3
	grep -q 'another run has the lock' err
}

@test "nightly says that it cannot write its lock" {
	try "$P/nightly.sh" set sqlite:t.db no-such-folder/log
	assert_status 3
	assert_stderr "^nightly: cannot write the lock 'no-such-folder/log.lock'$"
	! grep -q 'another run' "$ERR"
}

@test "nightly from cron: no environment, from /, twice, through a symlink" {
	small_dataset
	ln -s "$P/nightly.sh" nightly
	for script in "$P/nightly.sh" "$PWD/nightly"; do
		(cd / && env -i PATH=/usr/bin:/bin HOME=/ "$script" "$BATS_TEST_TMPDIR/set" \
			"sqlite:$BATS_TEST_TMPDIR/t.db" "$BATS_TEST_TMPDIR/log") || fail "$script: $(cat log.last)"
		checksum t.db >>sums
	done
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -eq 48000 ]
	[ "$(wc -l <sums)" -eq 2 ] && [ "$(sort -u sums | wc -l)" -eq 1 ]
	[ "$(grep -c 'status 0, .*balanced$' log)" -eq 2 ]
}

@test "a folder without a model is refused before anything is read" {
	mkdir empty
	for model in empty no-such-model; do
		try "$P/load-dataset.sh" set sqlite:t.db $model
		assert_status 2
		assert_one_line_stderr "^load-dataset: no model in '$model'$"
		try timeout 20 "$P/live.sh" --bind ipc://b.sock --model $model sqlite:t.db
		assert_status 2
		assert_one_line_stderr "^live: no model in '$model'$"
	done
	[ ! -e t.db ]
}

@test "live and the live demo say their options, and refuse others in one line" {
	for f in live demo-live; do
		try "$P/$f.sh" --help
		assert_status 0
		sed -n 's/^#   --\([a-z]*\).*/\1/p' "$P/$f.sh" >options
		[ "$(wc -l <options)" -ge 4 ]
		while read -r option; do
			grep -q -- "^  *--$option " "$OUT" || fail "$f: --$option is not in the help"
			grep -Eq "^words=.*[ ,]$option:?[, ]" "$P/$f.sh" || fail "$f: --$option is not taken"
		done <options
		try "$P/$f.sh" --frob x
		assert_status 2
		assert_one_line_stderr "^$f: "
	done
	try "$P/live.sh" a b
	assert_status 2
}

@test "the demo shows why training failed" {
	mkdir -p copy/pipelines copy/bin
	cp "$P"/*.sh copy/pipelines/
	printf '#!/bin/sh\necho "floatline: no such thing" >&2; exit 3\n' >copy/bin/floatline
	chmod +x copy/bin/floatline
	try env PATH="$PWD/copy/bin:/usr/bin:/bin" copy/pipelines/demo.sh d
	assert_status 3
	assert_stderr '^floatline: no such thing$'
}

@test "nightly passes on the status of what failed, and says it in the log" {
	status=0
	"$P/nightly.sh" no-such-folder sqlite:t.db log 2>err || status=$?
	[ "$status" -ne 0 ]
	grep -q "status $status" log
	grep -q 'no-such-folder' err
}

# bats test_tags=slow
@test "train makes a model that predict takes" {
	"$P/train.sh" model 72 60 2>err || fail "$(cat err)"
	[ -s model/model.json ]
	simulate -q --batteries 24 --days 20 --interval 1h | featurize -q | twin -q |
		predict -q --model model | decode -q --kind rul >rul
	[ "$(jq -r 'select(.source == "ml") | .battery' rul | sort -u | wc -l)" -eq 24 ]
}

@test "train holds out whole sites, one for each string" {
	"$P/train.sh" model 288 3 2>err || fail "$(cat err)"
	jq -e '.split | .by == "site" and ([.[] | objects | .groups] | add) == 12 and ([.[] | objects | .batteries] | add) == 288' \
		model/model.json || fail "$(jq .split model/model.json)"
}

@test "the subscriber is twenty lines" {
	[ "$(wc -l <"$P/examples/subscribe.py")" -le 20 ]
	[ "$(wc -L <"$P/examples/subscribe.py")" -le 100 ]
}

@test "a signal to live alone ends the pipeline from its source on" {
	for signal in TERM INT; do
		rm -f b.sock t.db* got
		# A shell's background jobs ignore INT from birth; a script cannot change that.
		$PYTHON -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])' \
			"$P/live.sh" --bind ipc://b.sock sqlite:t.db 2>err &
		live=$!
		timeout 60 "$P/examples/subscribe.py" ipc://b.sock telemetry/ >got 2>lost &
		subscriber=$!
		wait_for_file got 30
		kill -"$signal" "$live"
		wait_for_exit "$live" 30
		wait "$live" || fail "$signal: status $?: $(cat err)"
		wait "$subscriber" # it saw the end record
		grep -q '^simulate: .*interrupted' err || fail "$signal: $(cat err)"
	done
}

@test "live publishes and stores until it is told to stop, and loses nothing" {
	port=$(free_port)
	setsid "$P/live.sh" --bind "tcp://127.0.0.1:$port" sqlite:t.db 2>err &
	live=$!
	timeout 60 "$P/examples/subscribe.py" "tcp://127.0.0.1:$port" telemetry/ >got 2>lost &
	subscriber=$!
	wait_for_file got 30
	kill -TERM -- "-$live"
	wait "$live" || fail "live.sh: status $?: $(cat err)"
	wait "$subscriber"
	[ "$(cat lost)" = "0 messages lost" ]
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -ge "$(wc -l <got)" ]
}

# bats test_tags=slow
@test "the demo ends with a summary a person understands" {
	timeout 850 "$P/demo.sh" "$BATS_TEST_TMPDIR/d" >out 2>err || fail "$(tail -5 err)"
	grep -q '^balanced$' out
	grep -Eq '^24 batteries, 31[01][0-9]{4} samples from ' out # 3,110,400 but for lost ones
	grep -q 'The five to look at first' out
	[ "$(grep -c 'DC-CNX-01-REC-01-S1-J' out)" -ge 5 ]
	grep -Eq ' [0-9.]+ ± [0-9]\.[1-9] %' out
	grep -Eq '[0-9]+ days \([0-9]+ to [0-9]+\)' out
	grep -Eq '^[0-9]+ alerts in [0-9]+ incidents' out
}
