#!/usr/bin/env bats
# The stream itself, seen through encode and decode: frame, versions, merging, endpoints.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	cat >a.ndjson <<-'END'
		{"kind":"battery","code":"DC-CNX-01-UPS-01-S1-J01","model":"HX12-120","unit":0}
		{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","battery":"DC-CNX-01-UPS-01-S1-J01","voltage_v":13.57,"mode":"float","quality":[]}
		{"kind":"telemetry","ts":"2026-01-01T00:02:00Z","battery":"DC-CNX-01-UPS-01-S1-J01","voltage_v":13.59,"current_a":-0.04,"quality":["stuck","late"]}
		{"kind":"rul","ts":"2026-01-01T00:03:00.5Z","battery":"DC-CNX-01-UPS-01-S1-J01","unit":0,"source":"fused","rul_days":812.25,"factors":[["age",3],["temperature",-12.5]]}
		{"kind":"status","ts":"2026-01-01T00:04:00Z","subject":"DC-CNX-01-UPS-01-S1","status":"watch","reasons":["a \"quoted\", odd\nreason","ไฟดับ"]}
	END
	encode -q a.ndjson >a.fl
}

@test "NDJSON to records and back is exact" {
	decode -q <a.fl >1.ndjson
	encode -q 1.ndjson | decode -q >2.ndjson
	cmp 1.ndjson 2.ndjson
	encode -q 1.ndjson | cmp - a.fl
	jq -s -e '.[3].factors == [["age",3],["temperature",-12.5]]' 1.ndjson
}

@test "CSV to records and back is exact, missing and empty told apart" {
	cat >t.csv <<-'END'
		ts,battery,voltage_v,current_a,temperature_c,resistance_mohm,mode,quality
		2026-01-01T00:00:00Z,"B,1",13.57,,25,,float,0
		2026-01-01T00:01:00.250Z,"say ""B2""",,-120.5,,4.2,,voltage_range;late
	END
	encode -q --csv --kind telemetry t.csv >t.fl
	decode -q --csv --kind telemetry <t.fl | cmp - t.csv
	printf 'code,string,serial\nB1,,""\nB2,"",\n' >b.csv
	encode -q -c -k battery b.csv | decode -q | jq -c '[.string,.serial]' >b.json
	printf '[null,""]\n["",null]\n' | cmp - b.json
}

@test "decode chooses kind, fields and form" {
	run bash -c "decode -q -k telemetry -f ts,voltage_v -c <a.fl"
	[ "${lines[0]}" = "ts,voltage_v" ]
	[ "${lines[1]}" = "2026-01-01T00:00:00Z,13.57" ]
	run bash -c "decode -q -k rul -f rul_days --table --no-header <a.fl"
	[ "$output" = "812.25" ]
	try decode --csv <a.fl
	assert_status 2
	assert_stderr 'choose with --kind'
	try decode --kind telemetry --fields volts <a.fl
	assert_status 2
	assert_one_line_stderr "no field 'volts'"
}

@test "every truncation of a stream is reported, and what came is kept" {
	size=$(stat -c %s a.fl)
	for ((n = 0; n < size; n += 7)); do
		head -c "$n" a.fl >cut.fl
		try decode -i cut.fl
		assert_status 1
		assert_stderr 'truncated'
	done
	head -c $((size - 1)) a.fl >cut.fl
	try decode -q -i cut.fl
	[ "$(wc -l <"$OUT")" -eq 5 ]
	try decode -q --allow-truncated -i cut.fl
	assert_status 0
}

@test "damage is an error, never a crash" {
	size=$(stat -c %s a.fl)
	for seed in $(seq 1 60); do
		$PYTHON - "$seed" a.fl >hurt.fl <<-'END'
			import random, sys
			b = bytearray(open(sys.argv[2], "rb").read())
			r = random.Random(int(sys.argv[1]))
			for _ in range(3):
			    b[r.randrange(len(b))] = r.randrange(256)
			sys.stdout.buffer.write(b)
		END
		try decode -i hurt.fl
		assert_no_crash
		[ "$status" -le 1 ]
	done
}

