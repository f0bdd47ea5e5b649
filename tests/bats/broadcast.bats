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
