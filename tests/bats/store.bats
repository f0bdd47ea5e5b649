load helper

# A PostgreSQL of our own for the whole file; each test gets a database of its own.
setup_file() {
	find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q . || return 0
	"$BATS_TEST_DIRNAME/../../scripts/pg" start "$BATS_FILE_TMPDIR" >"$BATS_FILE_TMPDIR/url"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pg" ] || "$BATS_TEST_DIRNAME/../../scripts/pg" stop "$BATS_FILE_TMPDIR"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	ORACLE=$ROOT/tests/bats/store_oracle.py
}

teardown() {
	[ ! -e own/pg ] || "$ROOT/scripts/pg" stop own
}

# Sets $PG to the URL of a new, empty PostgreSQL database.
postgres() {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	local server
	server=$(cat "$BATS_FILE_TMPDIR/url")
	psql -qX "$server" -c "CREATE DATABASE t$BATS_TEST_NUMBER"
	PG=${server/\/floatline/\/t$BATS_TEST_NUMBER}
}

# every_kind N: N records of every kind that is stored, as r.ndjson and r.flt, and the rows
# they should leave in want.
every_kind() {
	"$ORACLE" records "$1" >r.ndjson
	encode -q <r.ndjson >r.flt
	"$ORACLE" expect r.ndjson >want
}

rows() {
	"$ORACLE" dump "$1"
}

# many N: a stream of N samples of 24 jars as many.flt.
many() {
	foreign_stream "$1" >many.flt
}

count() {
	if [[ $1 == sqlite:* ]]; then
		sqlite3 "file:${1#sqlite:}?mode=ro" 'SELECT count(*) FROM telemetry' 2>/dev/null || echo 0
	else
		psql -qAtX "$1" -c 'SELECT count(*) FROM telemetry' 2>/dev/null || echo 0
	fi
}

# The ledger balances, and calls stored what the database has, the rest dropped.
ledger_says_stored() {
	ledger_balances l
	[ "$(jq '.kinds.telemetry.out' l)" -eq "$(count "$1")" ] || fail "$(count "$1") rows: $(cat l)"
	jq -e '.kinds.telemetry.dropped > 0 and .status == 3' l
}

counts_at_least() {
	[ "$(count "$1")" -ge "$2" ]
}

@test "SQLite holds the rows an independent reader of the same records expects" {
	every_kind 120
	store --db sqlite:a.db --ledger l <r.flt
	rows sqlite:a.db | diff want -
	ledger_balances l
	[ "$(cut -d' ' -f1 want | sort -u | wc -l)" -eq 29 ]
}

@test "PostgreSQL holds the same rows" {
	postgres
	every_kind 120
	store --db "$PG" <r.flt
	rows "$PG" | diff want -
}

@test "the same stream twice leaves the same rows, on both" {
	postgres
	every_kind 40
	for db in sqlite:a.db "$PG"; do
		store -q --db "$db" <r.flt
		rows "$db" | sha256sum >once
		store -q --db "$db" <r.flt
		rows "$db" | sha256sum | cmp - once
		cat r.flt r.flt | store -q --db "$db"
		rows "$db" | sha256sum | cmp - once
	done
}

@test "a stream in many small commits leaves the rows of one in few" {
	every_kind 40
	store -q --db sqlite:few.db <r.flt
	# -n cuts the stream into runs of store, so that a key's records fall into several
	total=$(wc -l <r.ndjson)
	for n in $(seq 50 97 "$total") "$total"; do
		store -q -n "$n" --db sqlite:many.db <r.flt
	done
	diff <(rows sqlite:few.db) <(rows sqlite:many.db)
}

