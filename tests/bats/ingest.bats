load helper
# ingest: foreign files in, every row accounted for.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	cat >m.ini <<-'END'
		[source]
		kind = telemetry
		time = ts
		zone = UTC
		[identity]
		column = battery
		[columns]
		v = voltage_v
		i = current_a
		[sentinels]
		* = 65535 655.35
	END
	HEAD='ts,battery,v,i'
}

teardown() {
	[ -z "${pid:-}" ] || kill -9 "$pid" 2>/dev/null || true
}

# fields NAMES: of the telemetry on stdin, one record a line.
fields() {
	decode -q --csv --no-header --kind telemetry --fields "$1"
}

reasons() {
	jq -r '"\(.line) \(.reason)"' "$1"
}

@test "rows with too few or too many columns are rejected with file, line, reason, original" {
	printf '%s\n' "$HEAD" '2026-01-01 00:00:00,A-J1,12.5,1' '2026-01-01 00:01:00,A-J1,12.5' \
		'2026-01-01 00:02:00,A-J1,12.5,1,9' '2026-01-01 00:03:00,A-J1,12.4,1' >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields voltage_v <out.fl | xargs)" = "12.5 12.4" ]
	[ "$(reasons bad.json)" = $'3 3 columns where the header has 4\n4 5 columns where the header has 4' ]
	[ "$(jq -r .original bad.json | head -1)" = '2026-01-01 00:01:00,A-J1,12.5' ]
	[ "$(jq -r .source bad.json | sort -u)" = a.csv ]
	assert_stderr 'a.csv: 4 rows = 2 used \+ 2 rejected'
}

@test "cells that are no number, time or code are rejected; blanks are missing" {
	printf '%s\n' "$HEAD" '2026-01-01 00:00:00,A-J1,abc,1' 'noon,A-J1,1,1' \
		'2026-01-01 00:00:00,A J1,1,1' '2026-01-01 00:00:00,,1,1' \
		'2026-01-01 00:00:00,A-J1,,' '2026-01-01 00:05:00,A-J1,,7' >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields voltage_v,current_a <out.fl)" = ",7" ]
	[ "$(jq -r .line bad.json | xargs)" = "2 3 4 5 6" ]
}

@test "max-rejects turns many rejects into failure" {
	printf '%s\n' "$HEAD" x y z >a.csv
	try ingest -m m.ini --reject bad.json --max-rejects 2 a.csv -o out.fl
	assert_status 1
	try ingest -m m.ini --reject bad.json --max-rejects 3 a.csv -o out.fl
	assert_status 0
}

@test "binary rubbish is told in one message" {
	head -c 5000 /bin/bash >a.csv
	try ingest -q -m m.ini a.csv -o out.fl
	assert_status 1
	assert_stderr "'a.csv' is no text"
	assert_no_crash
}

@test "rubbish behind a good header is rejected row by row, the rest is read on" {
	{
		echo "$HEAD"
		head -c 20000 /bin/bash
		printf '\n%s\n' '2026-01-01 00:00:00,A-J1,12.5,1'
	} >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields voltage_v <out.fl)" = 12.5 ]
	jq -e .reason bad.json >/dev/null
}

@test "a 1 GB line is one reject, in bounded memory, and the rest is read" {
	limit='ulimit -v 400000'
	bash -c "$limit; ingest --version" >/dev/null 2>&1 || limit=: # sanitizers need more
	{
		echo "$HEAD"
		head -c 1G /dev/zero | tr '\0' x
		printf '\n%s\n' '2026-01-01 00:00:00,A-J1,12.5,1'
	} | try bash -c "$limit; ingest -m m.ini --reject bad.json - -o out.fl"
	[ "$(fields voltage_v <out.fl)" = 12.5 ]
	[ "$(reasons bad.json)" = "2 line is longer than 65536 bytes" ]
	[ "$(wc -c <bad.json)" -lt 2000 ]
}

@test "a quote that is never closed costs its own row only" {
	printf '%s\n' "$HEAD" '2026-01-01 00:00:00,"A-J1,1,1' '2026-01-01 00:01:00,A-J1,2,1' \
		'2026-01-01 00:02:00,"A-J1",3,1' >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields voltage_v <out.fl | xargs)" = "2 3" ]
	[ "$(jq .line bad.json)" = 2 ]
}

@test "byte order mark, CRLF and quoted newlines keep lines and values right" {
	printf '\xef\xbb\xbf%s\r\n"2026-01-01 00:00:00",A-J1,12.5,"1"\r\n\r\nx,"a\r\nb",1,1\r\n2026-01-01 00:01:00,A-J1,bad,1\r\n' "$HEAD" >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields voltage_v,current_a <out.fl)" = 12.5,1 ]
	[ "$(jq .line bad.json | xargs)" = "4 6" ]
}

