load helper

# What the README promises to a stranger.

examples() {
	sed -n '/^## Examples/,/^## Where/p' "$ROOT/README.md" | sed -n '/^```sh/,/^```$/{/^```/d;p}'
}

@test "the README's examples work when pasted" {
	cd "$BATS_TEST_TMPDIR"
	[ "$(examples | wc -l)" -ge 5 ]
	while read -r line; do
		before=$(find . -type f -size +0 | wc -l)
		timeout 120 bash -e -c "$line" >out 2>err || fail "$line: $(cat err)"
		[ -s out ] || [ "$(find . -type f -size +0 | wc -l)" -gt "$before" ] ||
			fail "$line: neither printed nor wrote anything"
		! grep -Eq 'cannot|unknown|failed|error' err || fail "$line: $(cat err)"
		rm -f out err
	done < <(examples)
}

@test "every file and command the README names is there" {
	while read -r link; do
		[[ $link == http* ]] || [ -e "$ROOT/$link" ] || fail "no $link"
	done < <(grep -oE '\]\([^)]+\)' "$ROOT/README.md" | tr -d '()]')
	for f in scripts/demo scripts/check scripts/deps .ci/run; do
		[ -x "$ROOT/$f" ] || fail "$f is not executable"
	done
}
