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

@test "the libraries have no state of their own, but that a signal came" {
	[ -d "$ROOT/build/obj/lib" ] || skip "no plain build here"
	objdump -t "$ROOT"/build/obj/lib/*/*.o >"$BATS_TEST_TMPDIR/symbols"
	awk '/file format/ { file = $1; sub(/.*obj\//, "", file); sub(/\.o:$/, "", file) }
		/\*COM\*/ || $0 ~ / O \.t?(data|bss)[.\t ]/ && !/\.data\.rel\.ro/ { print file, $NF }' \
		"$BATS_TEST_TMPDIR/symbols" | sort >"$BATS_TEST_TMPDIR/state"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/symbols")" -gt 5000 ]
	grep -q '^lib/stream/signals seen$' "$BATS_TEST_TMPDIR/state" # a handler has no other place
	! grep -v '^lib/stream/signals ' "$BATS_TEST_TMPDIR/state"
}

# What coverage runs is replaced; its own verdict is not.
@test "coverage fails below 80 per cent of the lines, and when a test does" {
	cd "$BATS_TEST_TMPDIR"
	mkdir -p scripts lib filters bin build/cov
	cp "$ROOT/scripts/coverage" scripts/
	printf '#!/bin/sh\nexit "${TESTS:-0}"\n' >scripts/run-tests
	printf '#!/bin/sh\n' >bin/make
	chmod +x scripts/run-tests bin/make
	printf 'int f(int x)\n{\n\tif (!x)\n\t\treturn 0;\n' >lib/f.c
	for i in 1 2 3 4 5 6 7; do printf '\tx += %s;\n' $i >>lib/f.c; done
	printf '\treturn x;\n}\nint main(int n, char **v)\n{\n\treturn f(n - 1) * 0;\n}\n' >>lib/f.c
	gcc --coverage -O0 -o cover -x c lib/f.c
	mv ./*.gcno build/cov/
	PATH=$PWD/bin:$PATH
	# With no argument five lines of thirteen run, with one all but a line.
	printf '#!/bin/sh\n./cover $ARG; mv *.gcda build/cov/; exit "${TESTS:-0}"\n' >scripts/run-tests
	ARG='' run scripts/coverage
	assert_status 1
	[[ $output == *"lines: "* ]]
	ARG=x run scripts/coverage
	assert_status 0
	ARG=x TESTS=1 run scripts/coverage
	assert_status 1
	ARG=x COVERAGE_MIN=99 run scripts/coverage
	assert_status 1
}

@test "the revision a model names is looked up by each build" {
	[ -e "$ROOT/build/gen/revision.h" ] || skip "no plain build here"
	make -C "$ROOT" -n build/gen/revision.h | grep -q 'git describe'
}
