load helper
# report --month: the monthly report of a fleet, from either database.

setup_file() {
	cd "$BATS_FILE_TMPDIR" || return
	PATH=$BIN:$PATH
	simulate -q --batteries 240 --days 70 --interval 1h --start 2025-12-01T00:00:00Z |
		twin -q | alert -q >fleet.flt
	if find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q .; then
		"$BATS_TEST_DIRNAME/../../scripts/pg" start "$PWD" >url
	fi
	for db in sqlite:f.db $(cat url 2>/dev/null); do
		store -q --db "$db" <fleet.flt
	done
	printf '[prices]\ncurrency = THB\nbattery = 9500\nlabour = 800\nvisit = 15000\n' >prices.ini
}

teardown_file() {
	[ ! -e "$BATS_FILE_TMPDIR/pg" ] || "$BATS_TEST_DIRNAME/../../scripts/pg" stop "$BATS_FILE_TMPDIR"
}

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	cp "$BATS_FILE_TMPDIR"/f.db "$BATS_FILE_TMPDIR"/prices.ini .
}

# told PATTERN: of page.html, without tags and in one line.
told() {
	sed 's/<style>.*<\/style>//; s/<[^>]*>/ /g' page.html | tr -s ' \n' ' ' | grep -qE -- "$1" || fail "the page does not tell: $1"
}

@test "the month's figures are those of the database" {
	report --month 2026-01 --db sqlite:f.db -o page.html
	told 'Batteries, January 2026 240 batteries at '
	critical=$(sqlite3 f.db "SELECT count(*) FROM battery b JOIN status s ON s.run = b.run AND s.subject = b.code AND s.ts = (SELECT max(ts) FROM status x WHERE x.run = b.run AND x.subject = b.code AND x.ts < 1769904000000) WHERE s.status IN ('critical', 'failed')")
	told " $critical critical or failed "
	alerts=$(sqlite3 f.db 'SELECT count(*) FROM alert WHERE since_ts >= 1767225600000 AND since_ts < 1769904000000')
	told " $alerts alerts begun "
	soh=$(sqlite3 f.db "SELECT printf('%.1f', avg(p.soh_pct)) FROM battery b JOIN twin_state p ON p.run = b.run AND p.battery = b.id WHERE p.ts = (SELECT max(ts) FROM twin_state x WHERE x.run = p.run AND x.battery = p.battery AND x.ts < 1769904000000)")
	told " $soh % mean state of health, [+-][0-9.]+ in the month"
	# a row for each site, a box in each plot
	sites=$(sqlite3 f.db 'SELECT count(*) FROM site')
	[ "$(grep -c 'class="median"' page.html)" -eq $((2 * sites)) ]
	told 'No battery has been replaced so far|batter(y has|ies have) been replaced so far'
	! grep -q 'cost' page.html
}

@test "every replacement has a date in the cool season, or is overdue" {
	report --month 2026-01 --db sqlite:f.db -o page.html
	# the table of the next to replace: the last cell is the date
	sed -n 's/.*<td>\(DC-[^<]*\)<\/td>.*<td>\([0-9]* [A-Z][a-z]* [0-9]*\)<\/td><\/tr>/\2/p' page.html >dates
	[ -s dates ]
	! grep -vE ' (Nov|Dec|Jan|Feb) ' dates
}

@test "it needs nothing beside itself, and is the same from both databases" {
	report --month 2026-01 --db sqlite:f.db -o page.html
	! grep -nE '<script|<link|src=|url\(|@import|http' page.html
	grep -q '^<!doctype html>' page.html
	grep -q '@page{size:A4' page.html
	$PYTHON - page.html <<-'END'
		import sys
		from html.parser import HTMLParser
		class P(HTMLParser):
		    stack = []
		    def handle_starttag(self, t, a):
		        assert not any(k == "style" for k, _ in a), "a style attribute: the policy of bridge forbids it"
		        if t not in ("meta", "br", "rect", "line", "circle"): self.stack.append(t)
		    def handle_endtag(self, t):
		        if t in ("rect", "line", "circle"): return
		        assert self.stack.pop() == t, t
		p = P(); p.feed(open(sys.argv[1], encoding="utf-8").read()); assert not p.stack, p.stack
	END
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	report --month 2026-01 --db "$(cat "$BATS_FILE_TMPDIR/url")" | diff page.html -
}

@test "cost, if prices are given" {
	report --month 2026-01 --db sqlite:f.db --prices prices.ini -o page.html
	told 'cost, THB'
	told 'Cost: 9500 a battery, 800 labour, 15000 a visit'
	read -r due cost < <(sed -n 's/.*two years<\/td><td>\([0-9]*\)<\/td>.*<td>\([0-9,]*\)<\/td><\/tr>.*/\1 \2/p' page.html)
	visits=$(((${cost//,/} - due * 10300) / 15000))
	[ $((due * 10300 + visits * 15000)) = "${cost//,/}" ]
	[ "$visits" -ge 1 ]
}

@test "what was predicted is held against the day of the replacement" {
	{
		for d in 10 40 95 200; do
			echo "{\"kind\":\"rul\",\"ts\":\"$(date -u -d "2026-01-20 - $d days" +%FT%TZ)\",\"battery\":\"DC-CNX-01-REC-01-S1-J07\",\"unit\":0,\"source\":\"fused\",\"rul_days\":$((d + 5)),\"lower_days\":$((d - 8)),\"upper_days\":$((d + 30))}"
		done
		echo '{"kind":"event","event_id":"E1","ts":"2026-01-20T00:00:00Z","subject":"DC-CNX-01-REC-01-S1-J07","type":"replacement","status":"completed"}'
	} | encode -q | store -q --db sqlite:f.db
	sqlite3 f.db "DELETE FROM event WHERE type = 'replacement' AND event_id <> 'E1'"
	report --month 2026-01 --db sqlite:f.db -o page.html
	told '1 battery has been replaced so far'
	told '1 battery was replaced'
	told '30 days before 1 [0-9]+ days [0-9]+ days [01] of 1'
	told '180 days before 1 5 days 5 days 1 of 1'
	told '365 days before 0 – – –'
}

@test "a month that is none, or of which nothing is known, and other wrong usage" {
	for month in 2026-13 2026-1 january 2026-01-01; do
		try report --month $month --db sqlite:f.db
		assert_status 2
		assert_one_line_stderr 'a month as 2026-01'
	done
	try report --month 2020-01 --db sqlite:f.db
	assert_status 1
	assert_one_line_stderr "knows no battery's state in 2020-01"
	try report --month 2026-01 --db sqlite:nowhere.db
	assert_status 3
	try report --month 2026-01 --db sqlite:f.db -o nowhere/page.html
	assert_status 3
	printf '[prices]\nbattery = many\n' >bad.ini
	try report --month 2026-01 --db sqlite:f.db --prices bad.ini
	assert_status 2
	try report --month 2026-01 --quality . --db sqlite:f.db
	assert_status 2
	try report
	assert_status 2
}

@test "a run has a report of its own" {
	try report --month 2026-01 --db sqlite:f.db --run other
	assert_status 1
}