@test "decisions of people outlive the alert's own later records" {
	{
		echo '{"kind":"alert","alert_id":"A1","ts":"2026-01-01T00:00:00Z","subject":"S","rule":"r","severity":"warning","state":"firing"}'
		echo '{"kind":"alert_action","ts":"2026-01-01T00:01:00Z","subject_id":"A1","action":"acknowledge","actor":"nok","note":"seen"}'
		echo '{"kind":"alert","alert_id":"A1","ts":"2026-01-01T00:02:00Z","subject":"S","rule":"r","severity":"critical","state":"resolved"}'
		echo '{"kind":"alert_action","ts":"2026-01-01T00:01:00Z","subject_id":"A1","action":"acknowledge","actor":"nok","note":"overwritten"}'
	} | encode -q | tee s.flt | store -q --db sqlite:a.db
	# the firing record again, alone: a replay that is cut off must not wake the alert
	store -q -n 1 --db sqlite:a.db <s.flt
	[ "$(sqlite3 a.db 'SELECT state, severity FROM alert')" = "resolved|critical" ]
	[ "$(sqlite3 a.db 'SELECT actor, note FROM alert_action')" = "nok|seen" ]
}

@test "runs do not mix, and purge takes one away whole" {
	postgres
	every_kind 20
	encode -q --run sim-1 <r.ndjson >sim.flt
	for db in sqlite:a.db "$PG"; do
		store -q --db "$db" <r.flt
		rows "$db" >production
		store -q --db "$db" <sim.flt
		rows "$db" | grep -c 'run="sim-1"' | grep -qx "$(wc -l <want)"
		rows "$db" | grep 'run=""' | diff production -
		store purge sim-1 --db "$db"
		rows "$db" | diff production -
		try store purge sim-1 --db "$db"
		assert_status 1
		assert_one_line_stderr "^store: no run 'sim-1' in "
	done
}

# waiting COMMAND…: how many others wrote meanwhile, and how long they waited, to 'waits'.
waiting() {
	rm -f stop
	$PYTHON "$BATS_TEST_DIRNAME/waits.py" a.db stop >waits 3>&- &
	local other=$!
	"$@"
	touch stop
	wait "$other"
}

@test "purge lets a live pipeline write meanwhile" {
	simulate -q --run sim-1 --batteries 216 --days 1 --interval 1m --start 2026-01-01T00:00:00Z |
		store -q --db sqlite:a.db
	waiting store purge sim-1 --db sqlite:a.db
	read -r writes ms <waits
	[ "$writes" -ge 10 ] || fail "$writes writes while it purged"
	[ "$ms" -lt 200 ] || fail "they waited $ms ms"
	[ "$(sqlite3 a.db 'SELECT (SELECT count(*) FROM telemetry) + (SELECT count(*) FROM battery) + (SELECT count(*) FROM run)')" = 0 ]
}

live_fleet() {
	simulate -q --live --interval 1s --batteries 1944 -n 15000 | store -q --db sqlite:a.db
}

@test "a live fleet is stored so that nobody waits long for the database" {
	store migrate --db sqlite:a.db 2>/dev/null
	waiting live_fleet
	read -r writes ms <waits
	[ "$writes" -ge 100 ] || fail "$writes writes in seconds"
	[ "$ms" -lt 200 ] || fail "they waited $ms ms"
}