@test "an independent msgpack implementation reads the same values" {
	$PYTHON - a.fl >py.ndjson <<-'END'
		import json, msgpack, struct, sys
		schema, words = {}, lambda names, v: [n for i, n in enumerate(names) if v >> i & 1]
		for kind, *fields in msgpack.Unpacker(open(sys.argv[1], "rb"), strict_map_key=False):
		    if kind == 0:
		        schema[fields[0]] = (fields[1], fields[3])
		    elif kind < 126:
		        name, described = schema[kind]
		        out = {"kind": name}
		        for (field, type_, _, names), v in zip(described, fields):
		            if v is not None and type_ == "enum":
		                v = names[v]
		            if v is not None and type_ == "bits":
		                v = words(names, v)
		            out[field] = v
		        print(json.dumps(out))
	END
	decode -q <a.fl >c.ndjson
	$PYTHON - py.ndjson c.ndjson <<-'END'
		import json, struct, sys
		from datetime import datetime
		f32 = lambda x: struct.unpack("f", struct.pack("f", x))[0]
		norm = lambda v: f32(v) if isinstance(v, float) else [norm(x) for x in v] if isinstance(v, list) else v
		n = 0
		for a, b in zip(map(json.loads, open(sys.argv[1])), map(json.loads, open(sys.argv[2]))):
		    assert a.keys() == b.keys(), (a, b)
		    for k in a:
		        v = b[k]
		        if k == "ts":
		            v = round(datetime.fromisoformat(v.replace("Z", "+00:00")).timestamp() * 1000)
		        assert norm(a[k]) == norm(v), (k, a[k], v)
		    n += 1
		assert n == 5
	END
}

@test "records written by that implementation are read" {
	$PYTHON - >py.fl <<-'END'
		import msgpack, sys
		w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v, use_single_float=False))
		w(126, "floatline", 1, None, None, [["meter", "1", ""]])
		w(0, 1, "telemetry", 9, [["battery", "code", "", None], ["ts", "time", "ms", None],
		    ["novelty", "hologram", "", None], ["voltage_v", "f64", "V", None]])
		w(1, "B1", 1767225600000, {"a": [1, 2]}, 13.5)
		w(127, 0, [[1, 1]])
	END
	try decode -q <py.fl
	assert_status 0
	jq -e '.battery == "B1" and .voltage_v == 13.5 and .ts == "2026-01-01T00:00:00Z"' "$OUT"
	encode -q a.ndjson | decode -q -i py.fl -i - | grep -c telemetry | grep -qx 3
}

@test "unknown kinds are forwarded byte for byte" {
	$PYTHON - >new.fl <<-'END'
		import msgpack, sys
		w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v))
		w(126, "floatline", 1, None, None, [["future", "2", ""]])
		w(0, 99, "dream", 3, [["ts", "time", "ms", None], ["depth", "f32", "m", None]])
		w(99, 5, 2.5)
		w(127, 0, [[99, 1]])
	END
	decode -q <new.fl | jq -e '.kind == "dream" and .depth == 2.5'
	try decode -q -o out.fl -i new.fl
	assert_status 0
	$PYTHON - new.fl out.fl <<-'END'
		import msgpack, sys
		a, b = ([x for x in msgpack.Unpacker(open(f, "rb"), strict_map_key=False) if x[0] != 126]
		    for f in sys.argv[1:])
		assert a == b, (a, b)
	END
}

@test "the end record must agree with what came" {
	$PYTHON - >lie.fl <<-'END'
		import msgpack, sys
		w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v))
		w(126, "floatline", 1, None, None, [["liar", "1", ""]])
		w(0, 19, "tick", 1, [["source", "code", "", None], ["ts", "time", "ms", None]])
		w(19, "s", 1)
		w(127, 0, [[19, 2]])
	END
	try decode -i lie.fl
	assert_status 1
	assert_stderr 'counts 2 of kind 19, but 1 came'
}

@test "a stream needs its origin, and each kind its schema" {
	printf '\x92\x01\x02' >bare.fl
	try decode -i bare.fl
	assert_status 1
	assert_stderr 'no origin record'
	try decode -i a.ndjson
	assert_status 1
	assert_stderr 'not a record'
	try decode -i /nonexistent
	assert_status 3
	try decode -i .
	assert_status 3
	assert_stderr 'is a directory'
}

@test "streams one after another are one stream; cut ones are noticed" {
	cat a.fl a.fl >aa.fl
	[ "$(decode -q <aa.fl | wc -l)" -eq 10 ]
	head -c -1 a.fl | cat - a.fl >bad.fl
	try decode -i bad.fl
	assert_status 1
}

