load helper

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	$PYTHON -c 'import zmq, msgpack' 2>/dev/null || skip "no python3-zmq and python3-msgpack"
	foreign_stream 6912 >s.flt
	ADDRESS=tcp://127.0.0.1:$(free_port)
}

# subscribe [PREFIX]: the example subscriber, in the background; its lines in got, what it
# lost in lost.
subscribe() {
	timeout 60 "$ROOT/pipelines/examples/subscribe.py" "$ADDRESS" "$@" >got 2>lost &
	SUBSCRIBER=$!
}

@test "a subscriber in another language gets every record, by name, and no gaps" {
	subscribe
	broadcast --bind "$ADDRESS" --wait-subscribers 1 --ledger l -i s.flt
	wait "$SUBSCRIBER"
	[ "$(cat lost)" = "0 messages lost" ]
	[ "$(jq -c 'select(.kind == "telemetry")' got | wc -l)" -eq "$(records_of telemetry s.flt)" ]
	jq -e -s 'map(select(.kind == "telemetry")) | .[0] | .battery and .voltage_v > 12 and .voltage_v < 15' got
	ledger_balances l
}

@test "a topic narrows what a subscriber gets, to one jar and no other" {
	subscribe telemetry/DC-CNX-01/REC-01/S1/J02/
	broadcast --bind "$ADDRESS" --wait-subscribers 1 -i s.flt
	wait "$SUBSCRIBER"
	[ "$(jq -r .battery got | sort -u)" = DC-CNX-01-REC-01-S1-J02 ]
	[ "$(wc -l <got)" -eq 288 ]
}

@test "several subscribers each get everything" {
	timeout 60 "$ROOT/pipelines/examples/subscribe.py" "$ADDRESS" telemetry/ >got2 2>lost2 &
	second=$!
	subscribe telemetry/
	broadcast --bind "$ADDRESS" --wait-subscribers 2 -i s.flt
	wait "$SUBSCRIBER" "$second"
	[ "$(wc -l <got)" -eq "$(records_of telemetry s.flt)" ]
	cmp got got2
}

@test "-n ends the feed early and properly" {
	subscribe telemetry/
	broadcast --bind "$ADDRESS" --wait-subscribers 1 -n 500 -i s.flt
	wait "$SUBSCRIBER"
	[ "$(wc -l <got)" -le 500 ]
	[ "$(wc -l <got)" -gt 0 ]
}