@test "battery_now says how each battery is, alike on both" {
	postgres
	j=DC-CNX-01-UPS-01-S1-J01
	{
		for t in 01 03 02; do
			echo "{\"kind\":\"twin_state\",\"ts\":\"2026-01-${t}T00:00:00Z\",\"battery\":\"$j\",\"unit\":0,\"soc_pct\":9$t,\"soh_pct\":8$t}"
		done
		for s in ml fused twin; do
			echo "{\"kind\":\"rul\",\"ts\":\"2026-01-03T00:00:00Z\",\"battery\":\"$j\",\"unit\":0,\"source\":\"$s\",\"rul_days\":1${#s}}"
		done
		echo "{\"kind\":\"rul\",\"ts\":\"2026-01-04T00:00:00Z\",\"battery\":\"$j\",\"unit\":0,\"source\":\"twin\",\"rul_days\":1}"
		for a in firing resolved firing; do
			echo "{\"kind\":\"alert\",\"alert_id\":\"A$((alerts++))\",\"ts\":\"2026-01-03T00:00:00Z\",\"subject\":\"$j\",\"rule\":\"r\",\"severity\":\"info\",\"state\":\"$a\"}"
		done
		echo "{\"kind\":\"status\",\"ts\":\"2026-01-02T00:00:00Z\",\"subject\":\"$j\",\"status\":\"watch\"}"
		echo "{\"kind\":\"status\",\"ts\":\"2026-01-03T00:00:00Z\",\"subject\":\"$j\",\"status\":\"critical\"}"
		echo '{"kind":"battery","code":"DC-CNX-01-UPS-01-S1-J02"}'
	} | encode -q >s.flt
	q='SELECT battery, soc_pct, soh_pct, rul_source, rul_days, status, open_alerts FROM battery_now ORDER BY battery'
	store -q --db sqlite:a.db <s.flt
	store -q --db "$PG" <s.flt
	printf '%s\n' "$j|903|803|fused|15|critical|2" 'DC-CNX-01-UPS-01-S1-J02||||||0' >want
	sqlite3 a.db "$q" | sed 's/\.0|/|/g' | diff want -
	psql -qAtX "$PG" -c "$q" | diff want -
}

@test "time series are partitioned by month, a broken clock makes no partitions" {
	postgres
	for t in 2026-01-31T23:59:59.999Z 2026-02-01T00:00:00Z 1970-01-01T00:00:00Z 9999-12-31T00:00:00Z; do
		echo "{\"kind\":\"telemetry\",\"ts\":\"$t\",\"battery\":\"B\",\"voltage_v\":1}"
	done | encode -q | store -q --db "$PG"
	psql -qAtX "$PG" -c 'SELECT tableoid::regclass, ts FROM telemetry ORDER BY 1, 2' >got
	sort got | diff - <(printf '%s\n' 'telemetry_after|253402214400000' 'telemetry_before|0' \
		'telemetry_p2026_01|1769903999999' 'telemetry_p2026_02|1769904000000')
}

@test "a code that nobody introduced has a row with the code alone" {
	echo '{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","battery":"X-1"}' | encode -q | store -q --db sqlite:a.db
	[ "$(sqlite3 a.db 'SELECT code, string, b.run = t.run FROM battery b JOIN telemetry t ON t.battery = b.id')" = "X-1||1" ]
}

@test "kinds without a table are dropped and counted, or passed on with the rest" {
	{
		echo '{"kind":"tick","source":"s","ts":"2026-01-01T00:00:00Z"}'
		echo '{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","battery":"X-1"}'
	} | encode -q >s.flt
	store --ledger l --db sqlite:a.db <s.flt 2>e
	grep -q 'in 2, out 1, added 0, rejected 0, dropped 1' e
	ledger_balances l
	store -q --db sqlite:a.db -o out.flt <s.flt
	diff <(decode -q <s.flt) <(decode -q <out.flt)
}

@test "text no database takes is rejected with its reason" {
	$PYTHON -c '
import msgpack, sys
for r in ([126, "floatline", 1, None, None, [["x", "1", ""]]],
          [0, 10, "sensor", 1, [["code", "code", "", []], ["zone", "text", "", []]]],
          [10, "S1", "a\0b"], [10, "S2", "fine"], [127, 0, [[10, 2]]]):
    sys.stdout.buffer.write(msgpack.packb(r))' >s.flt
	store --ledger l --reject bad --db sqlite:a.db <s.flt
	ledger_balances l
	[ "$(sqlite3 a.db 'SELECT code, zone FROM sensor')" = "S2|fine" ]
	[ "$(jq -r .reason bad)" = "sensor: field 'zone' is not free of NUL" ]
}

@test "a truncated stream is status 1, and what came is stored" {
	many 4800
	head -c 100000 many.flt >cut.flt
	try store --db sqlite:a.db -i cut.flt
	assert_status 1
	[ "$(count sqlite:a.db)" -gt 1000 ]
}