@test "several inputs merge by time, the same every time" {
	for m in 0 1 2; do
		for s in 0 20 40; do
			echo '{"kind":"telemetry","ts":"2026-01-01T00:0'$m':'$(printf %02d $s)'Z","battery":"B'$s'"}'
		done
	done >all.ndjson
	grep B20 all.ndjson | encode -q >x.fl
	grep -v B20 all.ndjson | encode -q >y.fl
	decode -q -i x.fl -i y.fl -k telemetry -f ts -c --no-header >ts
	sort -c ts
	[ "$(wc -l <ts)" -eq 9 ]
	decode -q -i y.fl -i x.fl -k telemetry -f ts -c --no-header | cmp - ts
}

@test "different runs are never merged" {
	encode -q --run drill a.ndjson >drill.fl
	try decode -i a.fl -i drill.fl
	assert_status 1
	assert_stderr "different runs"
	try decode -q -i drill.fl
	assert_status 0
	cat a.fl drill.fl >both.fl
	try decode -i both.fl
	assert_status 1
	assert_stderr "different runs"
}

@test "gzip is read transparently, even in pieces, and its damage is noticed" {
	gzip -c a.fl >a.fl.gz
	decode -q -i a.fl.gz | wc -l | grep -qx 5
	decode -q <a.fl.gz | wc -l | grep -qx 5
	head -c 300 a.fl | gzip -c >p.gz
	tail -c +301 a.fl | gzip -c >>p.gz
	decode -q -i p.gz | wc -l | grep -qx 5
	head -c 200 a.fl.gz >cut.gz
	try decode -i cut.gz
	assert_status 1
	assert_stderr 'cut off gzip'
	{ head -c 60 a.fl.gz; printf 'garbage in the middle of it'; tail -c 100 a.fl.gz; } >bad.gz
	try decode -i bad.gz
	assert_status 1
}

@test "push to pull carries every record and ends with its producers" {
	decode -q -i "pull:@ipc://$PWD/q?producers=2" >got.ndjson &
	reader=$!
	encode -q a.ndjson -o "push:ipc://$PWD/q" &
	encode -q a.ndjson -o "push:ipc://$PWD/q"
	wait $!
	wait $reader
	[ "$(wc -l <got.ndjson)" -eq 10 ]
}

@test "pub to sub carries topics, schemas and the end" {
	decode -q -i "sub:ipc://$PWD/p?topic=telemetry/DC-CNX-01/UPS-01/S1/J01/&producers=1" >got.ndjson &
	reader=$!
	encode -q a.ndjson -o "pub:@ipc://$PWD/p?subscribers=1"
	wait $reader
	[ "$(wc -l <got.ndjson)" -eq 2 ]
	jq -s -e 'all(.kind == "telemetry")' got.ndjson
}

@test "a simulation's topics stand under its run" {
	decode -q -i "sub:ipc://$PWD/p?topic=run/drill/rul/&producers=1" >got.ndjson &
	reader=$!
	encode -q --run drill a.ndjson -o "pub:@ipc://$PWD/p?subscribers=1"
	wait $reader
	[ "$(wc -l <got.ndjson)" -eq 1 ]
}

@test "--only, --drop and -n narrow the output, and the ledger balances" {
	encode -q --only telemetry --ledger led a.ndjson | decode -q | wc -l | grep -qx 2
	encode -q --drop telemetry --ledger led a.ndjson | decode -q | wc -l | grep -qx 3
	encode -q -n 2 --ledger led a.ndjson | decode -q --ledger led | wc -l | grep -qx 2
	decode -q -n 3 --ledger led2 <a.fl | wc -l | grep -qx 3
	jq -s -e '[.[].kinds[]] | all(.in + .added == .out + .rejected + .dropped)' led led2
	try encode --only nonsense a.ndjson
	assert_status 2
	assert_one_line_stderr "unknown kind 'nonsense'"
}

@test "rejects keep source, line, reason and original" {
	printf '%s\n' '{"kind":"telemetry","battery":"B1"}' 'rubbish' '{"kind":"dream"}' '[1]' '' \
		'{"kind":"telemetry","ts":5,"battery":"B1","voltage_v":"x"}' \
		'{"kind":"telemetry","ts":5,"battery":"B1"}' >in.ndjson
	try encode --reject rej in.ndjson
	assert_status 0
	[ "$(jq -r .line rej | tr '\n' ' ')" = "1 2 3 4 6 " ]
	jq -s -e 'all(.original | length > 0)' rej
	jq -s -e '.[1].original == "rubbish" and .[1].source == "in.ndjson"' rej
	assert_stderr 'rejected 5'
	try encode --max-rejects 2 in.ndjson
	assert_status 1
	assert_stderr 'max-rejects'
}

