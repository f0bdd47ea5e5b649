#!/usr/bin/env bats
# Records as text and back, where it is hard: damage, several layouts, several outputs,
# slow and lost readers, foreign kinds, characters that mean something.
load helper

setup() {
	cd "$BATS_TEST_TMPDIR"
	cat >a.ndjson <<-'END'
		{"kind":"battery","code":"B1"}
		{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","battery":"B1","voltage_v":13.57,"mode":"float"}
		{"kind":"telemetry","ts":"2026-01-01T00:02:00Z","battery":"B1","voltage_v":13.59,"current_a":-0.04}
	END
	encode -q a.ndjson >a.fl
}

# stream PYTHON: a stream of another producer; w writes a record.
stream() {
	$PYTHON -c "import msgpack, sys
w = lambda *v: sys.stdout.buffer.write(msgpack.packb(v))
w(126, 'floatline', 1, None, None, [['other', '1', '']])
$1"
}

# An older producer: other order, fewer fields.
old_telemetry() {
	stream "
w(0, 1, 'telemetry', 1, [['voltage_v', 'f32', 'V', None], ['battery', 'code', '', None], ['ts', 'time', 'ms', None]])
w(1, 13.5, 'B9', 1767225600000)
w(127, 0, [[1, 1]])"
}

dreams() {
	stream "
w(0, 99, 'dream', 3, [['ts', 'time', 'ms', None], ['depth', 'f64', 'm', None]])
$1
w(127, 0, [[99, 1]])"
}

@test "what was decoded before the damage is printed, as the ledger counts it" {
	for form in -j -c -t; do
		try bash -c "(cat a.fl; printf xx) | decode --ledger led --kind telemetry --no-header $form"
		assert_status 1
		assert_stderr 'not a record'
		[ "$(wc -l <"$OUT")" -eq 2 ]
	done
	jq -s -e 'all(.kinds.telemetry.out == 2)' led
}

@test "a second layout of a kind goes under the first one's columns" {
	old_telemetry >old.fl
	cat old.fl a.fl >both.fl
	decode -q -k telemetry -c -f ts,battery,voltage_v,current_a <both.fl >got
	cat >want <<-'END'
		ts,battery,voltage_v,current_a
		2026-01-01T00:00:00Z,B9,13.5,
		2026-01-01T00:00:00Z,B1,13.57,
		2026-01-01T00:02:00Z,B1,13.59,-0.04
	END
	diff want got
	# All columns, whichever comes first.
	cat a.fl old.fl >again.fl
	for f in both.fl again.fl; do
		decode -q -k telemetry -c -i "$f" | encode -q -c -k telemetry | decode -q |
			jq -c '[.ts,.battery,.voltage_v,.mode]' | sort >"$f.rows"
	done
	diff both.fl.rows again.fl.rows
	decode -q -k telemetry -t -f battery,voltage_v,current_a <both.fl >got
	cat >want <<-'END'
		battery  voltage_v  current_a
		B9       13.5       
		B1       13.57      
		B1       13.59      -0.04
	END
	diff want got
}

@test "a field an older stream does not have is missing, not an error" {
	old_telemetry >old.fl
	decode -q -k telemetry -f ts,current_a -i old.fl >got
	echo '{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","current_a":null}' | diff - got
	[ "$(decode -q -k telemetry -f current_a,voltage_v -c --no-header -i old.fl)" = ,13.5 ]
}

@test "--only and --drop narrow the text as they narrow the records" {
	decode --ledger led --only telemetry <a.fl 2>/dev/null | jq -s -e 'length == 2 and all(.kind == "telemetry")'
	decode --ledger led --drop telemetry -o out.fl <a.fl 2>/dev/null | jq -s -e 'length == 1 and .[0].kind == "battery"'
	decode -q -i out.fl | wc -l | grep -qx 1
	jq -s -e '.[0].kinds.telemetry.out == 2 and .[0].kinds.battery.dropped == 1 and .[1].kinds.telemetry.dropped == 2' led
}

@test "one reader lost of two: the others get everything, status 3" {
	yes "$(sed -n 2p a.ndjson)" | head -50000 | encode -q >many.fl
	mkfifo f
	head -c 100 f >/dev/null &
	try decode -q -i many.fl -o f
	assert_status 3
	assert_stderr 'going on without it'
	[ "$(wc -l <"$OUT")" -eq 50000 ]
	# The text itself is one of the outputs.
	try bash -c 'set -o pipefail; decode -q -i many.fl -o whole.fl | head -1'
	assert_status 3
	assert_stderr 'going on without it'
	decode -q -i whole.fl | wc -l | grep -qx 50000
}

@test "text alone ends quietly with its reader" {
	yes "$(sed -n 2p a.ndjson)" | head -50000 | encode -q >many.fl
	try bash -c 'set -o pipefail; decode -q -i many.fl | head -1'
	assert_status 141
	[ ! -s "$ERR" ]
}

# The first rare record is read and its reader gone long before the second one comes.
@test "rare records among many are shown in time" {
	stream "
w(0, 98, 'bulk', 1, [['n', 'int', '', None]])
w(0, 99, 'rare', 1, [['n', 'int', '', None]])
w(99, 1)
sys.stdout.buffer.write(msgpack.packb((98, 70000)) * 6000000)
w(99, 2)
w(127, 0, [[98, 6000000], [99, 2]])" >rare.fl
	try bash -c 'set -o pipefail; decode -q --flush-ms 5 -k rare <rare.fl | head -1'
	assert_status 141
	[ "$(cat "$OUT")" = '{"kind":"rare","n":1}' ]
}

@test "a reader that does not wait is waited for" {
	yes "$(sed -n 2p a.ndjson)" | head -20000 | encode -q >many.fl
	$PYTHON - >lines <<-'END'
		import array, fcntl, os, subprocess, termios, time
		r, w = os.pipe()
		os.set_blocking(w, False)
		p = subprocess.Popen(["decode", "-q", "-i", "many.fl"], stdout=w)
		os.close(w)
		n = array.array("i", [0])
		while n[0] < 60000 and p.poll() is None:  # until the pipe is full
		    fcntl.ioctl(r, termios.FIONREAD, n)
		    time.sleep(0.001)
		text = os.fdopen(r, "rb").read()
		print(text.count(b"\n"), p.wait())
	END
	[ "$(cat lines)" = "20000 0" ]
}

@test "kinds of the stream that this version does not know can be chosen" {
	dreams "w(99, 5, 2.5)" >dream.fl
	cat a.fl dream.fl >both.fl
	for kind in dream 99; do
		decode -q -k $kind -i both.fl | jq -s -e 'length == 1 and .[0].depth == 2.5'
		decode -q -k $kind -f depth -c -i both.fl | tr '\n' ' ' | grep -qx 'depth 2.5 '
	done
	try decode -q -k dream -f width -i both.fl
	assert_status 2
	assert_one_line_stderr "no field 'width'"
	try decode -q -k nightmare -i both.fl
	assert_status 2
	assert_one_line_stderr "unknown kind 'nightmare'"
	decode -q -k 1 -i both.fl | wc -l | grep -qx 2
}

@test "foreign values are valid JSON and do not end the stream" {
	dreams "w(99, 5, float('inf'))" | decode -q | jq -e '.depth == null'
	dreams "w(99, 5, float('inf'))" | decode -q -c --no-header | grep -qx '1970-01-01T00:00:00.005Z,'
	dreams "w(99, 5, 2**64 - 1)" | decode -q >big
	grep -q '"depth":18446744073709551615}' big
	dreams "w(99, 2**64 - 1, 1)" | decode -q | grep -q '"ts":18446744073709551615'
	stream "
w(0, 99, 'dr\"eam\n', 3, [['a\"\\\\,b', 'f32', '', None]])
w(99, 1.5)
w(127, 0, [[99, 1]])" >named.fl
	decode -q -i named.fl | jq -e '.kind == "dr\"eam\n" and .["a\"\\,b"] == 1.5'
	decode -q -c -i named.fl | head -1 | grep -qxF '"a""\,b"'
	# A record that is not what its schema says is one reject, not the end.
	dreams "w(99, 5)
w(99, 5, 2.5)" >short.fl
	try decode -i short.fl --reject rej
	jq -e '.depth == 2.5' "$OUT"
	jq -e '.kind == "dream"' rej
}

@test "lists, blanks and zeros go through CSV and NDJSON exactly" {
	cat >l.ndjson <<-'END'
		{"kind":"status","ts":1,"subject":"S","status":"watch","reasons":["a;b",""]}
		{"kind":"status","ts":2,"subject":"S","status":"watch","reasons":[""]}
		{"kind":"status","ts":3,"subject":"S","status":"watch","reasons":[]}
		{"kind":"status","ts":4,"subject":"S","status":"watch","reasons":["[]"]}
		{"kind":"status","ts":5,"subject":"S","status":"watch","reasons":["\\","a=b","c\\;"]}
		{"kind":"status","ts":6,"subject":"S","status":"watch"}
		{"kind":"rul","ts":1,"battery":"B","unit":0,"source":"ml","rul_days":-0.0,"factors":[["a=b;c\\",1],["",-0.0]]}
		{"kind":"rul","ts":2,"battery":"B","unit":0,"source":"ml","factors":[]}
		{"kind":"event","event_id":"E","ts":1,"subject":"S","type":"outage","value":-0.0,"note":"\ttab "}
		{"kind":"event","event_id":"E","ts":2,"subject":"S","type":"outage","actor":" x","note":"\t"}
		{"kind":"barrier","pipeline":"p","source":"s","epoch":1,"counts":[[1,5],[24,9007199254740993]]}
		{"kind":"barrier","pipeline":"p","source":"s","epoch":2,"counts":[]}
	END
	try encode -q l.ndjson
	assert_status 0
	[ ! -s "$ERR" ]
	mv "$OUT" l.fl
	decode -q -i l.fl | encode -q | cmp - l.fl
	for kind in status rul event barrier; do
		decode -q -k $kind -i l.fl >want
		decode -q -k $kind -c -i l.fl | encode -q -c -k $kind | decode -q | diff want -
	done
	decode -q -k status -i l.fl | head -5 | jq -c .reasons | tr '\n' ' ' |
		grep -qxF '["a;b",""] [""] [] ["[]"] ["\\","a=b","c\\;"] '
}

@test "a table is safe to look at and keeps its columns" {
	printf '%s\n' '{"kind":"event","event_id":"E1","ts":0,"subject":"S","type":"outage","actor":"ไฟดับที่","note":"a\nb\tc"}' \
		'{"kind":"event","event_id":"E2","ts":0,"subject":"S","type":"outage","actor":"somebody","note":"\u001b[2J"}' |
		encode -q | decode -q -k event -t -f actor,event_id,note >got
	printf '%s\n' 'actor     event_id  note' 'ไฟดับที่     E1        a\nb\tc' \
		'somebody  E2        \x1b[2J' | diff - got
}

@test "a rejected CSV row is named by its line and kept as it was" {
	printf 'ts,battery,note\n\n' >head.csv
	printf 'event_id,ts,subject,type,value,note\n\n  \nE1,1,S,outage,1,"two\nlines, ""quoted"""\n\nE2,2,S,outage,x,"a\nb"\r\nE3,3,S,outage,,z,z\nE4,4,S,"",1,\n' >rows.csv
	try encode --csv --kind event --reject rej rows.csv
	assert_status 0
	decode -q <"$OUT" | jq -s -e 'length == 1 and .[0].note == "two\nlines, \"quoted\""'
	jq -s -c '.[] | [.line, .original]' rej >got
	cat >want <<-'END'
		[7,"E2,2,S,outage,x,\"a\nb\""]
		[9,"E3,3,S,outage,,z,z"]
		[10,"E4,4,S,\"\",1,"]
	END
	diff want got
	jq -s -e ".[2].reason | test(\"field 'type'\")" rej
	try encode -q --csv --kind event head.csv
	assert_status 1
	assert_one_line_stderr "no field 'battery'"
}

@test "an empty text in a needed field is rejected, in NDJSON as well" {
	echo '{"kind":"event","event_id":"E4","ts":1,"subject":"S","type":""}' >e.ndjson
	try encode --reject rej e.ndjson
	jq -e ".reason | test(\"field 'type' is not one of the words\")" rej
}

@test "a CSV header names a field once; a quoted cell ends" {
	printf 'ts,battery,ts\n1,B,2\n' >twice.csv
	try encode -q --csv --kind telemetry twice.csv
	assert_status 1
	assert_one_line_stderr "line 1: kind 'telemetry' has two columns 'ts'"
	printf 'ts,battery\n1,B\n2,"B\n3,B\n' >open.csv
	try encode -q --csv --kind telemetry open.csv
	assert_status 1
	assert_one_line_stderr 'open.csv: line 3: a quoted cell does not end'
}

opened() {
	local fd
	for fd in /proc/"$1"/fd/*; do
		[ "$(readlink "$fd")" != "$PWD/$2" ] || return 0
	done
	return 1
}

@test "SIGTERM while a FIFO has no writer ends the stream as interrupted" {
	mkfifo in
	encode -q a.ndjson in >out.fl 2>err 3>&- &
	source=$!
	wait_until 10 opened $source in
	kill -TERM $source
	wait $source
	[ ! -s err ]
	try decode -i out.fl
	assert_status 0
	assert_stderr 'interrupted'
	[ "$(wc -l <"$OUT")" -eq 3 ]
}