@test "killed at any moment, run again: the rows of an undisturbed run" {
	postgres
	many 48000
	store -q --db sqlite:whole.db <many.flt
	rows sqlite:whole.db >whole
	for db in sqlite:a.db "$PG"; do
		killed=0
		for after in 0.05 0.1 0.2 0.3 0.4; do
			try timeout -s KILL "$after" store -q --db "$db" -i many.flt
			[ "$status" -ne 137 ] || killed=$((killed + 1))
		done
		[ "$killed" -gt 0 ] || skip "too fast to be killed"
		store -q --db "$db" <many.flt
		rows "$db" | cmp - whole
	done
}

@test "killed while it reads a live stream: what was shown as stored stays" {
	many 24000
	mkfifo pipe
	store -q --db sqlite:a.db <pipe 3>&- &
	pid=$!
	exec 7>pipe
	head -c 200000 many.flt >&7
	wait_until 20 counts_at_least sqlite:a.db 1000
	before=$(count sqlite:a.db)
	kill -9 "$pid"
	exec 7>&-
	wait "$pid" || true
	[ "$(count sqlite:a.db)" -ge "$before" ]
	store -q --db sqlite:a.db <many.flt
	[ "$(count sqlite:a.db)" -eq 24000 ]
}

@test "a live stream is in the database while it still flows" {
	mkfifo pipe
	store -q --db sqlite:a.db <pipe 3>&- &
	pid=$!
	exec 7>pipe
	foreign_stream 48 >s.flt
	head -c -30 s.flt >&7
	wait_until 20 counts_at_least sqlite:a.db 40
	tail -c 30 s.flt >&7
	exec 7>&-
	wait "$pid"
	[ "$(count sqlite:a.db)" -eq 48 ]
}

@test "TERM in the middle: what is in the pipe is stored" {
	many 24000
	mkfifo pipe
	store -q --db sqlite:a.db <pipe 3>&- &
	pid=$!
	exec 7>pipe
	head -c 100000 many.flt >&7
	wait_until 20 counts_at_least sqlite:a.db 1000
	kill -TERM "$pid"
	tail -c +100001 many.flt >&7
	exec 7>&-
	wait "$pid"
	[ "$(count sqlite:a.db)" -eq 24000 ]
}

@test "PostgreSQL that dies midway is status 3 with one line; the rest follows later" {
	postgres
	mkdir own
	url=$("$ROOT/scripts/pg" start own)
	many 24000
	mkfifo pipe
	store -q --ledger l --db "$url" <pipe 2>e 3>&- &
	pid=$!
	exec 7>pipe
	head -c 200000 many.flt >&7
	wait_until 20 counts_at_least "$url" 1000
	before=$(count "$url")
	"$ROOT/scripts/pg" crash own
	tail -c +200001 many.flt >&7 2>/dev/null || true
	exec 7>&-
	status=0
	wait "$pid" || status=$?
	assert_status 3
	[ "$(wc -l <e)" -eq 1 ]
	grep -Eq "^store: .*rows are committed.*cannot write to database 'postgresql:" e
	"$ROOT/scripts/pg" again own
	[ "$(count "$url")" -ge "$before" ]
	ledger_says_stored "$url"
	store -q --db "$url" <many.flt
	store -q --db sqlite:whole.db <many.flt
	diff <(rows sqlite:whole.db) <(rows "$url")
}

@test "a database that refuses is status 3 with one line, without the password" {
	many 24
	try store --db "postgresql://u:sesame@/d?host=$PWD" -i many.flt
	assert_status 3
	assert_one_line_stderr "^store: cannot open database 'postgresql://u@/d.host=$PWD': "
	[ "$(grep -c sesame "$ERR")" = 0 ]
	try store --db sqlite:no/such/folder.db -i many.flt
	assert_status 3
	assert_one_line_stderr "^store: cannot open database 'sqlite:no/such/folder.db': no such folder 'no/such'$"
	head -c 5000 /dev/zero >zero.db
	try store --db sqlite:zero.db -i many.flt
	assert_status 3
	assert_one_line_stderr "'sqlite:zero.db': file is not a database"
	try store --db fleet.db -i many.flt
	assert_status 2
	assert_one_line_stderr "'fleet.db' is no database"
}