@test "an address in use is status 3 with one line" {
	port=${ADDRESS##*:}
	$PYTHON -c "
import socket, sys
s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen()
open('ready', 'w').write('x'); sys.stdin.read()" <> <(:) &
	holder=$!
	wait_for_file ready
	try broadcast -q --bind "$ADDRESS" -i s.flt
	kill "$holder"
	assert_status 3
	assert_one_line_stderr "$port"
}

@test "an address that is none is wrong usage" {
	try broadcast -q --bind nonsense -i s.flt
	assert_status 2
	assert_one_line_stderr "nonsense"
	try broadcast s.flt
	assert_status 2
	assert_one_line_stderr "use -i"
}

# --- late joiners ---

# measured FROM TO: a stream of 24 jars, a sample a minute each, from minute FROM to TO.
measured() {
	$PYTHON - "$1" "$2" <<-'END'
		import msgpack, sys

		def put(*record):
		    sys.stdout.buffer.write(msgpack.packb(record, use_single_float=True))

		put(126, "floatline", 1, None, None, [["foreign", "1", ""]])
		put(0, 1, "telemetry", 1, [["ts", "time", "ms", []], ["battery", "code", "", []],
		                           ["voltage_v", "f32", "V", []]])
		first, last = int(sys.argv[1]), int(sys.argv[2])
		for minute in range(first, last):
		    for jar in range(24):
		        put(1, 1750000000000 + minute * 60000, "DC-CNX-01-REC-01-S1-J%02d" % (jar + 1), 13.5)
		put(127, 0, [[1, (last - first) * 24]])
	END
}

# feed: broadcast from a FIFO that stays open on fd 9, with snapshots at $ASK.
feed() {
	ASK=tcp://127.0.0.1:$(free_port)
	mkfifo feed.in
	broadcast -q --bind "$ADDRESS" --snapshot "$ASK" <feed.in &
	FEED=$!
	exec 9>feed.in
}

# join NAME [OPTIONS]: a late subscriber in the background, its records in NAME.
join() {
	decode -i "sub:$ADDRESS?snapshot=$ASK&producers=1${2:-}" >"$1" 2>"$1.err" 9>&- &
}

lines_in() {
	[ "$(wc -l <"$1")" -ge "$2" ]
}

# minutes FILE JAR: the minutes of a jar's samples, in the order they came.
minutes() {
	jq -r "select(.battery == \"DC-CNX-01-REC-01-S1-J$2\") | .ts" "$1" |
		$PYTHON -c 'import sys, datetime as d
for t in sys.stdin: print(int(d.datetime.fromisoformat(t.strip().replace("Z", "+00:00")).timestamp() - 1750000000) // 60)'
}

@test "a late joiner gets the last value of each battery, then every update once" {
	feed
	measured 0 100 >&9
	join got
	wait_until 10 lines_in got 24
	measured 100 110 >&9
	exec 9>&-
	wait
	for jar in 01 13 24; do
		[ "$(minutes got $jar | tr '\n' ' ')" = "$(seq -s ' ' 99 109) " ]
	done
	[ "$(wc -l <got)" -eq $((24 * 11)) ]
	! grep -q lost got.err
}

@test "who joins in full flow sees neither a gap nor a repeat" {
	feed
	measured 0 6000 >&9 &
	producer=$!
	for name in a b c; do
		join $name '&hwm=1000000'
		wait_until 10 lines_in $name 1
	done
	wait "$producer"
	measured 6000 6001 >&9
	exec 9>&-
	wait
	for name in a b c; do
		for jar in 01 24; do
			minutes $name $jar >m
			seq "$(head -n 1 m)" 6000 | cmp - m
		done
		! grep -q 'missed\|lost' $name.err
	done
}

@test "a late joiner's topics hold for the snapshot as well" {
	feed
	measured 0 10 >&9
	join got '&topic=telemetry/DC-CNX-01/REC-01/S1/J02/&topic=telemetry/DC-CNX-01/REC-01/S1/J04/'
	wait_until 10 lines_in got 2
	measured 10 12 >&9
	exec 9>&-
	wait
	[ "$(wc -l <got)" -eq 6 ]
	[ "$(jq -r .battery got | sort -u | tr '\n' ' ')" = "DC-CNX-01-REC-01-S1-J02 DC-CNX-01-REC-01-S1-J04 " ]
}

@test "a simulation's snapshot is under its run" {
	feed
	simulate -q --batteries 24 --days 1 --interval 1h --run what-if >run.flt
	cat run.flt >&9
	join none '&topic=telemetry/'
	join run '&topic=run/what-if/telemetry/'
	wait_until 10 lines_in run 24
	exec 9>&-
	wait
	[ "$(wc -l <run)" -eq 24 ]
	[ ! -s none ]
}

@test "a late joiner hears of open alerts with the state, and of no resolved ones" {
	feed
	$PYTHON - >a.ndjson <<-'END'
		import json
		for i, state in (1, "firing"), (2, "firing"), (3, "pending"), (1, "resolved"), (4, "firing"):
		    print(json.dumps({"kind": "alert", "alert_id": f"A{i}", "ts": "2026-01-01T00:00:00Z",
		                      "subject": "DC-CNX-01-REC-01-S1-J01", "rule": f"r{i}",
		                      "severity": "warning", "state": state}))
	END
	encode -q <a.ndjson >&9
	join got
	wait_until 10 lines_in got 3
	exec 9>&-
	wait
	[ "$(jq -r '.alert_id + .state' got | tr '\n' ' ')" = "A2firing A3pending A4firing " ]
}

# One more minute is published; whether FILE has it, of all jars.
caught_up() {
	measured "$minute" $((minute + 1)) >&9
	minute=$((minute + 1))
	wait_until 5 lines_in prompt $((24 * minute))
	[ "$(tail -n 24 "$1" | jq -r .ts | sort -u)" = "$(tail -n 1 prompt | jq -r .ts)" ]
}

@test "a slow subscriber holds up nobody, is told what it missed, and catches up" {
	feed
	mkfifo slow go
	join prompt '&hwm=1000000'
	decode -i "sub:$ADDRESS?snapshot=$ASK&producers=1&hwm=100" 2>slow.err >slow 9>&- &
	$PYTHON -c 'import sys; open("go").read(1); sys.stdout.reconfigure(line_buffering=True); [sys.stdout.write(l) for l in sys.stdin]' <slow >got 9>&- &
	minute=1
	measured 0 $minute >&9
	wait_until 10 lines_in prompt 24
	minute=12000
	measured 1 $minute >&9
	wait_until 30 lines_in prompt $((24 * minute))
	echo >go
	wait_until 30 caught_up got
	grep -q 'messages missed by now' slow.err
	exec 9>&-
	wait
}

@test "who missed something asks for what changed" {
	$PYTHON - 9>&- "$ADDRESS" >asked <<-'END' &
		import msgpack, sys, zmq
		context = zmq.Context()
		pub, router = context.socket(zmq.XPUB), context.socket(zmq.ROUTER)
		pub.bind(sys.argv[1])
		router.bind(sys.argv[1] + "9")
		schema = msgpack.packb([126, "floatline", 1, None, None, []]) + msgpack.packb(
		    [0, 1, "telemetry", 1, [["ts", "time", "ms", []], ["battery", "code", "", []]]])
		def message(topic, number, body):
		    return [topic, msgpack.packb(["feed", number]), body]
		def sample(jar, ts):
		    return msgpack.packb([1, ts, f"S-UPS-01-S1-J0{jar}"])
		def answer(*messages):
		    who, verb, position, *prefixes = router.recv_multipart()
		    print(verb.decode(), position.decode(), flush=True)
		    router.send_multipart([who, position, *sum(messages, []), b""])
		while pub.recv() != b"\1schema/": pass
		pub.send_multipart(message(b"schema/", 1, schema))
		answer(message(b"t/1/", 5, sample(1, 5)), message(b"t/2/", 7, sample(2, 7)))
		for topic, number, jar in (b"t/1/", 5, 1), (b"t/1/", 6, 1), (b"t/1/", 8, 1):
		    pub.send_multipart(message(topic, number, sample(jar, number)))
		answer(message(b"t/1/", 8, sample(1, 8)), message(b"t/2/", 7, sample(2, 7)),
		       message(b"t/3/", 1, sample(3, 1)))
		pub.recv()  # it has all it needs, and leaves
	END
	decode -q -n 6 -i "sub:$ADDRESS?snapshot=${ADDRESS}9" >got 2>err
	[ "$(cat asked)" = $'snapshot 0\nchanges 0' ]
	[ "$(jq -r '.battery[-1:] + .ts[-4:-1]' got | tr '\n' ' ')" = "1005 2007 1006 1008 1008 3001 " ]
	grep -q "1 messages missed by now" err
}

@test "a publisher that comes back is asked for its state anew" {
	feed
	measured 0 10 >&9
	decode -q -n 48 -i "sub:$ADDRESS?snapshot=$ASK" >got 9>&- &
	reader=$!
	wait_until 10 lines_in got 24
	exec 9>&-
	wait "$FEED"
	broadcast -q --bind "$ADDRESS" --snapshot "$ASK" <feed.in &
	exec 9>feed.in
	measured 100 101 >&9
	wait "$reader"
	exec 9>&-
	wait
	[ "$(minutes got 07 | tr '\n' ' ')" = "9 100 " ]
}

@test "without an answer the feed goes on, and says so" {
	mkfifo feed.in
	broadcast -q --bind "$ADDRESS" --wait-subscribers 1 <feed.in &
	exec 9>feed.in
	ASK=tcp://127.0.0.1:$(free_port)
	join got
	measured 0 1 >&9
	wait_until 20 lines_in got 24
	exec 9>&-
	wait
	grep -q "no snapshot from '$ASK' yet" got.err
	[ "$(wc -l <got)" -eq 24 ]
}

@test "questions that are none do no harm" {
	feed
	measured 0 10 >&9
	$PYTHON - "$ASK" <<-'END'
		import os, sys, zmq
		s = zmq.Context().socket(zmq.DEALER)
		s.connect(sys.argv[1])
		for parts in [b""], [b"snapshot"], [b"snapshot", b"x"], [b"nothing", b"0"], [b"snapshot", b"-1"], \
		        [b"snapshot", b"99999999999999999999"], [b"snapshot", b"0"] + [b"t"] * 99, \
		        [b"snapshot", b"0", b"x" * 127], [os.urandom(64)] * 3:
		    s.send_multipart(parts)
		s.send_multipart([b"snapshot", b"4000000000"])
		assert s.recv_multipart()[:2] == [b"0", b"schema/"]
		assert s.recv_multipart() == [b"4000000000", b""]
		s.close()
	END
	join got
	wait_until 10 lines_in got 24
	exec 9>&-
	wait
	[ "$(wc -l <got)" -eq 24 ]
}

@test "the example in another language joins late" {
	feed
	measured 0 10 >&9
	timeout 60 "$ROOT/pipelines/examples/join.py" "$ADDRESS" "$ASK" telemetry/ >got 9>&- &
	wait_until 10 lines_in got 24
	measured 10 11 >&9
	exec 9>&-
	wait
	[ "$(wc -l <got)" -eq 48 ]
}

@test "a snapshot address that is none, or in use, is said" {
	try broadcast -q --bind "$ADDRESS" --snapshot nonsense -i s.flt
	assert_status 2
	assert_one_line_stderr "nonsense"
	try broadcast -q --bind "$ADDRESS" --snapshot "$ADDRESS" -i s.flt
	assert_status 3
	assert_one_line_stderr "Address already in use"
}
