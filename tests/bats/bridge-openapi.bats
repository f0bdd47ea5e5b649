load helper
load bridge_helper

# Every operation of openapi.json, each status that it documents, each role, each bound of
# each parameter: operations.txt is the table, operations.py asks.

ask() {
	$PYTHON "$BATS_TEST_DIRNAME/operations.py" "$BATS_TEST_DIRNAME/operations.txt" "$@" || fail "$1: see above"
}

# asked DB PART [COMMAND…] with what serve is given in $WITH: a bridge of its own.
asked() {
	local db=$1
	shift
	serve "$db" "${WITH[@]}"
	export API
	ask "$@"
	stop
}

# The bridge with all there is: a pipeline that stores what it takes, simulations.
ask_full() {
	set -m
	store -q --db "$1" -i pull:@ipc://into 3>&- 2>store.log &
	echo $! >pipe.pid # teardown ends it where a call fails
	set +m
	WITH=(--into push:ipc://into --simulations "$PWD/sims")
	asked "$1" full
	kill -TERM "$(cat pipe.pid)"
	wait "$(cat pipe.pid)" || true
	rm pipe.pid
}

# every DB COMMAND…: all of it; the command takes the database away.
every() {
	local db=$1
	shift
	ask_full "$db"
	# 'serve' names a registry and a dataset first; what is given last counts.
	mkdir empty
	cp -a models broken
	truncate -s 1000 broken/staging/booster.ubj
	WITH=(--models broken --dataset empty)
	asked "$db" broken
	rm -f bridge.log
	"$bridge" --db "$db" --listen 127.0.0.1:0 2>bridge.log 3>&- &
	echo $! >bridge.pid
	wait_until 20 said_port
	API=$(sed -n 's/.*listening on //p' bridge.log)/api/v1
	export API
	for part in bare roles bounds samples others; do
		ask $part
	done
	ask gone "$@"
	ask complete
	stop
}

sqlite_goes() {
	local t
	for t in run app_user refresh_session refresh_token device_token; do
		echo "ALTER TABLE $t RENAME TO ${t}_away;"
	done | sqlite3 f.db
}

@test "every operation, each documented status, each role, each bound: SQLite" {
	declare -f sqlite_goes >goes
	echo sqlite_goes >>goes
	every sqlite:f.db bash goes
}

@test "every operation, each documented status, each role, each bound: PostgreSQL" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	every "$(cat "$BATS_FILE_TMPDIR/url")" "$ROOT/scripts/pg" crash "$BATS_FILE_TMPDIR"
	"$ROOT/scripts/pg" again "$BATS_FILE_TMPDIR"
}
