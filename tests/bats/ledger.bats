load helper

# line PROGRAM CHAIN-AS-JSON IN ADDED OUT REJECTED DROPPED
line() {
	printf '{"program":"%s","position":1,"chain":%s,"run":null,"status":0,"interrupted":false,"kinds":{"telemetry":{"in":%d,"added":%d,"out":%d,"rejected":%d,"dropped":%d,"unused":0}}}\n' "$@"
}

@test "a pipeline that lost nothing balances" {
	{
		line simulate '["simulate"]' 0 10 10 0 0
		line featurize '["simulate","featurize"]' 10 0 7 1 2
		line store '["simulate","featurize","store"]' 7 0 7 0 0
	} >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 0
	[ ! -s "$ERR" ]
	[ "$(tail -1 "$OUT")" = balanced ]
	grep -Eq '^featurize +telemetry +10 +0 +7 +1 +2 +0$' "$OUT"
}

@test "a record that vanished within a program is found" {
	line featurize '["simulate","featurize"]' 10 0 9 0 0 >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr '^ledger: featurize: 1 telemetry came in and went nowhere$'
	grep -q 'NOT BALANCED' "$OUT"
}

@test "a record that came from nowhere is found" {
	line featurize '["simulate","featurize"]' 10 0 11 0 0 >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr '1 telemetry went out and came from nowhere$'
}

@test "a record lost between two programs is found, whatever the order of the lines" {
	{
		line store '["simulate","store"]' 9 0 9 0 0
		line simulate '["simulate"]' 0 10 10 0 0
	} >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr '^ledger: simulate to store: 10 telemetry were sent, 9 arrived$'
}

@test "several runs in one file are checked run by run" {
	for n in 10 20; do
		line simulate '["simulate"]' 0 $n $n 0 0
		line store '["simulate","store"]' $n 0 $n 0 0
	done >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 0
	line store '["simulate","store"]' 20 0 20 0 0 >>"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_stderr '^ledger: store: its lines and those of its producer do not pair$'
}

@test "one producer may feed several" {
	{
		line simulate '["simulate"]' 0 10 10 0 0
		line store '["simulate","store"]' 10 0 10 0 0
		line store '["simulate","store"]' 10 0 10 0 0
	} >"$BATS_TEST_TMPDIR/l"
	pipeline "ledger <$BATS_TEST_TMPDIR/l"
	assert_status 0
}

@test "several producers may feed one" {
	line simulate '["simulate"]' 0 10 10 0 0 >"$BATS_TEST_TMPDIR/l"
	line simulate '["simulate"]' 0 20 20 0 0 >>"$BATS_TEST_TMPDIR/l"
	line store '["simulate","store"]' 30 0 30 0 0 >>"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 0
	sed -i 's/:20/:19/g' "$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr '29 telemetry were sent, 30 arrived'
}

@test "a saved stream has no producer line: said, not failed" {
	line store '["simulate","store"]' 10 0 10 0 0 >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 0
	grep -q '^1 of 1 without a line of their producer$' "$OUT"
}

@test "what is no ledger is refused with file and line" {
	echo '{"program":"x"' >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr "l:1: not JSON: "
	echo '{"program":"x"}' >"$BATS_TEST_TMPDIR/l"
	try ledger "$BATS_TEST_TMPDIR/l"
	assert_status 1
	assert_one_line_stderr "l:1: no ledger line"
	try ledger /dev/null
	assert_status 1
	assert_one_line_stderr "no ledger lines"
	try ledger "$BATS_TEST_TMPDIR/absent"
	assert_status 3
	assert_one_line_stderr "cannot open '.*absent': No such file"
}

@test "a full disk is an error of its own" {
	line simulate '["simulate"]' 0 10 10 0 0 >"$BATS_TEST_TMPDIR/l"
	status=0
	ledger "$BATS_TEST_TMPDIR/l" >/dev/full 2>"$BATS_TEST_TMPDIR/err" || status=$?
	assert_status 3
	grep -q "cannot write to <stdout>: No space left" "$BATS_TEST_TMPDIR/err"
}
