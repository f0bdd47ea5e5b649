load helper
# pipelines/grafana/fleet.json: every query of it runs on the tables that store makes.

BOARD=$BATS_TEST_DIRNAME/../../pipelines/grafana/fleet.json

setup_file() {
	find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q . || return 0
	"$BATS_TEST_DIRNAME/../../scripts/pg" start "$BATS_FILE_TMPDIR" >"$BATS_FILE_TMPDIR/url"
	PATH=$BIN:$PATH
	simulate -q --batteries 48 --days 4 --interval 15m --start 2026-01-01T00:00:00Z --scenario power_outage:DC-CNX-01:start=+20h:duration=25m |
		twin -q | alert -q | store -q --db "$(cat "$BATS_FILE_TMPDIR/url")"
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pg" ] || "$BATS_TEST_DIRNAME/../../scripts/pg" stop "$BATS_FILE_TMPDIR"
}

# filled SQL: with what Grafana puts in the place of its variables.
filled() {
	sed 's/\$__from/1767225600000/g; s/\$__to/1767657600000/g; s/\$run//g; s/\$battery/DC-CNX-01-REC-01-S1-J07/g; s/\$site/'"${SITE:-*}"'/g' <<<"$1"
}

@test "the dashboard is JSON with panels that do not overlap" {
	jq -e '[.panels[].id] | length == (unique | length)' "$BOARD" >/dev/null
	jq -e '[.panels[].gridPos | range(.x; .x + .w) as $x | range(.y; .y + .h) as $y | [$x, $y]] | length == (unique | length)' "$BOARD" >/dev/null
	jq -e '.panels | all(.targets | length == 1)' "$BOARD" >/dev/null
}

@test "each query gives rows, of all sites and of one" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	jq -c '(.panels[] | {title, sql: .targets[0].rawSql}),
		(.templating.list[] | select(.type == "query") | {title: .name, sql: .query}),
		(.annotations.list[] | {title: .name, sql: .rawQuery})' "$BOARD" >queries
	[ "$(wc -l <queries)" -ge 18 ]
	for SITE in '*' DC-CNX-01; do
		while read -r q; do
			psql -qAtX -v ON_ERROR_STOP=1 "$(cat "$BATS_FILE_TMPDIR/url")" -c "$(filled "$(jq -r .sql <<<"$q")")" >rows 2>err ||
				fail "$(jq -r .title <<<"$q"): $(cat err)"
			[ -s rows ] || fail "$(jq -r .title <<<"$q"): no rows"
		done <queries
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}
