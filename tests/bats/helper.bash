# shellcheck shell=bash
# What every bats file loads: the programs under test first in PATH, a fixed locale and
# zone, and the assertions they share. 'load helper' in the first line of each file.

ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
BIN=${FLOATLINE_BIN:-$ROOT/build/bin}
[[ $BIN == /* ]] || BIN=$ROOT/$BIN
PATH=$BIN:$PATH
LC_ALL=C
TZ=UTC
export ROOT BIN PATH LC_ALL TZ

# Python with the distribution's msgpack and zmq modules, whatever else is in PATH.
PYTHON=/usr/bin/python3
export PYTHON

# Sets and prints the folder of real data: data_dir [SUBFOLDER]. Call it plainly, then
# use $DATA: 'skip' cannot leave a test from inside $(…). There, it fails instead.
data_dir() {
	DATA=${FLOATLINE_DATA:-$ROOT/../shared/data}${1:+/$1}
	if [ ! -d "$DATA" ]; then
		[ "$BASH_SUBSHELL" -gt 0 ] && return 1
		skip "no real data at $DATA (set FLOATLINE_DATA)"
	fi
	echo "$DATA"
}

fail() {
	echo "$*" >&2
	return 1
}

# assert_status N: after 'run'.
assert_status() {
	# shellcheck disable=SC2154
	[ "$status" -eq "$1" ] || fail "status $status, expected $1; output: $output"
}

# try COMMAND…: as 'run', but keeps stdout in $OUT and stderr in $ERR (files), status in
# $status. The pipeline of a 'bash -c' string counts with pipefail.
try() {
	OUT=$BATS_TEST_TMPDIR/stdout ERR=$BATS_TEST_TMPDIR/stderr status=0
	"$@" >"$OUT" 2>"$ERR" || status=$?
	output=$(tr -d '\0' <"$ERR")
}

# pipeline 'a | b | c': status of the last program that failed, as pipefail gives it.
pipeline() {
	try bash -o pipefail -c "$1"
}

# assert_one_line_stderr PATTERN: stderr of the last 'try' is one line, 'program:
# message', that matches the extended regular expression.
assert_one_line_stderr() {
	[ "$(wc -l <"$ERR")" -eq 1 ] || fail "expected one line on stderr: $(cat "$ERR")"
	assert_stderr "$1"
}

assert_stderr() {
	grep -Eq -- "$1" "$ERR" || fail "stderr does not match '$1': $(cat "$ERR")"
}

# No line of stderr but the usual closing ones: nothing crashed, no sanitizer spoke.
assert_no_crash() {
	[ "$status" -lt 128 ] || fail "ended by a signal, status $status: $(cat "$ERR")"
	! grep -Eq 'Sanitizer|runtime error|Segmentation|core dumped' "$ERR" ||
		fail "$(cat "$ERR")"
}

# ledger_balances FILE…: what came in and was added is what went out, was rejected or
# dropped, for each program, and one program's out is the next one's in.
ledger_balances() {
	floatline ledger "$@" >"$BATS_TEST_TMPDIR/ledger.txt" ||
		fail "ledger: $(cat "$BATS_TEST_TMPDIR/ledger.txt" "$@")"
}

# wait_until SECONDS COMMAND…: polls until the command succeeds.
wait_until() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || fail "waited in vain for: $*"
		read -r -t 0.02 <> <(:) || true
	done
}

wait_for_file() {
	wait_until "${2:-10}" test -s "$1"
}

wait_for_socket() {
	wait_until "${2:-10}" test -S "$1"
}

# wait_for_exit PID [SECONDS]: until the process has ended (a zombie has).
wait_for_exit() {
	wait_until "${2:-10}" bash -c "! kill -0 $1 2>/dev/null || grep -q '^State:.Z' /proc/$1/status"
}

# A TCP port of this machine that nobody uses now.
free_port() {
	$PYTHON -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# records_of KIND FILE: how many records of that kind a stream has.
records_of() {
	decode -q --kind "$1" <"$2" | wc -l
}

# foreign_stream N [JAR]: a stream written by another implementation of MessagePack: N
# samples of 24 jars, a minute apart; the clock of JAR (1 to 24) is a day ahead.
foreign_stream() {
	$PYTHON - "$1" "${2:-0}" <<-'END'
		import msgpack, sys

		def put(*record):
		    sys.stdout.buffer.write(msgpack.packb(record, use_single_float=True))

		n, ahead = int(sys.argv[1]), int(sys.argv[2])
		put(126, "floatline", 1, None, None, [["foreign", "1", ""]])
		put(0, 1, "telemetry", 1, [["ts", "time", "ms", []], ["battery", "code", "", []],
		                           ["voltage_v", "f32", "V", []]])
		for i in range(n):
		    jar = i % 24 + 1
		    put(1, 1750000000000 + i // 24 * 60000 + (86400000 if jar == ahead else 0),
		        "DC-CNX-01-REC-01-S1-J%02d" % jar, 13.5 + i % 7 / 100)
		put(127, 0, [[1, n]])
	END
}