@test "an empty file fails with a message, a header alone does not" {
	: >a.csv
	try ingest -q -m m.ini a.csv -o out.fl
	assert_status 1
	assert_one_line_stderr "'a.csv' is empty"
	echo "$HEAD" >a.csv
	try ingest -m m.ini a.csv -o out.fl
	assert_status 0
}

@test "a missing file and a directory of something else: status and one message" {
	try ingest -q -m m.ini nope.csv -o out.fl
	assert_status 3
	assert_stderr "cannot open 'nope.csv'"
	mkdir d
	try ingest -q d -o out.fl
	assert_status 2
	assert_stderr "no dataset in the classic layout"
}

@test "an unreadable file is status 3" {
	try ingest -q -m m.ini /proc/self/mem -o out.fl
	assert_status 3
	assert_one_line_stderr "cannot read '/proc/self/mem'"
	echo "$HEAD" >a.csv
	chmod 0 a.csv
	[ ! -r a.csv ] || skip "this user may read everything"
	try ingest -q -m m.ini a.csv -o out.fl
	assert_status 3
}

@test "a gzip file reads as plain; one cut off gives what it had and status 1" {
	{
		echo "$HEAD"
		for i in $(seq 10 59); do echo "2026-01-01 00:$i:00,A-J1,12.$i,1"; done
	} >a.csv
	gzip -k a.csv
	ingest -q -m m.ini a.csv >plain.fl
	ingest -q -m m.ini a.csv.gz | cmp - plain.fl
	ingest -q -m m.ini - <a.csv.gz | cmp - plain.fl
	head -c $(($(wc -c <a.csv.gz) - 60)) a.csv.gz >cut.gz
	try ingest -q -m m.ini cut.gz -o out.fl
	assert_status 1
	assert_stderr "'cut.gz' is a gzip file cut off"
	{ head -c 40 a.csv.gz; echo rubbish; tail -c +60 a.csv.gz; } >bad.gz
	try ingest -q -m m.ini bad.gz -o out.fl
	assert_status 1
	assert_stderr "damaged gzip|no text|cut off"
}

@test "duplicates, steps back and sentinels are flagged, not repaired" {
	printf '%s\n' "$HEAD" '2026-01-01 00:01:00,A-J1,12.5,1' '2026-01-01 00:01:00,A-J1,12.5,1' \
		'2026-01-01 00:03:00,A-J1,65535,1' '2026-01-01 00:02:00,A-J1,12.5,655.35' >a.csv
	run bash -c 'ingest -q -m m.ini a.csv | decode -q --kind telemetry --fields voltage_v,quality'
	assert_status 0
	[ "${#lines[@]}" -eq 4 ]
	[[ ${lines[1]} == *duplicate* ]]
	[[ ${lines[2]} == *sentinel* ]]
	[[ ${lines[3]} == *time_backwards* && ${lines[3]} == *sentinel* ]]
}

@test "a battery whose clock is a day ahead is rejected, a gap in the whole recording is not" {
	{
		echo "$HEAD"
		for i in 10 11 12 13; do
			echo "2026-01-01 00:$i:00,A-J1,12.5,1"
			echo "2026-01-02 00:$i:00,A-J2,12.5,1"
			echo "2026-01-01 00:$i:00,A-J3,12.5,1"
		done
		for i in 10 11; do
			echo "2026-01-01 09:$i:00,A-J1,12.5,1"
			echo "2026-01-01 09:$i:00,A-J3,12.5,1"
		done
	} >a.csv
	try ingest -m m.ini --reject bad.json a.csv -o out.fl
	assert_status 0
	[ "$(fields battery <out.fl | sort | uniq -c | xargs)" = "6 A-J1 6 A-J3" ]
	[ "$(jq -r .reason bad.json | grep -c 'clock fault')" -eq 4 ]
	[ "$(jq .line bad.json | xargs)" = "3 6 9 12" ]
}

@test "columns that are missing or unknown are named, before any record" {
	printf 'ts,battery,v\n' >a.csv
	try ingest -q -m m.ini a.csv -o out.fl
	assert_status 2
	assert_stderr "no column 'i'"
	printf '%s,humidity\n' "$HEAD" >a.csv
	try ingest -q -m m.ini a.csv -o out.fl
	assert_status 2
	assert_stderr "column 'humidity' is not in mapping"
	try ingest -q a.csv -o out.fl
	assert_status 2
	assert_stderr "guess"
	try ingest -q -m nonsense a.csv -o out.fl
	assert_status 2
}