@test "a line of a megabyte and more is rejected, the rest is read" {
	{
		head -c 3000000 /dev/zero | tr '\0' x
		echo
		cat a.ndjson
	} >big.ndjson
	try encode --reject rej big.ndjson
	assert_status 0
	decode -q <"$OUT" | wc -l | grep -qx 5
	jq -e '.reason | test("longer than")' rej
}

@test "closed pipe, full disk, terminal" {
	yes "$(sed -n 2p a.ndjson)" | head -100000 >many.ndjson
	run bash -c "set -o pipefail; encode -q many.ndjson | head -c 10 >/dev/null"
	assert_status 141
	run bash -c "set -o pipefail; encode -q many.ndjson | decode -q | head -1 >/dev/null"
	assert_status 141
	try bash -c "encode -q many.ndjson >/dev/full"
	assert_status 3
	assert_one_line_stderr 'No space left'
	try bash -c "decode -q -i a.fl >/dev/full"
	assert_status 3
	run script -qec "encode a.ndjson" /dev/null
	assert_status 2
	[[ $output == *"terminal"* ]]
}

@test "one output lost of two: the other goes on, status 3" {
	yes "$(sed -n 2p a.ndjson)" | head -50000 >many.ndjson
	mkfifo f
	head -c 100 f >/dev/null &
	try encode -q many.ndjson -o f -o whole.fl
	assert_status 3
	assert_stderr 'going on without it'
	decode -q -i whole.fl | wc -l | grep -qx 50000
}

@test "SIGTERM to a source ends the stream as interrupted" {
	mkfifo in
	encode -q in >out.fl &
	source=$!
	exec 9>in
	cat a.ndjson >&9
	wait_for_file out.fl
	kill -TERM $source
	wait $source
	exec 9>&-
	try decode -i out.fl
	assert_status 0
	assert_stderr 'interrupted'
	[ "$(wc -l <"$OUT")" -eq 5 ]
}

@test "the same input gives the same bytes" {
	encode -q a.ndjson | cmp - a.fl
	encode -q <a.ndjson | cmp - a.fl
	while read -r line; do
		echo "$line"
	done <a.ndjson | encode -q --flush-ms 0 | cmp - a.fl
}

@test "metrics are Prometheus text and hold the ledger's numbers" {
	decode -q --metrics m.prom <a.fl >/dev/null
	grep -qx 'floatline_records_total{program="decode",kind="telemetry",direction="in"} 2' m.prom
}

@test "a push output waits for its reader, and fails when that leaves early" {
	yes "$(sed -n 2p a.ndjson)" | head -400000 >many.ndjson
	encode -q many.ndjson -o "push:ipc://$PWD/q" 2>err 3>&- &
	writer=$!
	decode -q -n 10 -i "pull:@ipc://$PWD/q?hwm=1" >/dev/null
	status=0
	wait $writer || status=$?
	assert_status 3
	grep -q 'has gone' err
}

@test "a push output without a reader waits, and a signal ends it with 3" {
	encode -q a.ndjson -o "push:ipc://$PWD/nobody" 2>err 3>&- &
	writer=$!
	wait_until 5 test -n "$(ls /proc/$writer/task 2>/dev/null)"
	wait_until 5 grep -q '^SigCgt:.*[4567cdef]...$' /proc/$writer/status
	kill -TERM $writer
	status=0
	wait $writer || status=$?
	assert_status 3
	grep -q 'waiting for a reader' err
}

@test "rubbish from a peer is dropped and counted, the stream goes on" {
	decode -q -i "pull:@ipc://$PWD/q?producers=1" >got.ndjson 2>err 3>&- &
	reader=$!
	$PYTHON - "ipc://$PWD/q" a.fl <<-'END'
		import sys, zmq
		context = zmq.Context()
		s = context.socket(zmq.PUSH)
		s.connect(sys.argv[1])
		s.send(b"x")
		s.send(b"\x92\x01")
		s.send(open(sys.argv[2], "rb").read())
		s.close()
		context.term() # not before all is sent, as the end of Python would
	END
	wait $reader
	[ "$(wc -l <got.ndjson)" -eq 5 ]
	grep -q '2 messages$' err
}

