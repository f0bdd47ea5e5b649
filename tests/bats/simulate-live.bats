load helper

# simulate by the clock, and commanded.

jsonl() {
	decode -q "$@"
}

# What a failed test has left running.
teardown() {
	local left
	left=$(jobs -p)
	[ -z "$left" ] || kill $left 2>/dev/null || true
}

@test "simulate: SIGTERM while live ends the stream as interrupted" {
	simulate -q --live --batteries 24 --interval 1s >"$BATS_TEST_TMPDIR/s" &
	local pid=$!
	wait_for_file "$BATS_TEST_TMPDIR/s"
	kill -TERM "$pid"
	local r=0
	wait "$pid" || r=$?
	[ "$r" -eq 0 ] || fail "status $r"
	$PYTHON - "$BATS_TEST_TMPDIR/s" <<-'END'
		import msgpack, sys
		records = list(msgpack.Unpacker(open(sys.argv[1], "rb"), strict_map_key=False))
		assert records[0][0] == 126 and records[-1][0] == 127, records[-1]
		assert records[-1][1] == 1, "reason: %r" % records[-1][1]
	END
}

@test "simulate: live is prompt and keeps its pace" {
	# a hundred seconds of the run in one of the clock
	local t0 t1
	t0=$(date +%s%N)
	simulate -q --live --speed 100 --batteries 24 --interval 10s --days 0.0011574 \
		>"$BATS_TEST_TMPDIR/s"
	t1=$(date +%s%N)
	[ "$(records_of environment "$BATS_TEST_TMPDIR/s")" -eq 10 ]
	[ $((t1 - t0)) -ge 850000000 ]
}

@test "simulate: live but idle it ticks each second of the clock" {
	# twenty minutes of the run in five seconds: a sample at each end, ticks between, but
	# for those a busy machine comes a second late to
	simulate -q --live --speed 240 --batteries 24 --interval 20m --days 0.0139 >"$BATS_TEST_TMPDIR/s"
	[ "$(records_of environment "$BATS_TEST_TMPDIR/s")" -eq 2 ]
	jsonl -k tick <"$BATS_TEST_TMPDIR/s" | jq -s -e 'length >= 1 and length <= 4 and
		([.[].ts] | . == (sort | unique)) and all(.[]; .source == "simulate")'
}