@test "a wrong password is not shown, and none stays in the list of processes" {
	postgres
	mkfifo pipe
	store -q --db "$PG&password=sesame" <pipe 3>&- &
	pid=$!
	exec 7>pipe
	foreign_stream 24 >s.flt
	head -c -30 s.flt >&7
	wait_until 20 counts_at_least "$PG" 1
	tr '\0' ' ' <"/proc/$pid/cmdline" >cmdline
	exec 7>&-
	wait "$pid" || true
	grep -q 'password=xxxxxx' cmdline
	[ "$(grep -c sesame cmdline)" = 0 ]
}

@test "a database locked by another writer is waited for, then refused with the reason" {
	many 24
	store migrate --db sqlite:a.db
	mkfifo hold
	$PYTHON -c '
import sqlite3, sys
db = sqlite3.connect("a.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
open("held", "w").write("now")
sys.stdin.read()' <hold 3>&- &
	pid=$!
	exec 7>hold
	wait_for_file held
	try store -q --db 'sqlite:a.db?busy_timeout=250' -i many.flt
	assert_status 3
	assert_one_line_stderr "': another program has held it locked for 0.25 s; end that"
	try store -q --db 'sqlite:a.db?busy_timeout=soon' -i many.flt
	assert_status 2
	assert_one_line_stderr 'busy_timeout is milliseconds'
	exec 7>&-
	wait "$pid"
	store -q --db sqlite:a.db <many.flt
}

@test "a full disk is status 3 with one line, and the database stays whole" {
	many 48000
	store migrate --db sqlite:a.db 2>/dev/null
	cat >limited <<-END
		ulimit -f 600
		exec store -q --ledger l --db sqlite:a.db -i many.flt
	END
	try bash limited
	assert_status 3
	assert_one_line_stderr "^store: .*committed.*'sqlite:a.db': "
	[ "$(sqlite3 a.db 'PRAGMA integrity_check')" = ok ]
	ledger_says_stored sqlite:a.db
	store -q --db sqlite:a.db <many.flt
	[ "$(count sqlite:a.db)" -eq 48000 ]
}

@test "two at once fill one new database together" {
	postgres
	many 24000
	{
		cat many.flt
		foreign_stream 12000 | sed 's/REC-01-S1/REC-01-S2/g'
	} >other.flt
	for db in sqlite:a.db "$PG"; do
		store -q --db "$db" <many.flt 3>&- &
		one=$!
		store -q --db "$db" <other.flt
		wait "$one"
		[ "$(count "$db")" -eq 36000 ]
	done
}

@test "migrations go up and down and up again, on both" {
	postgres
	for db in sqlite:a.db "$PG"; do
		store migrate --db "$db"
		store status --db "$db" >s
		[ "$(grep -vc ' applied$' s)" = 0 ]
		last=$(wc -l <s)
		store rollback --db "$db"
		run store status --db "$db"
		assert_status 1
		[ "$(tail -1 <<<"$output" | sed 's/.* //')" = pending ]
		store rollback --to 0 --db "$db"
		[ "$(store status --db "$db" | grep -c ' pending$')" -eq "$last" ]
		if [[ $db == sqlite:* ]]; then
			[ "$(sqlite3 a.db "SELECT group_concat(name) FROM sqlite_schema WHERE name NOT LIKE 'sqlite%'")" = schema_migrations ]
		else
			[ "$(psql -qAtX "$db" -c "SELECT string_agg(relname, ',') FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind <> 'i'")" = schema_migrations ]
		fi
		store migrate --to 1 --db "$db"
		[ "$(store status --db "$db" | grep -c ' applied$')" -eq 1 ]
		store migrate --db "$db"
		store status --db "$db"
	done
}

@test "a database of another version is refused with what to do" {
	local newest
	many 24
	store -q --db sqlite:a.db <many.flt
	cp a.db older.db
	store rollback --db sqlite:older.db
	try store --db sqlite:older.db -i many.flt
	assert_status 3
	newest=$(sqlite3 a.db 'SELECT max(version) FROM schema_migrations')
	assert_one_line_stderr "'sqlite:older.db' has version $((newest - 1)), this floatline needs $newest: run 'store migrate'"
	cp a.db newer.db
	sqlite3 newer.db "INSERT INTO schema_migrations VALUES ($((newest + 1)), 'later', '0')"
	for c in "" migrate rollback; do
		try store $c --db sqlite:newer.db </dev/null
		assert_status 3
		assert_one_line_stderr "'sqlite:newer.db' has version $((newest + 1)) \(later\), made by a newer floatline"
	done
	cp a.db changed.db
	sqlite3 changed.db "UPDATE schema_migrations SET checksum = 'x' WHERE version = 1"
	try store --db sqlite:changed.db -i many.flt
	assert_status 3
	assert_one_line_stderr "migration 1 \(tables\) is not the one known here"
	run store status --db sqlite:changed.db
	assert_status 1
	grep -q '^0001 tables .* changed$' <<<"$output"
	sqlite3 foreign.db 'CREATE TABLE invoices (id)'
	try store --db sqlite:foreign.db -i many.flt
	assert_status 3
	assert_one_line_stderr "'sqlite:foreign.db' holds other tables"
	store migrate --db sqlite:foreign.db
	store -q --db sqlite:foreign.db <many.flt
}

@test "wrong usage is status 2 before anything is read or made" {
	try store --db sqlite:a.db frobnicate
	assert_status 2
	assert_one_line_stderr "^store: no command 'frobnicate'"
	try store --db sqlite:a.db migrate now
	assert_status 2
	try store --db sqlite:a.db purge
	assert_status 2
	[ ! -e a.db ]
	try store status --db sqlite:a.db
	assert_status 3
	[ ! -e a.db ]
}

# samples FROM UNTIL STEP: NDJSON of two jars, seconds since 2026-01-01, voltage by the time.
samples() {
	$PYTHON - "$@" <<-'END'
		import json, sys, datetime

		a, z, step = map(int, sys.argv[1:])
		for t in range(a, z, step):
		    ts = (datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=t)).strftime("%Y-%m-%dT%H:%M:%SZ")
		    for jar in (1, 2):
		        print(json.dumps({"kind": "telemetry", "ts": ts, "battery": "DC-CNX-01-UPS-01-S1-J%02d" % jar,
		                          "voltage_v": round(13 + t * 7 % 1000 / 1000, 3), "temperature_c": 25 + jar}))
	END
}

