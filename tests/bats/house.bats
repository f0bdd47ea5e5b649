load helper

# The tools that judge everything else are judged here.

@test "run-tests counts passes, failures, skips and crashes" {
	mkdir -p "$BATS_TEST_TMPDIR/b/tests/unit" "$BATS_TEST_TMPDIR/b/bin"
	cd "$BATS_TEST_TMPDIR/b/tests/unit"
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho 1..3; echo ok 1 a; echo not ok 2 b; echo "ok 3 c # SKIP"; exit 1\n' >mixed
	# shellcheck disable=SC2016
	printf '#!/bin/sh\necho 1..4; echo ok 1 a; kill -SEGV $$\n' >crash
	chmod +x mixed crash
	run "$ROOT/scripts/run-tests" "$BATS_TEST_TMPDIR/b" unit
	assert_status 1
	[ "${lines[-1]}" = "2 passed, 2 failed, 1 skipped" ]
}

@test "run-tests with nothing to run is no success" {
	mkdir -p "$BATS_TEST_TMPDIR/b/tests/unit" "$BATS_TEST_TMPDIR/b/bin"
	run "$ROOT/scripts/run-tests" "$BATS_TEST_TMPDIR/b" unit
	assert_status 1
}

@test "floatline-records(5) has every kind and every field of records.def" {
	page=$ROOT/build/man/floatline-records.5
	sed -nE 's/^[[:space:]]*KIND\(([0-9]+), ([a-z_]+),.*/.Ss \1 \2/p; s/^[[:space:]]*FIELD\([a-z_]+, ([a-z0-9_]+), ([A-Z0-9]+),.*/.It \1 Ta \2 /p' \
		"$ROOT/schemas/records.def" >"$BATS_TEST_TMPDIR/want"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/want")" -gt 200 ]
	grep -oE '^\.Ss [0-9]+ [a-z_]+$|^\.It [a-z0-9_]+ Ta [A-Z0-9]+ ' "$page" | diff "$BATS_TEST_TMPDIR/want" -
	mandoc -T lint -W warning "$page"
}