@test "a fault of the mapping is told with file and line" {
	printf '[source]\nkind = telemetry\ntime = ts\n[columns]\nv = volts\n' >bad.ini
	echo "$HEAD" >a.csv
	try ingest -q -m bad.ini a.csv -o out.fl
	assert_status 2
	assert_stderr "'bad.ini' line 5: kind telemetry has no field 'volts'"
}

@test "NDJSON goes through the same mapping" {
	printf '%s\n' '{"ts":"2026-01-01 00:00:00","battery":"A-J1","v":12.5,"i":1}' \
		'{"battery":"A-J1","i":null,"v":12.25,"ts":"2026-01-01T00:01:00Z"}' \
		'{"ts":"x"' '{"ts":"2026-01-01 00:02:00","battery":"A-J1","v":1,"extra":2}' >a.ndjson
	try ingest -m m.ini --reject bad.json a.ndjson -o out.fl
	assert_status 0
	[ "$(fields voltage_v,current_a <out.fl | xargs)" = "12.5,1 12.25," ]
	[ "$(jq .line bad.json | xargs)" = "3 4" ]
}

@test "stdin, a pipe and a file give the same bytes, twice" {
	{
		echo "$HEAD"
		for i in $(seq 10 59); do echo "2026-01-01 00:$i:00,A-J$((i % 3)),12.$i,1"; done
	} >a.csv
	ingest -q -m m.ini a.csv >1.fl
	ingest -q -m m.ini a.csv >2.fl
	ingest -q -m m.ini - <a.csv >3.fl
	while read -r line; do echo "$line"; done <a.csv | ingest -q -m m.ini >4.fl
	cmp 1.fl 2.fl && cmp 1.fl 3.fl && cmp 1.fl 4.fl
}

@test "-n stops after so many records" {
	printf '%s\n' "$HEAD" '2026-01-01 00:00:00,A-J1,1,1' '2026-01-01 00:01:00,A-J1,2,1' \
		'2026-01-01 00:02:00,A-J1,3,1' >a.csv
	ingest -q -n 2 -m m.ini a.csv >out.fl
	[ "$(fields voltage_v <out.fl | xargs)" = "1 2" ]
}

@test "map files beside the data translate identities; an unknown one is rejected" {
	cat >map.ini <<-'END'
		[source]
		kind = telemetry
		time = ts
		[map.fleet]
		file = battery.csv
		key = battery_id
		value = battery_code
		[identity]
		column = id
		map = fleet
		[columns]
		v = voltage_v
	END
	mkdir d
	printf 'battery_id,battery_code\nu1,A-J1\n' >d/battery.csv
	printf 'ts,id,v\n2026-01-01,u1,12\n2026-01-02,u2,12\n' >d/a.csv
	try ingest -m map.ini --reject bad.json d/a.csv -o out.fl
	assert_status 0
	[ "$(fields battery <out.fl)" = A-J1 ]
	[[ $(reasons bad.json) == "3 unknown id 'u2'"* ]]
	printf 'ts,id,v\n2026-01-01,u1,12\n' | ingest -q -m map.ini --fleet d >out.fl
	[ "$(fields battery <out.fl)" = A-J1 ]
	try ingest -q -m map.ini --fleet . d/a.csv -o out.fl
	assert_status 3
}

@test "zone and battery options override the mapping" {
	printf '%s\n' "$HEAD" '2026-07-01 00:00:00,x,1,1' >a.csv
	ingest -q -m m.ini --zone Asia/Bangkok --battery A-J9 a.csv >out.fl
	[ "$(fields ts,battery <out.fl)" = 2026-06-30T17:00:00Z,A-J9 ]
	try ingest -q -m m.ini --zone Mars/Olympus a.csv -o out.fl
	assert_status 2
	assert_stderr "Mars/Olympus"
}

@test "--model brings the physical limits" {
	printf '%s\n' "$HEAD" '2026-07-01 00:00:00,A-J1,7.5,1' '2026-07-01 00:01:00,A-J1,9.0,1' \
		'2026-07-01 00:02:00,A-J1,12.6,1' >a.csv
	run bash -c 'ingest -q -m m.ini --model hx12-120 a.csv | decode -q --kind telemetry --fields voltage_v,quality'
	[[ ${lines[0]} == *7.5*voltage_range* ]]
	[[ ${lines[1]} == *voltage_implausible* ]]
	[[ ${lines[2]} == *'"quality":[]'* ]]
	# a Li-ion cell lives at 3.5 V, where a 12 V block does not
	printf '%s\n' "$HEAD" '2026-07-01 00:00:00,A-J1,3.5,1' >cell.csv
	for model in nasa-18650 hx12-120; do
		ingest -q -m m.ini --model $model cell.csv | decode -q --kind telemetry --fields quality >$model
	done
	grep -q '"quality":\[\]' nasa-18650
	grep -q voltage_range hx12-120
	try ingest -q -m m.ini --model nonsense a.csv -o out.fl
	assert_status 2
}