# rolled DB: the roll-ups, and what they should be of the samples there are.
rolled() {
	rows "$1" | grep -E '^telemetry_(15min|hour|day) '
}

@test "late samples, corrections and samples between leave the roll-ups of all at once" {
	postgres
	samples 0 172800 600 >regular
	samples 300 172800 7200 >between
	head -50 regular | jq -c '.voltage_v = 11.5' >corrections
	cat regular between corrections >all
	encode -q <all | store -q --db sqlite:once.db
	rolled sqlite:once.db >want
	for db in sqlite:a.db "$PG"; do
		for part in regular between corrections corrections regular between corrections; do
			encode -q <$part | store -q --db "$db"
		done
		rolled "$db" | diff want -
	done
}

@test "two that write the same batteries at once leave the roll-ups of one" {
	postgres
	samples 0 86400 60 | encode -q >a.flt
	samples 30 86400 60 | encode -q >b.flt
	store -q --db sqlite:once.db -i a.flt -i b.flt
	rolled sqlite:once.db >want
	for db in sqlite:two.db "$PG"; do
		store -q --db "$db" <a.flt 3>&- &
		store -q --db "$db" <b.flt
		wait $!
		rolled "$db" | diff want -
	done
}

@test "retain takes samples and roll-ups by their age, a replay does not hurt what stays" {
	postgres
	samples 0 864000 3600 | encode -q >ten.flt
	for db in sqlite:a.db "$PG"; do
		store -q --db "$db" <ten.flt
		rolled "$db" >before
		store retain --db "$db" --keep-raw 3d --keep-15min 6d 2>said
		# the newest is of 10 January 23:00, so 7 and 4 January are the first that stay
		grep -q ': 432 rows were old enough to go$' said
		[ "$(rows "$db" | grep -c '^telemetry ')" = 192 ]
		[ "$(rows "$db" | grep -c '^telemetry_15min ')" = 336 ]
		[ "$(rows "$db" | grep -c '^telemetry_hour ')" = 480 ]
		rows "$db" | grep '^retention ' | sort >gone
		diff gone - <<-END
			retention run="" tier="telemetry" before_ts=1767744000000
			retention run="" tier="telemetry_15min" before_ts=1767484800000
		END
		rolled "$db" >after
		# parts of days that have gone, again
		head -c 20000 ten.flt | store -q --db "$db" --allow-truncated
		rolled "$db" | diff after -
		store retain --db "$db" --keep-raw 3d --keep-15min 6d 2>/dev/null
		[ "$(rows "$db" | grep -c '^telemetry ')" = 192 ]
		rolled "$db" | diff after -
		store retain --db "$db" --keep-raw 0s --keep-15min 0s --keep-hour 1d 2>/dev/null
		[ "$(rows "$db" | grep -c '^telemetry ')" = 192 ]
		[ "$(rows "$db" | grep -c '^telemetry_hour ')" = 96 ]
		[ "$(rows "$db" | grep -c '^telemetry_day ')" = 20 ]
		store purge '' --db "$db"
		[ "$(rows "$db" | grep -c . || true)" -le 1 ]
	done
	try store retain more --db sqlite:a.db
	assert_status 2
}

