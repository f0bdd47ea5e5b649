load helper

# What goes wrong in the life of a pipeline, for every program that stands in one: the
# documented status, one clear message, and a ledger that balances.

FILTERS="featurize twin alert"

setup_file() {
	foreign_stream 34560 >"$BATS_FILE_TMPDIR/day.flt"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	DAY=$BATS_FILE_TMPDIR/day.flt
	# Options that a program needs to run at all.
	declare -gA WITH=([store]="--db sqlite:t.db" [broadcast]="--bind ipc://b.sock")
}

# each 'COMMANDS with $p': for every filter.
every_filter() {
	local p
	for p in $FILTERS; do "$1" "$p" || fail "$p: $1"; done
}

closed_pipe() {
	# The reader is gone before the program writes: it must not go on, nor complain.
	set +o pipefail
	"$1" -q <"$DAY" 2>err | head -c 1 >/dev/null
	local s=("${PIPESTATUS[@]}")
	[ "${s[0]}" -eq 141 ] || fail "$1: status ${s[0]} on a closed pipe"
	[ ! -s err ] || fail "$1: $(cat err)"
}

@test "a closed pipe ends a filter by SIGPIPE, quietly" {
	every_filter closed_pipe
	closed_pipe decode
}

@test "a closed pipe ends a source too" {
	status=0
	bash -c 'set -o pipefail; simulate -q --batteries 24 --days 30 2>err | head -c 1 >/dev/null' || status=$?
	assert_status 141
	[ ! -s err ]
}

full_disk() {
	status=0
	"$1" -q <"$DAY" 2>err >/dev/full || status=$?
	assert_status 3 && grep -q "No space left" err && [ "$(grep -c . err)" -eq 1 ] ||
		fail "$1: $(cat err)"
}

@test "a full disk is status 3, and said" {
	every_filter full_disk
	full_disk decode
}

@test "a full disk and a closed pipe end predict as they end every filter" {
	status=0
	predict -q <"$DAY" 2>err >/dev/full || status=$?
	assert_status 3
	grep -q "No space left" err
	set +o pipefail
	predict -q <"$DAY" 2>err | head -c 1 >/dev/null
	[ "${PIPESTATUS[0]}" -eq 141 ]
}

# A sink has a job besides its output: it does that to the end, and says 3.
sink_without_output() {
	try "$@" -i "$DAY" -o /dev/full
	assert_status 3
	assert_stderr "^$1: cannot write '/dev/full': No space left on device; going on without it"
}

@test "a sink that loses its output does its job to the end, with status 3" {
	sink_without_output broadcast -q --bind "ipc://$PWD/b.sock"
	sink_without_output store -q --db sqlite:t.db
	[ "$(sqlite3 t.db 'select count(*) from telemetry')" -eq "$(records_of telemetry "$DAY")" ]
	sink_without_output decode -q
	[ "$(grep -c '"kind":"telemetry"' "$OUT")" -eq "$(records_of telemetry "$DAY")" ]
}

@test "rubbish on the way into a sink is refused, and nothing is done with it" {
	head -c 5000 /dev/urandom | tr '\000-\177' '\200-\377' >rubbish
	for p in "broadcast --bind ipc://$PWD/b.sock" "store --db sqlite:r.db" predict "train --out m"; do
		# shellcheck disable=SC2086
		try $p -i rubbish
		assert_no_crash
		assert_status 1
		assert_stderr "^${p%% *}: rubbish: record 1: not a record"
	done
	[ ! -e m ]
}

truncated() {
	local db=()
	rm -f l t.db*
	# shellcheck disable=SC2206
	db=(${WITH[$1]:-})
	try "$1" -q "${db[@]}" --ledger l -i cut.flt -o out.flt
	assert_status 1 && grep -q "^$1: .*truncated: no end record" "$ERR" || fail "$1: $(cat "$ERR")"
	ledger_balances l
	try "$1" -q "${db[@]}" --allow-truncated -i cut.flt -o out.flt
	assert_status 0
}