@test "simulate: commands are obeyed while live, wrong ones answered, none kill it" {
	$PYTHON -c 'import zmq' 2>/dev/null || skip "no python3-zmq"
	local endpoint="ipc://$BATS_TEST_TMPDIR/control"
	# two strings in two threads
	simulate -q --live --speed 600 --batteries 48 --jobs 2 --interval 10m --start 2026-01-01 --control "$endpoint" \
		>"$BATS_TEST_TMPDIR/s" &
	local pid=$!
	$PYTHON - "$endpoint" <<-'END'
		import json, sys, time, zmq
		s = zmq.Context().socket(zmq.REQ)
		s.setsockopt(zmq.RCVTIMEO, 20000)
		s.connect(sys.argv[1])
		def raw(b):
		    s.send(b)
		    return json.loads(s.recv())
		def ask(**k):
		    return raw(json.dumps(k).encode())
		r = ask(command="status")
		assert r["running"] is True and r["live"] is True and r["strings"] == 2 and r["batteries"] == 48, r
		for bad in (b"", b"\xff\x00", b"[" * 70000, b'{"command":"apply"}', b'{"command":"apply","scenario":"heatwave","target":"DC-X"}'):
		    r = raw(bad)
		    assert r["ok"] is False and r["error"], r
		s.send_multipart([b'{"command":"stop"}', b'{"command":"stop"}'])
		assert json.loads(s.recv())["ok"] is False
		# stopped, its clock stands still
		now = ask(command="stop")["now"]
		time.sleep(0.3)
		assert ask(command="status")["now"] == now
		r = ask(command="apply", scenario="power_outage", target="DC-CNX-01-REC-01-S1", duration="1h")
		assert r == {"ok": True, "id": 1}, r
		assert ask(command="set", parameter="load", target="all", value=2)["id"] == 2
		assert ask(command="set", parameter="load", target="all", value=1.5)["id"] == 3
		assert ask(command="apply", scenario="heatwave", target="all", start="+100d")["id"] == 4
		assert ask(command="clear", id=4) == {"ok": True, "cleared": 1}
		assert ask(command="clear", id=77)["ok"] is False
		# in the other thread's string, and of the site both have
		assert ask(command="set", parameter="charger_voltage", target="DC-CNX-01-REC-01-S2", value=0.1)["id"] == 5
		assert ask(command="set", parameter="ambient_temperature", target="all", value=3)["id"] == 6
		assert ask(command="set", parameter="rate", id=6, value=0.001) == {"ok": True, "id": 6}
		assert ask(command="set", parameter="rate", id=99, value=1)["ok"] is False
		assert ask(command="start")["running"] is True
		while not any(x["active"] for x in ask(command="list")["scenarios"]):
		    time.sleep(0.05)
		l = ask(command="list")
		assert "thermal_runaway" in l["known"]
		by_id = {x["id"]: x for x in l["scenarios"]}
		assert 4 not in by_id and 2 not in by_id and by_id[3]["level"] == 1.5, by_id
		assert by_id[6]["rate"] == 0.001 and by_id[6]["level"] < 0.5, by_id
		# an hour of outage passes in six seconds
		until = time.time() + 60
		while any(x["id"] == 1 for x in ask(command="list")["scenarios"]) and time.time() < until:
		    time.sleep(0.1)
		assert ask(command="clear")["ok"] is True
	END
	kill -TERM "$pid"
	wait "$pid"
	# 31.2 A of the design load, 1.5 times
	jsonl -k string_telemetry <"$BATS_TEST_TMPDIR/s" |
		jq -s -e '[.[] | select(.mode == "discharge") | .current_a] | length > 3 and all(.[]; . < -44 and . > -50)'
	jsonl -k event <"$BATS_TEST_TMPDIR/s" | jq -s -e '[.[] | select(.note == "power_outage 1") | .status] ==
		["in_progress", "completed"]'
}

@test "simulate: who asks while history is made is answered, but not obeyed" {
	$PYTHON -c 'import zmq' 2>/dev/null || skip "no python3-zmq"
	local endpoint="ipc://$BATS_TEST_TMPDIR/control"
	simulate -q --live --batteries 216 --jobs 2 --backfill 3000d@1m --control "$endpoint" >/dev/null &
	local pid=$!
	$PYTHON - "$endpoint" <<-'END'
		import json, sys, zmq
		s = zmq.Context().socket(zmq.REQ)
		s.setsockopt(zmq.RCVTIMEO, 60000)
		s.connect(sys.argv[1])
		def ask(**k):
		    s.send(json.dumps(k).encode())
		    return json.loads(s.recv())
		r = ask(command="status")
		assert r["ok"] is True and r["live"] is False and r["batteries"] == 216, r
		assert ask(command="list")["scenarios"] == []
		r = ask(command="apply", scenario="heatwave", target="all")
		assert r["ok"] is False and "history" in r["error"], r
		assert ask(command="status")["now"] >= "2010"
	END
	kill -TERM "$pid"
	wait "$pid"
}

@test "simulate: live without a start it is as late as the clock" {
	# samples an hour apart: what comes between tells the time
	local before after
	before=$(date +%s)
	simulate -q --live --batteries 24 --interval 1h --only tick -n 1 >"$BATS_TEST_TMPDIR/s"
	after=$(date +%s)
	jsonl <"$BATS_TEST_TMPDIR/s" | jq -s -e --argjson a "$before" --argjson b "$after" \
		'length == 1 and (.[0].ts | sub("[.][0-9]+Z"; "Z") | fromdateiso8601 | . >= $a - 1 and . <= $b)'
	# but history comes first, up to now
	simulate -q --live --batteries 24 --interval 1h --backfill 2d@1h --only tick,environment -n 51 |
		jsonl | jq -s -e '[.[] | select(.kind == "environment")] | length == 49'
}
