# The live demo: from nothing to a page with a fleet that runs, and to nothing again.
load helper

# bats file_tags=slow

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	PATH=$BIN:$PATH
	# a small model takes the place of the one the demo would train
	$PYTHON "$BATS_TEST_DIRNAME/learn-fleet.py" 150 3 1 | encode -q | train -q --out model
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir demo tmp
	cp -a "$BATS_FILE_TMPDIR/model" demo
	export TMPDIR=$PWD/tmp
}

teardown() {
	[ ! -s pid ] || kill -TERM "$(cat pid)" 2>/dev/null || true
}

# start BATTERIES: the demo in a session of its own, whose number is in the file pid, and
# with the signal of Ctrl-C as a terminal leaves it, not ignored as in the background.
start() {
	rm -f said errors # what the last one said is not this one's
	$PYTHON -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.setsid()
os.execv(sys.argv[1], sys.argv[1:])' "$ROOT/pipelines/demo-live.sh" --batteries "$1" --listen 127.0.0.1:0 demo >said 2>errors 3>&- &
	echo $! >pid
}

# begin: starts the demo with one string; its address and password go to $API, $password.
begin() {
	start 24
	wait_until 120 grep -q '^Ctrl-C' said
	API=$(sed -n 's/^The dashboard: //p' said | sed 's/localhost/127.0.0.1/')/api/v1
	password=$(sed -n 's/^User admin, password //p' said)
}

ask() {
	curl -sSf -H "Authorization: Bearer $TOKEN" "$API$1"
}

login() {
	TOKEN=$(jq -n --arg p "$password" '{username: "admin", password: $p}' |
		curl -sSf -H 'Content-Type: application/json' -d @- "$API/auth/login" | jq -r .access_token)
}

samples() {
	ask /telemetry/stats | jq .samples
}

@test "demo --live: log in with what it says, samples flow, Ctrl-C ends all of it; again" {
	for _ in 1 2; do
		begin
		login
		[ "$(ask /fleet/summary | jq .batteries)" = 24 ]
		[ "$(ask /auth/me | jq -r .role)" = admin ]
		# history: thirty days
		ask /telemetry/date-range | jq -e '(.last | sub("\\.[0-9]+"; "") | fromdate) - (.first | sub("\\.[0-9]+"; "") | fromdate) > 29 * 86400'
		# … and a prediction each day of it
		since=$(date -u -d '31 days ago' +%FT%TZ)
		[ "$(ask "/batteries/DC-CNX-01-REC-01-S1-J07/rul?limit=1000&start=$since" | jq '[.items[] | select(.source == "fused")] | length')" -gt 20 ]
		ask /models | jq -e '.items[0].status == "production"'
		n=$(samples)
		more_samples() {
			[ "$(samples)" -gt "$n" ]
		}
		wait_until 60 more_samples
		# the secret stands on no command line
		! pgrep -fa -- "$password" || fail "the password is on a command line"
		kill -INT "$(cat pid)"
		wait_for_exit "$(cat pid)" 15
		wait "$(cat pid)"
		! pgrep -s "$(cat pid)" || fail "left running: $(pgrep -sa "$(cat pid)")"
		[ -z "$(ls tmp)" ]
		[ ! -s errors ] || fail "$(cat errors)"
	done
}

@test "demo --live: ended while it makes history, and refused where it cannot serve" {
	start 1944
	wait_until 60 test -s demo/live.db
	kill -TERM "$(cat pid)"
	wait_for_exit "$(cat pid)" 20
	! pgrep -s "$(cat pid)" || fail "left running: $(pgrep -sa "$(cat pid)")"
	status=0
	$PYTHON -c 'import socket, time
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
print(s.getsockname()[1], flush=True)
time.sleep(300)' >port 3>&- &
	holder=$!
	wait_for_file port
	port=$(cat port)
	timeout 120 "$ROOT/pipelines/demo-live.sh" --batteries 24 --listen "127.0.0.1:$port" demo >said 2>errors || status=$?
	kill "$holder"
	[ "$status" -eq 3 ]
	grep -q "cannot listen on '127.0.0.1' port $port" errors
	[ -z "$(ls tmp)" ]
	run "$ROOT/pipelines/demo-live.sh" --frob
	assert_status 2
}