@test "a slow subscriber loses records, is told so, and still sees the end" {
	yes "$(sed -n 2p a.ndjson)" | head -60000 >many.ndjson
	mkfifo slow
	decode -q -i "sub:ipc://$PWD/p?hwm=10&producers=1" >slow 2>err 3>&- &
	reader=$!
	exec 8<slow
	encode -q many.ndjson -o "pub:@ipc://$PWD/p?subscribers=1&hwm=10" 3>&- &
	writer=$!
	# It has read, and so tried to publish, all before anybody reads the pipe.
	size=$(stat -c %s many.ndjson)
	has_read() {
		local n
		n=$(sed -n 's/^rchar: //p' "/proc/$writer/io" 2>/dev/null)
		[ -z "$n" ] || [ "$n" -ge "$size" ] # no number: it has ended
	}
	wait_until 20 has_read
	cat <&8 >got.ndjson
	exec 8<&-
	wait $reader
	wait $writer
	[ "$(wc -l <got.ndjson)" -lt 60000 ]
	lost=$(sed -nE 's/.* ([0-9]+) records by the end record.*/\1/p' err)
	[ "$lost" -eq $((60000 - $(wc -l <got.ndjson))) ]
}

@test "after a signal a pipe is read to its end though a socket is an input too" {
	mkfifo in
	decode -q -i in -i "pull:@ipc://$PWD/q" >got.ndjson 2>err 3>&- &
	reader=$!
	exec 9>in
	head -c 900 a.fl >&9
	wait_for_socket q
	wait_until 5 test -s got.ndjson
	kill -TERM $reader
	tail -c +901 a.fl >&9
	exec 9>&-
	wait $reader
	[ "$(wc -l <got.ndjson)" -eq 5 ]
}

@test "a filter's own records keep what an older layout in the input has no room for" {
	$PYTHON - >old.fl <<-'END'
		import msgpack, sys
		w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v))
		w(126, "floatline", 1, None, None, [["alert", "0", ""]])
		w(0, 24, "status", 1, [["ts", "time", "ms", None], ["subject", "code", "", None],
		    ["status", "enum", "", ["healthy"]]])
		w(24, 1767225600000, "OLD", 0)
		w(127, 0, [[24, 1]])
	END
	encode -q a.ndjson --only telemetry,battery >new.fl
	decode -q -i old.fl -i new.fl -o both.fl >/dev/null
	alert -q -i old.fl -i a.fl | decode -q -k status | jq -s -e 'all(.status != null) and length > 1'
}

@test "a bad record spoils neither its neighbours nor a merge" {
	$PYTHON - >bad.fl <<-'END'
		import msgpack, sys
		w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v))
		w(126, "floatline", 1, None, None, [["meter", "1", ""]])
		w(0, 1, "telemetry", 9, [["ts", "time", "ms", None], ["battery", "code", "", None],
		    ["voltage_v", "f32", "V", None]])
		w(1, 1767225600000, "B1", float("inf"))
		w(1, 1767225600001, "B1", 13.5)
		w(127, 0, [[1, 2]])
	END
	try broadcast -q --bind "inproc://x" -i a.fl -i bad.fl -o merged.fl --reject rej
	assert_status 0
	jq -e '.source == "bad.fl" and (.reason | test("voltage_v"))' rej
	decode -q -i merged.fl -k telemetry | wc -l | grep -qx 3
}

@test "an output is never one of the inputs" {
	cp a.fl x.fl
	try decode -q -i x.fl -o x.fl
	assert_status 2
	assert_one_line_stderr 'both input and output'
	cmp a.fl x.fl
}

@test "the same program twice stands twice in the chain, and the ledger follows" {
	encode -q --ledger led a.ndjson | broadcast -q --bind inproc://x --ledger led -o - |
		broadcast -q --bind inproc://x --drop telemetry --ledger led -o - |
		decode -q --ledger led >/dev/null
	ledger_balances led
}

@test "metrics that cannot be written fail the program" {
	try decode -q --metrics /nonexistent/m.prom -i a.fl
	assert_status 3
}

@test "a socket nobody answers on is named" {
	decode -q -i "pull:ipc://$PWD/nobody" 2>err 3>&- &
	reader=$!
	wait_until 10 grep -q "nothing from 'ipc://$PWD/nobody' yet" err
	kill -TERM $reader
	wait $reader || true
}
