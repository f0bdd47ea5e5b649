# shellcheck shell=bash
# What the tests of bridge share: a fleet in a database, a bridge that serves it, calls.
# 'load helper' and 'load bridge_helper' in the first lines of each file.

# One small fleet of two sites in a SQLite file, and the same in PostgreSQL where there is
# one; three accounts; a model registry with one model in production and one to be. Each
# test that writes takes a copy of the file.
setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	PATH=$BIN:$PATH
	make_fleet >fleet.flt
	make_models
	if find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q .; then
		"$BATS_TEST_DIRNAME/../../scripts/pg" start "$PWD" >url
	fi
	for db in sqlite:f.db $(cat url 2>/dev/null); do
		store -q --db "$db" <fleet.flt
		while read -r name role sites; do
			echo "$name has a password" |
				"$BIN/bridge" user add "$name" --role "$role" ${sites:+--sites "$sites"} --db "$db"
		done <<-END
			anna admin
			emil engineer
			vera viewer
			kim viewer DC-KKN-01
		END
	done
}

make_fleet() {
	simulate -q --batteries 240 --days 1 --interval 15m --start 2026-01-01T00:00:00Z |
		twin -q | alert -q
	# A day without trouble has no incident: one from the books.
	encode -q <<-END
		{"kind":"incident","incident_id":"1cafe","ts":"2026-01-01T06:00:00Z","subject":"DC-CNX-01","cause":"hvac-failure","title":"DC-CNX-01: air conditioning failed","severity":"critical","state":"resolved","alert_count":2,"first_ts":"2026-01-01T00:00:00Z","last_ts":"2026-01-01T06:00:00Z"}
	END
}

make_models() {
	local seed
	for seed in 1 2; do
		$PYTHON "$BATS_TEST_DIRNAME/learn-fleet.py" 150 3 $seed | encode -q | train -q --register models
		[ -e models/production ] || predict promote --registry models 2>/dev/null
	done
	simulate -q --batteries 24 --days 0.5 --interval 15m --dataset set -o /dev/null
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pg" ] || "$BATS_TEST_DIRNAME/../../scripts/pg" stop "$BATS_FILE_TMPDIR"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp -a "$BATS_FILE_TMPDIR"/f.db "$BATS_FILE_TMPDIR"/models "$BATS_FILE_TMPDIR"/set . 2>/dev/null || true
	bridge=$BIN/bridge
}

teardown() {
	[ ! -e own/pg ] || "$ROOT/scripts/pg" stop own
	local pid
	for pid in *.pid; do
		[ ! -s "$pid" ] || kill "$(cat "$pid")" 2>/dev/null || true
	done
}

said_port() {
	grep -Eq 'listening on .*:[0-9]+$' bridge.log 2>/dev/null
}

# serve DB [OPTION…]: starts bridge on a free port; its address goes to $API.
serve() {
	local db=$1
	shift
	rm -f bridge.log # or the line of the one before would be found
	"$bridge" --db "$db" --listen 127.0.0.1:0 --models models --dataset set "$@" 2>bridge.log 3>&- &
	echo $! >bridge.pid
	wait_until 20 said_port
	BASE=$(sed -n 's/.*listening on //p' bridge.log)
	API=$BASE/api/v1
}

stop() {
	kill "$(cat bridge.pid)"
	wait "$(cat bridge.pid)"
	: >bridge.pid
}

# call METHOD PATH [JSON]: the body goes to stdout and the file 'body', the status to
# $code's file, headers to 'head'. $TOKEN is used if set.
call() {
	local args=(-sS -X "$1" -D head -o body -w '%{http_code}')
	[ -z "${TOKEN:-}" ] || args+=(-H "Authorization: Bearer $TOKEN")
	[ $# -lt 3 ] || args+=(-H 'Content-Type: application/json' -d "$3")
	curl "${args[@]}" "$API$2" >code
	cat body
}

# gives STATUS METHOD PATH [JSON]: calls, and fails unless the status is that.
gives() {
	local want=$1
	shift
	call "$@" >/dev/null
	[ "$(cat code)" = "$want" ] || fail "$1 $2: $(cat code), not $want: $(head -c 300 body)"
}

# login NAME: sets $TOKEN and $REFRESH.
login() {
	TOKEN=
	gives 200 POST /auth/login "{\"username\":\"$1\",\"password\":\"${2:-$1 has a password}\",\"token_in\":\"body\"}"
	TOKEN=$(jq -r .access_token body)
	REFRESH=$(jq -r .refresh_token body)
}

# sql QUERY: asks the database $DB.
sql() {
	case $DB in
	sqlite:*) sqlite3 "${DB#sqlite:}" "$1" ;;
	*) psql -qAt "$DB" -c "$1" ;;
	esac
}

detail() {
	[ "$(jq -r .detail body)" = "$1" ] || fail "detail is $(cat body)"
}

# Every operation of the description, a line each: METHOD PATH ROLE STATUSES
operations() {
	gives 200 GET /openapi.json
	cp body openapi
	jq -r '.paths | to_entries[] | .key as $p | .value | to_entries[] |
		"\(.key | ascii_upcase) \($p) \(.value["x-role"]) \(.value.responses | keys | join(","))"' body >operations
	[ "$(wc -l <operations)" -ge 29 ]
}

# A path with something that is there in the place of {id}.
with_id() {
	case $1 in
	*/users/*) echo "${1/\{id\}/2}" ;;
	/locations/*) echo "${1/\{id\}/DC-CNX-01}" ;;
	/systems/*) echo "${1/\{id\}/DC-CNX-01-UPS-01}" ;;
	/strings/*) echo "${1/\{id\}/DC-CNX-01-UPS-01-S1}" ;;
	/models/*) echo "${1/\{id\}/$(readlink "$BATS_FILE_TMPDIR/models/production")}" ;;
	/incidents/*) echo "${1/\{id\}/$(sqlite3 "$BATS_FILE_TMPDIR/f.db" 'SELECT min(incident_id) FROM incident')}" ;;
	/alerts/*) echo "${1/\{id\}/$(sqlite3 "$BATS_FILE_TMPDIR/f.db" 'SELECT min(alert_id) FROM alert')}" ;;
	*) echo "${1/\{id\}/DC-CNX-01-UPS-01-S1-J07}" ;;
	esac
}

# What the tests of the page are made with.
MODULES=$ROOT/build/browser

# browser FILE TEST…: runs tests of tests/browser/FILE.mjs against what is served.
browser() {
	local test=$1
	shift
	[ -e "$MODULES/.made" ] || skip "no modules for the browser (make browser)"
	command -v chromium >/dev/null || skip "no chromium here"
	BROWSER_MODULES=$MODULES SHOTS=$ROOT/build/screenshots timeout 240 \
		node "$ROOT/tests/browser/$test.mjs" "$BASE" "$@"
}
