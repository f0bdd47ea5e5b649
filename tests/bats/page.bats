load helper
load bridge_helper

# bats file_tags=slow

# The page as files over HTTP, and in a real browser. Screenshots of every page are left in
# build/screenshots.

@test "the page is served: types, security, and not twice what one has" {
	serve sqlite:f.db
	curl -sS -D head -o body "$BASE/"
	grep -q '^HTTP/1.1 200' head
	grep -qi '^content-type: text/html' head
	grep -qi "^content-security-policy:.*script-src 'self'" head
	grep -qi '^x-content-type-options: nosniff' head
	etag=$(sed "s|\r$||" head | sed -n 's/^etag: //p')
	[ -n "$etag" ]
	rm body
	[ "$(curl -sS -o body -w '%{http_code}' -H "If-None-Match: $etag" "$BASE/")" = 304 ]
	[ ! -s body ] # curl makes no file of nothing
	curl -sS "$BASE/index.html" | grep -q '<script type="module"'
	for file in js/main.js:javascript vendor/preact.js:javascript css/page.css:css css/icon.svg:svg; do
		curl -sS -D head -o body "$BASE/${file%:*}"
		grep -qi "^content-type: .*${file#*:}" head || fail "$file: $(cat head)"
	done
}

@test "the page comes compressed to who takes it so, each form with a name of its own" {
	head -c 3000 /dev/urandom >noise # gets no smaller
	mkdir www
	cp -r "$BIN/../share/floatline/www/"{index.html,css,js,vendor} www
	cp noise www/noise.woff2
	serve sqlite:f.db --www "$PWD/www"
	fetch() {
		curl -sS -D head -o body -w '%{http_code}' "${@:2}" "$BASE$1"
	}
	etag() {
		sed "s|\r$||" head | sed -n 's/^etag: //p'
	}
	find www -type f -printf '/%P\n' >files
	while read -r file; do
		[ "$(fetch "$file")" = 200 ]
		cmp body "www$file"
		[ "$(grep -ci '^content-encoding:' head)" = 0 ] || fail "$file: $(cat head)"
		plain=$(etag) size=$(stat -c %s body)
		[ "$(fetch "$file" -H 'Accept-Encoding: br, gzip;q=0.8')" = 200 ]
		if grep -qi '^content-encoding: gzip' head; then
			gzip -dc <body | cmp - "www$file"
			[ "$(etag)" != "$plain" ] && [ "$(stat -c %s body)" -lt "$size" ]
		else
			cmp body "www$file"
			[ "$(etag)" = "$plain" ]
		fi
		echo "$size $(stat -c %s body)"
	done <files >sizes
	awk '{ plain += $1; sent += $2 } END { exit !(sent < 0.45 * plain) }' sizes || fail "$(cat sizes)"
	# A name is of one form: who asks with the other's gets the content.
	[ "$(fetch /js/main.js)" = 200 ]
	grep -qi '^vary: accept-encoding' head
	plain=$(etag)
	[ "$(fetch /js/main.js -H 'Accept-Encoding: gzip')" = 200 ]
	grep -qi '^vary: accept-encoding' head
	zipped=$(etag)
	[ "$(fetch /js/main.js -H 'Accept-Encoding: gzip' -H "If-None-Match: $zipped")" = 304 ]
	grep -qi '^vary: accept-encoding' head
	[ "$(fetch /js/main.js -H "If-None-Match: $plain")" = 304 ]
	[ "$(fetch /js/main.js -H "If-None-Match: $zipped")" = 200 ]
	[ "$(fetch /js/main.js -H 'Accept-Encoding: gzip' -H "If-None-Match: $plain")" = 200 ]
	[ "$(fetch /noise.woff2 -H 'Accept-Encoding: gzip')" = 200 ]
	[ "$(grep -Eci '^(content-encoding|vary):' head)" = 0 ]
	# What is asked of the interface has secrets beside what others chose: never compressed.
	[ "$(fetch /api/v1/health -H 'Accept-Encoding: gzip')" = 200 ]
	[ "$(grep -ci '^content-encoding' head)" = 0 ]
}

@test "no path leads out of the page's folder" {
	serve sqlite:f.db
	for path in /../../../etc/passwd /js/../../../../../../etc/passwd /%2e%2e/%2e%2e/etc/passwd /js/ /.made /js/..%2f..%2fetc/passwd //etc/passwd; do
		code=$(curl -sS --path-as-is -o body -w '%{http_code}' "$BASE$path")
		[ "$code" = 404 ] || [ "$code" = 403 ] || fail "$path: $code"
		! grep -q root: body
	done
	[ "$(curl -sS -o body -w '%{http_code}' -X DELETE "$BASE/index.html")" = 405 ]
}