@test "retain takes what strings, rooms and programs said only where it is told to" {
	postgres
	simulate -q --batteries 24 --days 6 --interval 1h --truth --start 2026-01-01T00:00:00Z |
		featurize -q --windows 24 --every 1d | twin -q --every 6h --refresh 6h --rul-every 12h >six.flt
	# how many rows of each table, and the first day in it
	left() {
		rows "$1" | awk '{ t[$1]++ } match($0, / ts=[0-9]+/) { ts = substr($0, RSTART + 4, RLENGTH - 4) + 0
			if (!($1 in first) || ts < first[$1]) first[$1] = ts }
			END { for (k in first) print k, t[k], int(first[k] / 86400000) - 20454 }' |
			grep -E '^(string_telemetry|environment|truth|twin_state|feature|rul_prediction|status) ' | sort
	}
	for db in sqlite:a.db "$PG"; do
		store -q --db "$db" <six.flt
		left "$db" >before
		[ "$(wc -l <before)" -ge 6 ]
		store retain --db "$db" 2>/dev/null
		left "$db" | diff before -
		rows "$db" | grep -E '^(twin_state|rul)_latest ' >newest
		store retain --db "$db" --keep-strings 1d --keep-rooms 2d --keep-states 3d 2>/dev/null
		left "$db" >after
		# The newest sample is of 6 January 23:00: days 4, 3 and 2 are the first that stay.
		awk '$3 != ($1 == "string_telemetry" ? 4 : $1 == "environment" ? 3 : 2)' after >wrong
		[ ! -s wrong ] || fail "$(cat after)"
		rows "$db" | grep -E '^(twin_state|rul)_latest ' | diff newest -
		rows "$db" | grep -c '^telemetry ' >kept
		[ "$(cat kept)" = $((24 * 144)) ]
	done
}

@test "the migration makes the roll-ups and the newest rows of what is there" {
	samples 0 172800 600 | encode -q | store -q --db sqlite:a.db
	rows sqlite:a.db >want
	store rollback --to 7 --db sqlite:a.db 2>/dev/null
	store migrate --db sqlite:a.db 2>/dev/null
	rows sqlite:a.db | diff want -
}
