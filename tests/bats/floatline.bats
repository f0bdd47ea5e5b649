load helper

@test "floatline --help lists every program of the build, a line each" {
	floatline --help | sed -nE '/^programs:/,/^$/s/^  ([a-z]+)  .*/\1/p' | sort >"$BATS_TEST_TMPDIR/listed"
	find "$BIN" -type f -perm -u+x ! -name floatline -printf '%f\n' | sort >"$BATS_TEST_TMPDIR/built"
	[ -s "$BATS_TEST_TMPDIR/built" ]
	diff "$BATS_TEST_TMPDIR/listed" "$BATS_TEST_TMPDIR/built"
}

@test "the summaries of --help are those of floatline(1)" {
	floatline --help | sed -nE '/^programs:/,/^$/s/^  ([a-z]+) +(.*)/\1 \2/p' >"$BATS_TEST_TMPDIR/help"
	sed -nE '/-width broadcast/,/^\.El/p' "$ROOT/man/floatline.1" |
		sed -nE '/^\.It Cm/{s/^\.It Cm (.*)/\1/;N;s/\n/ /;p}' >"$BATS_TEST_TMPDIR/man"
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/man"
}

@test "floatline NAME runs the program with its arguments and status" {
	run floatline ledger --version
	assert_status 0
	[[ $output == "ledger (floatline) "* ]]
	run floatline ledger --no-such-option
	assert_status 2
	[[ $output == "ledger: unknown option '--no-such-option'"* ]]
}

@test "an unknown program: status 2 and the nearest name" {
	try floatline stroe
	assert_status 2
	assert_one_line_stderr "^floatline: unknown program 'stroe', did you mean 'store'\?$"
	try floatline qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq
	assert_status 2
	assert_one_line_stderr "see floatline --help$"
	try floatline
	assert_status 2
	assert_one_line_stderr "which program"
	try floatline --bogus
	assert_status 2
	assert_one_line_stderr "unknown option '--bogus'"
}

@test "a program name is never a path" {
	try floatline ../bin/ledger
	assert_status 2
	assert_one_line_stderr "unknown program"
}

@test "floatline help NAME shows the manual page of the build tree" {
	[ -x "$(command -v man)" ] || skip "no man(1) here"
	MANPAGER=cat PAGER=cat run floatline help ledger
	assert_status 0
	[[ $output == *"check that no record of a pipeline was lost"* ]]
	[[ $output == *"EXIT STATUS"* || $output == *"EXIT"* ]]
}

# bats test_tags=slow
@test "installed, floatline finds its programs in libexec" {
	make -C "$ROOT" -s install PREFIX="$BATS_TEST_TMPDIR/usr" MAKEFLAGS= >/dev/null 2>"$BATS_TEST_TMPDIR/log" ||
		fail "$(cat "$BATS_TEST_TMPDIR/log")"
	[ "$(ls "$BATS_TEST_TMPDIR/usr/bin")" = floatline ]
	PATH=/usr/bin:/bin run "$BATS_TEST_TMPDIR/usr/bin/floatline" ledger --version
	assert_status 0
	[ -s "$BATS_TEST_TMPDIR/usr/share/man/man5/floatline-records.5" ]
	[ -s "$BATS_TEST_TMPDIR/usr/share/man/man1/floatline-ledger.1" ]
	make -C "$ROOT" -s uninstall PREFIX="$BATS_TEST_TMPDIR/usr" MAKEFLAGS= >/dev/null
	[ -z "$(find "$BATS_TEST_TMPDIR/usr" -type f)" ]
}

# bats test_tags=slow
@test "installed elsewhere than it was built for, programs read their own share files" {
	cd "$BATS_TEST_TMPDIR"
	make -C "$ROOT" -s install DESTDIR="$PWD/stage" MAKEFLAGS= >/dev/null 2>log || fail "$(cat log)"
	floatline=$(find stage -path '*/bin/floatline')
	run env -i PATH=/usr/bin:/bin bash -o pipefail -c \
		"$floatline simulate -q -n 10 | $floatline twin -q | $floatline alert -q >out.flt"
	assert_status 0
	[ "$(decode -q <out.flt | wc -l)" -ge 10 ]
	# Its own: not those of the build tree.
	find stage -path '*/share/floatline/schemas/models/*.ini' -delete
	try env -i PATH=/usr/bin:/bin "$floatline" simulate -n 10
	[ "$status" -ne 0 ]
}