@test "a stream cut off between two records is status 1, after all that came was handled" {
	# Cut where the end record starts.
	$PYTHON - "$DAY" <<-'END'
		import sys, msgpack
		data = open(sys.argv[1], "rb").read()
		u, at = msgpack.Unpacker(max_buffer_size=0), 0
		u.feed(data)
		while True:
		    record = u.unpack()
		    if record[0] == 127:
		        break
		    at = u.tell()
		open("cut.flt", "wb").write(data[:at])
	END
	every_filter truncated
	truncated store
}

@test "a stream cut off within a record is status 1" {
	head -c 100003 "$DAY" >cut.flt
	for p in $FILTERS decode; do
		try "$p" -q -i cut.flt
		assert_status 1
		assert_one_line_stderr "^$p: .*truncated: ends [0-9]+ bytes into record"
	done
}

@test "a producer killed with -9 is never taken for a finished one" {
	mkfifo p
	for p in $FILTERS; do
		"$p" --ledger "l.$p" -o out.flt <p 2>err &
		reader=$!
		# Live, so that it is in the middle whenever the signal comes.
		simulate --batteries 24 --interval 1s --live >p &
		writer=$!
		wait_until 10 test -s out.flt
		kill -9 "$writer"
		status=0
		wait "$reader" || status=$?
		assert_status 1 || fail "$p: $(cat err)"
		ledger_balances "l.$p"
		rm out.flt
	done
}

@test "SIGTERM to a source loses nothing of what was in the pipe" {
	mkfifo a b
	simulate --batteries 24 --interval 1s --live --ledger l >a 2>err.s &
	source=$!
	twin --ledger l <a >b 2>err.t &
	middle=$!
	store --db sqlite:t.db --ledger l <b 2>err.w &
	sink=$!
	wait_until 20 test -s t.db
	wait_until 20 sh -c '[ "$(sqlite3 t.db "select count(*) from telemetry" 2>/dev/null || echo 0)" -gt 0 ]'
	kill -TERM "$source"
	status=0
	wait "$source" || status=$?
	assert_status 0
	wait "$middle"
	wait "$sink"
	ledger_balances l
	grep -q '"interrupted": *true' l
}

@test "SIGTERM to a whole pipeline: sources stop, filters drain, the ledger balances" {
	mkfifo a
	simulate --batteries 24 --interval 1s --live --ledger l >a 2>/dev/null &
	source=$!
	twin --ledger l -o out.flt <a 2>err &
	filter=$!
	wait_until 20 test -s out.flt
	kill -TERM "$filter" "$source"
	wait "$source"
	status=0
	wait "$filter" || status=$?
	assert_status 0
	ledger_balances l
	decode --kind telemetry <out.flt >/dev/null
}

@test "a second signal ends a filter at once with status 3" {
	mkfifo a
	sleep 60 >a &
	holder=$!
	(head -c 5000 "$DAY"; exec sleep 60) >a 2>/dev/null &
	feeder=$!
	twin <a >out.flt 2>err &
	filter=$!
	wait_until 10 test -s out.flt
	kill -TERM "$filter"
	kill -TERM "$filter" 2>/dev/null || true
	wait_until 5 sh -c "! kill -0 $filter 2>/dev/null || { kill -TERM $filter; false; }"
	status=0
	wait "$filter" || status=$?
	kill "$holder" "$feeder" 2>/dev/null || true
	assert_status 3
}

empty() {
	local db=()
	# shellcheck disable=SC2206
	db=(${WITH[$1]:-})
	try "$1" -q "${db[@]}" </dev/null
	assert_status 1 && assert_one_line_stderr "^$1: .*truncated: empty"
}

@test "empty input is no stream: status 1 and one line" {
	every_filter empty
	empty decode
	empty store
}