@test "--follow reads on as the file grows, survives rotation and truncation, ends on TERM" {
	echo "$HEAD" >a.csv
	ingest -m m.ini --follow a.csv >out.fl 2>err 3>&- &
	pid=$!
	echo '2026-01-01 00:00:00,A-J1,1,1' >>a.csv
	wait_until 10 grep -q A-J1 out.fl
	printf '2026-01-01 00:01:00,A-' >>a.csv
	printf 'J2,2,1\n' >>a.csv
	wait_until 10 grep -q A-J2 out.fl
	mv a.csv a.old
	printf '%s\n' "$HEAD" '2026-01-01 00:02:00,A-J3,3,1' >b.csv
	mv b.csv a.csv
	wait_until 10 grep -q A-J3 out.fl
	grep -q "'a.csv' was replaced" err
	: >a.csv
	wait_until 10 grep -q "'a.csv' was cut short" err
	printf '%s\n' "$HEAD" '2026-01-01 00:03:00,A-J4,4,1' >>a.csv
	wait_until 10 grep -q A-J4 out.fl
	kill -TERM $pid
	wait $pid
	[ "$(fields voltage_v <out.fl | xargs)" = "1 2 3 4" ]
	$PYTHON -c 'import msgpack, sys
end = list(msgpack.Unpacker(open("out.fl", "rb")))[-1]
sys.exit(end[0] != 127 or end[1] != 1)'
}

@test "TERM while a pipe is silent: what came is written, the stream says interrupted" {
	mkfifo pipe
	ingest -m m.ini pipe >out.fl 2>err 3>&- &
	pid=$!
	exec 7>pipe
	printf '%s\n' "$HEAD" '2026-01-01 00:00:00,A-J1,1,1' >&7
	wait_until 10 grep -q A-J1 out.fl
	kill -TERM $pid
	wait $pid
	exec 7>&-
	[ "$(fields voltage_v <out.fl)" = 1 ]
	$PYTHON -c 'import msgpack, sys
end = list(msgpack.Unpacker(open("out.fl", "rb")))[-1]
sys.exit(end[0] != 127 or end[1] != 1)'
}

@test "a model that is named is told to those who come after" {
	printf '%s\n' "$HEAD" '2026-07-01 00:00:00,A-J1,12.6,1' '2026-07-01 00:00:00,A-J2,12.6,1' >a.csv
	ingest -q -m m.ini --model hx12-120 a.csv | decode -q >out.json
	[ "$(jq -r .kind out.json | xargs)" = "battery_model battery telemetry battery telemetry" ]
	jq -se '.[1].code == "A-J1" and .[3].code == "A-J2" and .[3].model == .[0].name' out.json
}

@test "--guess prints a mapping that works, with its doubts" {
	{
		echo 'Date;Batt ID;Volt (mV);Amps;Temp F;Note'
		for i in $(seq 10 59); do
			echo "05/02/2026 10:$i;A-J1;$((13000 + i - i / 10 % 2 * 100));$((i / 10 % 2 * 5));77;x$i"
		done
	} >a.csv
	sed -i '1s/$/;State;Battery name/; 2,$s/$/;asleep;no code/' a.csv
	ingest --guess a.csv >g.ini
	grep -q '^State = ' g.ini && grep -q '^Battery name = ' g.ini # ignored: no words, no codes
	grep -q '^delimiter = semicolon' g.ini
	grep -q '^time_format = %d/%m/%Y %H:%M' g.ini
	grep -q "doubt: '%m/%d/%Y %H:%M'" g.ini
	grep -q '^Amps = current_a \* -1' g.ini
	grep -q '^Note = ' g.ini
	ingest -q -m g.ini a.csv >out.fl
	[ "$(fields ts,voltage_v,current_a,temperature_c <out.fl | head -1)" = 2026-02-05T10:10:00Z,12.91,-5,25 ]
	[ "$(records_of telemetry out.fl)" -eq 50 ]
	try ingest --guess nope.csv
	assert_status 3
	printf '1,2\n3,4\n' >b.csv
	try ingest --guess b.csv
	assert_status 1
	assert_stderr "no header"
}

@test "a reader that leaves early ends it quietly; a full disk does not" {
	{
		echo "$HEAD"
		yes '2026-01-01 00:00:00,A-J1,12.5,1' | head -100000
	} >a.csv
	run bash -c 'ingest -q -m m.ini a.csv 2>err | head -c 100 >/dev/null; echo "${PIPESTATUS[0]}"'
	[ "$output" -eq 141 ]
	[ ! -s err ]
	try ingest -q -m m.ini a.csv -o /dev/full
	assert_status 3
}