@test "a page that is not there is said at the start; --www serves another" {
	try "$bridge" --db sqlite:f.db --listen 127.0.0.1:0 --www nowhere
	assert_status 3
	assert_one_line_stderr "cannot read the page's 'nowhere'"
	mkdir other
	echo '<p>ours' >other/index.html
	serve sqlite:f.db --www other
	[ "$(curl -sS "$BASE/")" = '<p>ours' ]
}

@test "both languages say everything" {
	command -v node >/dev/null || skip "no node here"
	cat >keys.mjs <<-END
		import {readFileSync, readdirSync} from 'node:fs';
		const top = '$ROOT/filters/bridge/www/js/';
		const words = async (l) => (await import(top + 'lang/' + l + '.js')).default;
		const en = await words('en'), th = await words('th');
		const names = (w) => [...w.matchAll(/\{(\w+)\}/g)].map((m) => m[1]).sort().join();
		for (const k of new Set([...Object.keys(en), ...Object.keys(th)]))
			if (!en[k] || !th[k] || names(en[k]) !== names(th[k])) console.log('not alike:', k);
		for (const dir of ['', 'pages/']) for (const f of readdirSync(top + dir)) {
			if (!f.endsWith('.js')) continue;
			for (const m of readFileSync(top + dir + f, 'utf8').matchAll(/\bt\('([\w.]+)'/g))
				if (!(m[1] in en)) console.log(f, 'has no words:', m[1]);
		}
	END
	cp "$ROOT/filters/bridge/www/package.json" .
	[ -z "$(node keys.mjs 2>&1 | grep -v ExperimentalWarning | tee said)" ] || fail "$(cat said)"
}

@test "alerts are told in both languages: every default rule, and what the engine writes" {
	command -v node >/dev/null || skip "no node here"
	decode -q --kind alert <"$BATS_FILE_TMPDIR/fleet.flt" >alerts.json
	cp -r "$ROOT/build/share/floatline/www" .
	cp "$ROOT/filters/bridge/www/package.json" www # without it node takes them for no modules
	node "$ROOT/tests/browser/told.mjs" "$PWD/www" "$ROOT/schemas/rules/default.ini" <alerts.json
}

@test "each role comes in and sees its pages" {
	serve sqlite:f.db
	browser reading roles
}

@test "from the fleet to a site to a battery's chart: zoom, and another beside it" {
	serve sqlite:f.db
	browser reading wayToAChart
}

@test "the first page says which battery fails first, when and why, and leads there" {
	for db in sqlite:f.db $(cat "$BATS_FILE_TMPDIR/url" 2>/dev/null); do
		serve "$db"
		FIRST=$(sqlite3 f.db "SELECT b.code FROM rul_prediction p JOIN battery b ON b.id = p.battery
			WHERE p.ts = (SELECT max(ts) FROM rul_prediction WHERE battery = p.battery) ORDER BY p.rul_days, b.id LIMIT 1") \
			browser reading failsFirst
		stop
	done
}

@test "the first page says the least autonomy, but for what is being recharged" {
	jar="battery = (SELECT id FROM battery WHERE code = 'DC-CNX-01-UPS-01-S1-J07')"
	sqlite3 f.db "UPDATE twin_state_latest SET autonomy_min = 0 WHERE $jar;
		UPDATE telemetry_latest SET mode = 'boost' WHERE $jar"
	serve sqlite:f.db
	browser reading leastAutonomy
}

@test "the same before PostgreSQL: roles, the way to a chart, every page in its other looks" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	serve "$(cat "$BATS_FILE_TMPDIR/url")"
	browser reading roles wayToAChart everyOtherPage
}

@test "the same before PostgreSQL: the keyboard suffices" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	serve "$(cat "$BATS_FILE_TMPDIR/url")" --simulations "$PWD/sims"
	browser keys
}

@test "the keyboard suffices, from the log-in to the log-out" {
	serve sqlite:f.db --simulations "$PWD/sims"
	browser keys
}

@test "a drill on SQLite: jars warm, one incident appears, life falls; stopped, nothing is left" {
	serve sqlite:f.db --simulations "$PWD/sims"
	browser drill
}

@test "a drill on PostgreSQL: jars warm, one incident appears, life falls; stopped, nothing is left" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	serve "$(cat "$BATS_FILE_TMPDIR/url")" --simulations "$PWD/sims"
	browser drill
}

@test "every page, light and dark, English and Thai, on a phone and on a wall" {
	serve sqlite:f.db
	browser reading everyPage
}