rubbish() {
	try "$1" -q <"$BIN/ledger"
	assert_status 1 && assert_no_crash && assert_stderr "^$1: "
}

@test "what is no stream is refused" {
	every_filter rubbish
	rubbish decode
}

absent() {
	local db=()
	# shellcheck disable=SC2206
	db=(${WITH[$1]:-})
	try "$1" -q "${db[@]}" -i /no/such/file
	assert_status 3 && assert_one_line_stderr "^$1: .*'/no/such/file'.*No such file"
}

@test "an input that is not there is status 3 and names the file" {
	every_filter absent
	absent decode
	absent store
}

@test "an unknown option is status 2 before anything is read or written" {
	for p in $FILTERS decode encode ingest simulate store broadcast train predict; do
		try "$p" --no-such-option <"$DAY"
		assert_status 2
		assert_one_line_stderr "^$p: unknown option '--no-such-option'"
		[ ! -s "$OUT" ]
	done
}

@test "streams of different runs are never merged" {
	simulate --batteries 2 --interval 1h --days 1 --run a -o a.flt
	simulate --batteries 2 --interval 1h --days 1 --run b -o b.flt
	for p in $FILTERS; do
		try "$p" -q -i a.flt -i b.flt -o out.flt
		[ "$status" -ne 0 ] || fail "$p merged two runs"
		assert_no_crash
		assert_one_line_stderr "^$p: .*run"
	done
}

clock_ahead() {
	"$1" -q -i "$DAY" | decode -q | grep -v S1-J05 >right
	"$1" -q --ledger "l.$1" -i ahead.flt | decode -q | grep -v S1-J05 >wrong
	cmp right wrong || fail "$1: another battery's clock changed what is said of the rest"
	ledger_balances "l.$1"
}

@test "a battery whose clock is a day ahead spoils nobody else" {
	foreign_stream 34560 5 >ahead.flt
	every_filter clock_ahead
}

@test "a SQLite database that cannot be opened: the reason, and where" {
	try store --db sqlite:none/x.db <"$DAY"
	assert_status 3
	assert_one_line_stderr "^store: cannot open database 'sqlite:none/x.db': no such folder 'none'$"
	try store status --db sqlite:x.db
	assert_status 3
	assert_one_line_stderr "'sqlite:x.db': no such file$"
	try store --db sqlite:. <"$DAY"
	assert_status 3
	assert_one_line_stderr "'sqlite:.': is a folder$"
	: >file
	try store --db sqlite:file/x.db <"$DAY"
	assert_status 3
	assert_one_line_stderr "'sqlite:file/x.db': Not a directory$"
}

@test "a SQLite database one may not write: permission denied" {
	as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	d=$(mktemp -d /tmp/floatline.XXXXXX)
	chmod 755 "$d"
	# Where a coverage build may write its counts as that user: its own folder it may not.
	mkdir -m 1777 "$d/counts"
	as+=(env "GCOV_PREFIX=$d/counts")
	"${as[@]}" "$BIN/store" --version >/dev/null 2>&1 && "${as[@]}" test -x "$d" ||
		{ rm -r "$d"; skip "cannot run the programs as another user"; }
	: >"$d/x.db"
	chmod 444 "$d/x.db"
	mkdir -m 555 "$d/shut"
	try "${as[@]}" "$BIN/store" --db "sqlite:$d/x.db" <"$DAY"
	file=$status:$(cat "$ERR")
	try "${as[@]}" "$BIN/store" --db "sqlite:$d/shut/x.db" <"$DAY"
	folder=$status:$(cat "$ERR")
	rm -rf "$d"
	[ "$file" = "3:store: cannot open database 'sqlite:$d/x.db': Permission denied" ] || fail "$file"
	[ "$folder" = "3:store: cannot open database 'sqlite:$d/shut/x.db': folder '$d/shut': Permission denied" ] || fail "$folder"
}
