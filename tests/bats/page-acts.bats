load helper
load bridge_helper

# bats file_tags=slow

# Decisions in a real browser, on both back ends.

@test "on SQLite: an alert and an incident are dealt with, accounts are kept" {
	serve sqlite:f.db
	browser acting alerts incidents users
}

@test "on PostgreSQL: an alert and an incident are dealt with, accounts are kept" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	serve "$(cat "$BATS_FILE_TMPDIR/url")"
	browser acting alerts incidents users
}
