load helper

# For every program of the build: what --help says, what the manual page says and what
# the program accepts are one. Options shared by all filters may be described in
# floatline(7) instead of in each page, which must then refer to it.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1 # an option's argument may be a file to be made
}

programs() {
	find "$BIN" -type f -perm -u+x -printf '%f\n' | sort
}

page() {
	[ "$1" = floatline ] && echo "$ROOT/man/floatline.1" || echo "$ROOT/man/floatline-$1.1"
}

# Names without dashes, one a line: letters and long ones.
help_options() {
	"$1" --help | sed -n '/^options:/,$p' |
		sed -nE 's/^  (-(.), |    )--([a-z0-9-]+).*/\2\n\3/p' | grep . | sort -u
}

page_options() {
	sed -nE 's/^\.It (Fl .*)/\1/p' "$1" | tr ' ' '\n' |
		awk '/^Fl$/ { fl = 1; next } /^,$/ { next } /^Ar$|^Ns$|^Cm$/ { fl = 0 }
			fl { sub(/^-/, ""); print }' | sort -u
}

# Text of a section as a terminal shows it, on one line.
section() {
	mandoc -T ascii -O width=150 "$2" | sed 's|.\x08||g' |
		awk -v s="$1" '/^[A-Z]/ { on = $0 == s; next } on' | tr -s ' \n' ' ' |
		sed 's/^ //; s/ $//'
}

each_program() {
	local p bad=0
	for p in $(programs); do
		"$1" "$p" || bad=1
	done
	return $bad
}

same_options() {
	local man
	man=$(page "$1")
	[ -f "$man" ] || fail "$1: no manual page $man" || return
	help_options "$1" >"$BATS_TEST_TMPDIR/help"
	page_options "$man" >"$BATS_TEST_TMPDIR/page"
	if grep -q '^\.Xr floatline 7' "$man" && [ "$1" != floatline ]; then
		page_options "$ROOT/man/floatline.7" | comm -12 - "$BATS_TEST_TMPDIR/help" |
			sort -u - "$BATS_TEST_TMPDIR/page" -o "$BATS_TEST_TMPDIR/page"
	fi
	diff "$BATS_TEST_TMPDIR/help" "$BATS_TEST_TMPDIR/page" >"$BATS_TEST_TMPDIR/diff" ||
		fail "$1: --help (<) and manual page (>) differ: $(grep '^[<>]' "$BATS_TEST_TMPDIR/diff" | tr '\n' ' ')"
}

same_synopsis() {
	local help man
	help=$("$1" --help | sed -n 's/^usage: //p' | tr -s ' ')
	man=$(section SYNOPSIS "$(page "$1")")
	[ "$help" = "$man" ] || fail "$1: --help says '$help', the manual page '$man'"
}

# Every option of --help is accepted (with an argument of its type), with --help after it:
# twice, for one that takes the first as its argument.
accepts_options() {
	local o dashes value ok
	for o in $(help_options "$1"); do
		dashes=-- ok=
		[ ${#o} -gt 1 ] || dashes=-
		for value in "" 1 1000 1h 2026-01-01T00:00:00Z 0.5; do
			# shellcheck disable=SC2086
			if "$1" "$dashes$o" $value --help --help >/dev/null 2>&1; then ok=1; fi
		done
		[ -n "$ok" ] || fail "$1: --help names $dashes$o, which is refused" || return
	done
}

refuses_others() {
	local o letters
	letters=$(help_options "$1" | grep -x . | tr -d '\n')
	for o in {a..z} {A..Z}; do
		[[ $letters != *$o* ]] || continue
		status=0
		"$1" "-$o" --help >/dev/null 2>&1 </dev/null || status=$?
		[ "$status" -eq 2 ] || fail "$1 -$o: status $status, expected 2" || return
	done
	try "$1" --no-such-option </dev/null
	[ "$status" -eq 2 ] || fail "$1 --no-such-option: status $status" || return
	assert_one_line_stderr "^$1: unknown option '--no-such-option'"
}

says_version() {
	local v
	v=$("$1" --version) || fail "$1 --version fails" || return
	[[ $v =~ ^$1\ \(floatline\)\ [0-9]+\.[0-9]+\.[0-9]+$ ]] || fail "$1 --version: $v"
}

one_screen() {
	[ "$("$1" --help | wc -l)" -le 60 ] || fail "$1 --help is longer than a screenful"
	try "$1" --help
	[ ! -s "$ERR" ] || fail "$1 --help writes to stderr"
}

has_sections() {
	local s
	for s in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		grep -q "^\.Sh $s" "$(page "$1")" || fail "$1: manual page without $s" || return
	done
}

@test "options of --help and of the manual page are the same set" {
	each_program same_options
}

@test "synopsis of --help and of the manual page are the same" {
	each_program same_synopsis
}

# bats test_tags=slow
@test "every option of --help is accepted" {
	cd "$BATS_TEST_TMPDIR" # an option that wants a file makes one called --help
	each_program accepts_options
}

# bats test_tags=slow
@test "every other option is refused with status 2 and one line" {
	each_program refuses_others
}

@test "--version names program and version" {
	each_program says_version
}

@test "--help is a screenful on stdout" {
	each_program one_screen
}

@test "manual pages have the sections people look for" {
	each_program has_sections
}

@test "every program of a manual page exists" {
	for f in "$ROOT"/man/floatline-*.1; do
		p=${f##*/floatline-}
		[ -x "$BIN/${p%.1}" ] || fail "$f describes no program of the build"
	done
}

# Example lines: what --help has above its options or commands, indented, naming the program.
help_examples() {
	"$1" --help | sed -n '2,/^options:/p' | grep -E "^  ($1 |.*\| $1( |$))" || true
}

# Runs each with 200 records from simulate, also in place of ingest, whose options are
# parsed, as are those of bridge, which would serve for ever: whatever it lacks (a database), no program of the line may call it wrong usage.
examples_parse() {
	local line
	while read -r line; do
		EXAMPLES=$((EXAMPLES + 1))
		timeout 60 bash -c "simulate() { command simulate \"\$@\" -n 200; }
			ingest() { command ingest \"\$@\" --help >/dev/null && simulate -q; }
			bridge() { command bridge \"\$@\" --help; }
			$line
			[[ \" \${PIPESTATUS[*]} \" != *' 2 '* ]]" >/dev/null 2>"$BATS_TEST_TMPDIR/err" </dev/null ||
			fail "$1 --help: '$line': status $?: $(cat "$BATS_TEST_TMPDIR/err")" || return
	done < <(help_examples "$1" | sed 's|postgresql://host/|postgresql:///|')
}

@test "no example of --help is wrong usage" {
	cd "$BATS_TEST_TMPDIR"
	EXAMPLES=0
	simulate -q --batteries 2 -n 20 | tee x.fl in.fl stream.fl >/dev/null
	printf 'battery,ts,voltage_v\nX-1,2026-01-01T00:00:00Z,13.5\n' >table.csv
	each_program examples_parse
	[ "$EXAMPLES" -ge 15 ] || fail "only $EXAMPLES examples found"
}
