load helper
load bridge_helper

@test "accounts at the terminal: added, listed, disabled, deleted" {
	echo "a long one" | "$bridge" user add nok --role viewer --sites DC-CNX-01,DC-BKK-01 --db sqlite:a.db
	run "$bridge" user list --db sqlite:a.db
	assert_status 0
	[[ $output =~ ^nok\ +viewer\ +active\ +never\ +DC-CNX-01,DC-BKK-01$ ]]
	"$bridge" user disable nok --db sqlite:a.db
	"$bridge" user list --db sqlite:a.db | grep -q ' disabled '
	echo "another long one" | "$bridge" user passwd nok --db sqlite:a.db
	"$bridge" user enable nok --db sqlite:a.db
	"$bridge" user delete nok --db sqlite:a.db
	[ -z "$("$bridge" user list --db sqlite:a.db)" ]
	[ "$(sqlite3 a.db 'SELECT group_concat(action) FROM audit_log')" = user.add,user.disable,user.passwd,user.enable,user.delete ]
}

@test "an account that cannot be is refused with the reason" {
	while IFS='|' read -r password args pattern; do
		echo "$password" >typed
		# shellcheck disable=SC2086
		try "$bridge" user add $args --db sqlite:f.db <typed
		assert_status 1
		assert_one_line_stderr "$pattern"
	done <<-END
		short|nok --role viewer|too short: it needs 8 characters
		password123|nok --role viewer|one of the commonest
		nok.somchai|nok.somchai --role viewer|is the user's name
		a long one|anna --role viewer|a user 'anna' already
		a long one|no/k --role viewer|no user name
		a long one|nok --role boss|admin, engineer or viewer
		a long one|nok --role viewer --sites a,,b|codes with commas between
	END
	try "$bridge" user passwd nobody --db sqlite:f.db <typed
	assert_status 1
	assert_one_line_stderr "no user 'nobody'"
	try "$bridge" user add nok --role viewer --db sqlite:f.db </dev/null
	assert_status 2
	assert_one_line_stderr 'no password on standard input'
	for args in "user" "user add" "user frob nok" "user list nok" "frob" "user add nok"; do
		# shellcheck disable=SC2086
		try "$bridge" $args --db sqlite:f.db </dev/null
		assert_status 2
	done
}

@test "the terminal does not show a password, and asks twice" {
	$PYTHON - "$bridge" <<-'END' >said
		import os, pty, signal, sys
		signal.alarm(60)
		pid, fd = pty.fork()
		if pid == 0:
		    os.execv(sys.argv[1], ["bridge", "user", "add", "nok", "--role", "viewer", "--db", "sqlite:f.db"])
		seen = b""
		for prompt in (b"Password: ", b"Again: "):
		    while prompt not in seen:
		        seen += os.read(fd, 1000)
		    os.write(fd, b"quite secret\n")
		try:
		    while True:
		        more = os.read(fd, 1000)
		        if not more:
		            break
		        seen += more
		except OSError:
		    pass
		print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), seen.decode())
	END
	grep -q '^0 Password' said
	[ "$(grep -c secret said)" = 0 ]
	serve sqlite:f.db
	login nok 'quite secret'
}

@test "log in, who am I, log out: the token is good until then" {
	serve sqlite:f.db
	gives 401 GET /auth/me
	detail 'log in first'
	grep -qi '^www-authenticate: Bearer' head
	login vera
	gives 200 GET /auth/me
	[ "$(jq -r '.username, .role' body | xargs)" = "vera viewer" ]
	gives 204 POST /auth/logout
	gives 401 GET /auth/me
	gives 401 POST /auth/refresh "{\"refresh_token\":\"$REFRESH\"}"
	[ "$(sqlite3 f.db "SELECT group_concat(action) FROM audit_log WHERE address IS NOT NULL")" = login,logout ]
}

@test "a wrong name and a wrong password are refused alike, and make the account wait" {
	serve sqlite:f.db
	gives 401 POST /auth/login '{"username":"nobody","password":"whatever it is"}'
	cp body nobody
	for _ in 1 2 3 4; do
		gives 401 POST /auth/login '{"username":"vera","password":"whatever it is"}'
		cmp body nobody
	done
	[ "$(sqlite3 f.db "SELECT failed_logins FROM app_user WHERE username = 'vera'")" = 4 ]
	# after the fourteenth the wait is 15 minutes, however slow this machine is
	sqlite3 f.db "UPDATE app_user SET failed_logins = 20 WHERE username = 'vera'"
	gives 401 POST /auth/login '{"username":"vera","password":"whatever it is"}'
	gives 429 POST /auth/login '{"username":"vera","password":"vera has a password"}'
	grep -Eqi '^retry-after: [0-9]{3}' head
	sqlite3 f.db "UPDATE app_user SET locked_until = 1 WHERE username = 'vera'"
	login vera
	[ "$(sqlite3 f.db "SELECT failed_logins FROM app_user WHERE username = 'vera'")" = 0 ]
}

@test "an address that tries too often waits" {
	serve sqlite:f.db
	for i in $(seq 30); do
		call POST /auth/login "{\"username\":\"n$i\",\"password\":\"whatever it is\"}" >/dev/null
		[ "$(cat code)" = 401 ] || break
	done
	[ "$(cat code)" = 429 ]
	[ "$i" -ge 10 ]
	grep -qi '^retry-after: [0-9]' head
}

@test "a refresh token is good once; a second time ends the session" {
	serve sqlite:f.db
	login vera
	first=$REFRESH old=$TOKEN
	gives 200 POST /auth/refresh "{\"refresh_token\":\"$first\"}"
	second=$(jq -r .refresh_token body) TOKEN=$(jq -r .access_token body)
	[ "$second" != "$first" ]
	gives 200 GET /auth/me
	gives 401 POST /auth/refresh "{\"refresh_token\":\"$first\"}"
	gives 401 GET /auth/me
	TOKEN=$old
	gives 401 GET /auth/me
	gives 401 POST /auth/refresh "{\"refresh_token\":\"$second\"}"
	gives 401 POST /auth/refresh '{"refresh_token":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'
}

@test "the database holds no token and no password" {
	serve sqlite:f.db
	login vera
	sqlite3 f.db .dump >dump
	[ "$(grep -cF -e "$REFRESH" -e "$TOKEN" -e 'has a password' dump)" = 0 ]
	grep -qF 'argon2id$v=19$m=19456,t=2,p=1' dump
}

@test "the browser's refresh token is in a cookie that no script and no other site has" {
	serve sqlite:f.db
	gives 200 POST /auth/login '{"username":"vera","password":"vera has a password"}'
	[ "$(jq -r .refresh_token body)" = null ]
	cookie=$(sed "s|\r$||" "head" | sed -n 's/^set-cookie: //p')
	[[ $cookie =~ ^__Host-floatline=[^\;]{40,}\;\ Path=/\;\ HttpOnly\;\ SameSite=Strict\;\ Max-Age=604800\;\ Secure$ ]]
	value=${cookie%%;*}
	refuses() {
		[ "$(curl -s -o body -w '%{http_code}' -X POST "$@" "$API/auth/refresh")" = "$want" ]
	}
	want=403 refuses -b "$value" -H 'Origin: https://elsewhere.example'
	want=401 refuses
	want=200 refuses -b "x=y; $value" -H "Origin: $BASE"
	want=401 refuses -b "$value"
}

@test "a token that was changed in any place is refused" {
	serve sqlite:f.db
	login vera
	good=$TOKEN
	for i in 3 20 40 60 90 120 160 $((${#good} - 1)); do
		c=${good:i:1}
		[ "$c" = A ] && new=B || new=A
		TOKEN=${good:0:i}$new${good:i+1}
		gives 401 GET /auth/me
	done
	TOKEN=$($PYTHON -c '
import base64, sys
head, payload, mac = sys.argv[1].split(".")
none = base64.urlsafe_b64encode(b"{\"alg\":\"none\",\"typ\":\"JWT\"}").decode().rstrip("=")
print(none + "." + payload + ".")' "$good")
	gives 401 GET /auth/me
	TOKEN=$good
	gives 200 GET /auth/me
}

@test "a new password, a disabled account and a deleted one end the sessions" {
	serve sqlite:f.db
	login vera
	other=$TOKEN
	login vera
	gives 403 POST /auth/change-password '{"current":"wrong one","password":"a better one"}'
	gives 422 POST /auth/change-password '{"current":"vera has a password","password":"12345678"}'
	gives 204 POST /auth/change-password '{"current":"vera has a password","password":"a better one"}'
	gives 200 GET /auth/me
	TOKEN=$other
	gives 401 GET /auth/me
	login vera 'a better one'
	vera=$TOKEN
	login anna
	id=$(sqlite3 f.db "SELECT id FROM app_user WHERE username = 'vera'")
	gives 200 PATCH "/auth/users/$id" '{"active":false}'
	anna=$TOKEN TOKEN=$vera
	gives 401 GET /auth/me
	TOKEN=
	gives 401 POST /auth/login '{"username":"vera","password":"a better one"}'
	detail 'wrong name or password'
	TOKEN=$anna
	gives 204 DELETE "/auth/users/$id"
	gives 404 GET "/auth/users/$id"
}

@test "admins keep accounts, but not their own end" {
	serve sqlite:f.db
	login anna
	gives 201 POST /auth/users '{"username":"nok","password":"a long one","role":"engineer","sites":"DC-CNX-01","full_name":"Nok น้ก"}'
	[ "$(jq -r '.full_name + .sites' body)" = 'Nok น้กDC-CNX-01' ]
	id=$(jq .id body)
	gives 409 POST /auth/users '{"username":"nok","password":"a long one","role":"engineer"}'
	gives 422 POST /auth/users '{"username":"nok2","password":"short","role":"engineer"}'
	gives 422 POST /auth/users '{"username":"nok2","password":"a long one","role":"boss"}'
	gives 200 PATCH "/auth/users/$id" '{"role":"viewer","sites":"","password":"another long one"}'
	[ "$(jq -r '.role, .sites' body | xargs)" = 'viewer null' ]
	gives 200 GET '/auth/users?limit=2&skip=1'
	[ "$(jq -r '.total, (.items | length), .items[0].username' body | xargs)" = '5 2 emil' ]
	gives 422 PATCH "/auth/users/$id" '{"role":"admin","password":"short"}'
	gives 200 GET "/auth/users/$id"
	[ "$(jq -r .role body)" = viewer ] # all or nothing
	me=$(sqlite3 f.db "SELECT id FROM app_user WHERE username = 'anna'")
	gives 409 DELETE "/auth/users/$me"
	gives 409 PATCH "/auth/users/$me" '{"role":"viewer"}'
	gives 409 PATCH "/auth/users/$me" '{"active":false}'
	gives 404 GET /auth/users/999
	gives 404 GET /auth/users/anna
}

@test "every operation asks for the role it names, and for no less" {
	serve sqlite:f.db
	operations
	for who in nobody vera emil anna; do
		TOKEN=
		[ $who = nobody ] || login $who
		case $who in nobody) rank=0 ;; vera) rank=1 ;; emil) rank=2 ;; anna) rank=3 ;; esac
		good=$TOKEN
		while read -r method path role _; do
			case $role in none | device) need=0 ;; viewer) need=1 ;; engineer) need=2 ;; admin) need=3 ;; esac
			# Nobody is logged out by this test, nor tried at the door.
			[[ $path == /auth/login || $path == /auth/logout ]] && continue
			TOKEN=$good
			args=("$method" "$(with_id "$path")")
			[ "$method" = GET ] || args+=('{"nothing":1}')
			call "${args[@]}" >/dev/null
			code=$(cat code)
			if [ "$role" = device ]; then
				[ "$code" = 401 ] || fail "$who $method $path: $code, not 401"
			elif [ $rank -ge $need ]; then
				[[ $code != 401 && $code != 403 ]] || fail "$who $method $path: $code"
			elif [ $rank = 0 ]; then
				[ "$code" = 401 ] || fail "$who $method $path: $code, not 401"
			else
				[ "$code" = 403 ] || fail "$who $method $path: $code, not 403"
			fi
		done < <(grep -v DELETE operations)
	done
	[ "$(sqlite3 f.db "SELECT count(*) FROM audit_log WHERE action = 'denied'")" -ge 8 ]
}

@test "every GET answers with JSON and a status of its description" {
	serve sqlite:f.db
	operations
	login anna
	while read -r method path _ statuses; do
		[[ "$method" == GET && $path != /metrics ]] || continue # metrics: see below
		url=$(with_id "$path")
		[ "$path" != /export/telemetry ] || url+="?battery=DC-CNX-01-UPS-01-S1-J07"
		gives 200 GET "$url"
		case $(jq -r --arg p "$path" '.paths[$p].get.responses["200"].content // {} | keys[0]' openapi) in
		application/json) jq -e . body >/dev/null ;;
		text/csv) grep -qi '^content-type: text/csv; charset=utf-8' head ;;
		text/html) grep -q '^<!doctype html>' body ;;
		*) fail "$path: a type of its own" ;;
		esac
		call GET "$(with_id "$path")?frob=1" >/dev/null
		[ "$(cat code)" = 422 ] || fail "$path?frob=1: $(cat code)"
		detail "no parameter 'frob' here"
		case $path in *\{id\}*)
			gives 404 GET "${path/\{id\}/nix-99}"
			[[ ,$statuses, == *,404,* ]] || fail "$path does not name 404"
			;;
		esac
	done <operations
}

@test "metrics for Prometheus, to one with a device's token" {
	serve sqlite:f.db
	login anna
	gives 200 GET /fleet/summary
	gives 200 GET /batteries/DC-CNX-01-UPS-01-S1-J07
	gives 404 GET /batteries/DC-CNX-01-UPS-01-S1-J99
	gives 401 GET /metrics
	gives 201 POST /devices '{"name":"prometheus"}'
	TOKEN=$(jq -r .token body)
	gives 200 GET /metrics
	grep -q '^floatline_bridge_requests_total{method="GET",route="/batteries/{id}",status="2xx"} 1$' body
	grep -q '^floatline_bridge_requests_total{method="GET",route="/batteries/{id}",status="4xx"} 1$' body
	n=$(sed -n 's/^floatline_bridge_request_seconds_count //p' body)
	[ "$(sed -n 's/^floatline_bridge_request_seconds_bucket{le="+Inf"} //p' body)" = "$n" ]
	[ "$(sed -n 's/^floatline_bridge_requests_total.*} //p' body | awk "{ n += \$1 } END { print n }")" = "$n" ]
	[ "$n" -ge 6 ]
}

@test "one who may see one site sees that site alone" {
	serve sqlite:f.db
	operations
	login kim
	for stats in true false; do
		gives 200 GET "/locations?include_stats=$stats"
		[ "$(jq -r '.items[].id' body)" = DC-KKN-01 ]
		[ "$(jq '.items[0] | has("batteries")' body)" = $stats ]
	done
	gives 200 GET /fleet/summary
	[ "$(jq '.batteries, .locations' body | xargs)" = '24 1' ]
	gives 200 GET '/batteries?limit=1000'
	[ "$(jq -r '.items[].location' body | sort -u)" = DC-KKN-01 ]
	gives 200 GET '/alerts?limit=1000'
	[ "$(jq '[.items[] | select(.subject | startswith("DC-KKN-01") | not)] | length' body)" = 0 ]
	while read -r method path role _; do
		[[ $path == *\{id\}* && $path != /models/* && $role == viewer && $method == GET ]] || continue
		gives 404 GET "$(with_id "$path")"
	done <operations
	gives 200 GET /batteries/DC-KKN-01-REC-01-S1-J07
	login vera
	gives 200 GET '/batteries?limit=1'
	[ "$(jq .total body)" = 240 ]
}

@test "what cannot be understood is refused with the reason" {
	serve sqlite:f.db
	login anna
	while IFS='|' read -r code args; do
		eval "gives $code $args"
	done <<-'END'
		422|GET '/batteries?limit=0'
		422|GET '/batteries?limit=1001'
		422|GET '/batteries?limit=1&limit=2'
		422|GET '/batteries?status=fine'
		422|GET '/batteries?has_alerts=1'
		422|GET '/batteries?search=%ff'
		422|GET /batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?start=yesterday
		422|GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?start=2026-01-02&end=2026-01-01'
		404|GET /frob
		404|GET /batteries/a/b/c
		405|DELETE /batteries
		405|PUT /batteries
		400|POST /auth/users '{"username":'
		422|POST /auth/users '[1]'
		422|POST /auth/users '{"username":1,"password":"a long one","role":"viewer"}'
		422|POST /auth/users '{"username":"x"}'
		400|POST /auth/users '{"username":"x","username":"y"}'
		400|POST /auth/users '{"username":"a\u0000b","password":"a long one","role":"viewer"}'
	END
	[ "$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $TOKEN" -d '{}' "$API/auth/users")" = 400 ]
	head -c 9000000 /dev/zero | tr '\0' ' ' >large
	[ "$(curl -s -o body -w '%{http_code}' -H "Authorization: Bearer $TOKEN" -H 'Expect:' -d @large "$API/auth/users")" = 413 ]
	gives 200 GET /health
}

@test "the newest samples, and steps that keep every spike" {
	serve sqlite:f.db
	login vera
	# a sample is corrected: its roll-ups are as well
	echo '{"kind":"telemetry","ts":"2026-01-01T09:15:00Z","battery":"DC-CNX-01-UPS-01-S1-J07","voltage_v":11.25}' |
		encode -q | store -q --db sqlite:f.db
	gives 200 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z&limit=7'
	sqlite3 f.db "SELECT count(*), round(min(voltage_v), 3), round(max(voltage_v), 3) FROM telemetry WHERE battery = (SELECT id FROM battery WHERE code = 'DC-CNX-01-UPS-01-S1-J07')" >want
	jq -r '[([.items[].count] | add), ([.items[].voltage_min_v] | min), ([.items[].voltage_max_v] | max)] | join("|")' body | diff want -
	[ "$(jq '.items | length' body)" = 6 ] # seven at most, of whole hours
	[ "$(jq '[.items[].voltage_min_v] | min' body)" = 11.25 ]
	gives 200 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry'
	[ "$(jq '.items | length' body)" = 96 ]
	gives 200 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z&resolution=6h'
	[ "$(jq '.items | length' body)" = 4 ]
	gives 422 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?start=2026-01-01T00:00:00Z&end=2026-01-02T00:00:00Z&resolution=1h&limit=23'
	jq -r .detail body | grep -q 'makes 24 steps'
	gives 422 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?resolution=soon'
	gives 422 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/telemetry?resolution=0'
}

@test "the same answers from SQLite and from PostgreSQL" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	jar=batteries/DC-CNX-01-UPS-01-S1-J07
	for db in sqlite:f.db "$(cat "$BATS_FILE_TMPDIR/url")"; do
		serve "$db"
		login kim
		for path in batteries locations alerts fleet/summary; do
			gives 200 GET "/$path"
			jq -c 'del(.. | .last_login?)' body
		done >"restricted-${db%%:*}"
		login anna
		for path in locations locations/DC-CNX-01 locations/DC-CNX-01/systems systems/DC-CNX-01-UPS-01 \
			strings/DC-CNX-01-UPS-01-S1 'batteries?limit=1000' 'batteries?sort=rul&limit=20' 'batteries?sort=temperature&limit=20' \
			'batteries?status=warning' 'batteries?has_alerts=true&skip=3' 'batteries?search=s2-j0&location_id=DC-KKN-01' \
			$jar $jar/telemetry "$jar/telemetry?limit=5" "$jar/telemetry?resolution=3h" "$jar/twin?resolution=6h" $jar/twin "$jar/twin?skip=2&limit=3" $jar/rul $jar/events \
			'alerts?limit=1000' 'alerts?active_only=true&severity=critical' 'alerts?location=DC-KKN-01' \
			'alerts?start_date=2026-01-01T06:00:00Z&end_date=2026-01-01T12:00:00Z' fleet/summary auth/users; do
			gives 200 GET "/$path"
			echo "$path"
			jq -c 'del(.. | .last_login?)' body
		done >"all-${db%%:*}"
		stop
	done
	diff all-sqlite all-postgresql
	diff restricted-sqlite restricted-postgresql
	grep -q '"total":240' all-sqlite
}

@test "the database goes and comes: 503, then as before" {
	find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | grep -q . || skip "no PostgreSQL server here"
	mkdir own
	url=$("$ROOT/scripts/pg" start own)
	echo "a long one" | "$bridge" user add nok --role viewer --db "$url"
	serve "$url"
	login nok 'a long one'
	"$ROOT/scripts/pg" crash own
	gives 503 GET /auth/me
	gives 503 GET /health/ready
	gives 200 GET /health
	grep -q '^bridge: cannot' bridge.log
	"$ROOT/scripts/pg" again own
	answers() {
		call GET "$1" >/dev/null
		[ "$(cat code)" = 200 ]
	}
	wait_until 20 answers /health/ready
	wait_until 20 answers /auth/me
}

@test "every answer carries the security headers" {
	serve sqlite:f.db
	for path in /health /frob /auth/me; do
		call GET $path >/dev/null
		for h in 'x-content-type-options: nosniff' 'referrer-policy: no-referrer' 'cache-control: no-store' \
			"content-security-policy: default-src 'none'" 'cross-origin-opener-policy: same-origin'; do
			grep -qi "^$h" head || fail "$path: no $h"
		done
		[ "$(grep -ci '^access-control' head)" = 0 ]
	done
}

@test "many at once are all answered, and those who hang up harm nobody" {
	serve sqlite:f.db
	login vera
	seq 200 | xargs -P 20 -n 10 sh -c 'for _; do curl -s -o /dev/null -w "%{http_code}\n" -H "Authorization: Bearer $0" '"$API"'/fleet/summary; done' "$TOKEN" | sort | uniq -c >codes
	[ "$(xargs <codes)" = "200 200" ]
	$PYTHON - "$API" <<-'END'
		import socket, sys, urllib.parse
		u = urllib.parse.urlparse(sys.argv[1])
		for text in (b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
		             b"GET /api/v1/fleet/summary HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /api", b"\0\1\2\r\n\r\n",
		             b"GET /" + b"x" * 100000 + b" HTTP/1.1\r\n\r\n", b"POST /api/v1/auth/login HTTP/1.1\r\nContent-Length: -5\r\n\r\n"):
		    for _ in range(5):
		        s = socket.create_connection((u.hostname, u.port))
		        s.sendall(text)
		        s.close()
	END
	gives 200 GET /fleet/summary
	# a body that nobody announced is not read
	code=$(curl -s -o body -w '%{http_code}' -H 'Transfer-Encoding: chunked' -H 'Content-Type: application/json' \
		-d '{"username":"vera","password":"vera has a password"}' "$API/auth/login" || true)
	[[ $code == 4?? || $code == 000 ]] || fail "chunked: $code"
	gives 200 GET /fleet/summary
	# stopped while it answers
	for _ in $(seq 30); do
		curl -s -o /dev/null -H "Authorization: Bearer $TOKEN" "$API/batteries?limit=1000" 3>&- &
	done
	stop
	wait
}

@test "https by a certificate" {
	command -v openssl >/dev/null || skip "no openssl to make a certificate"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
	serve sqlite:f.db --cert cert.pem --key key.pem
	[[ $BASE == https:* ]]
	[ "$(curl -sk -D head "$API/health")" = '{"status":"ok"}' ]
	grep -qi '^strict-transport-security: ' head
}

@test "TERM ends it with 0; what cannot be served is refused" {
	serve sqlite:f.db
	port=${BASE##*:}
	try "$bridge" --db sqlite:f.db --listen "127.0.0.1:$port"
	assert_status 3
	assert_one_line_stderr "cannot listen on '127.0.0.1' port $port"
	stop
	try "$bridge" --db sqlite:nowhere/f.db
	assert_status 3
	assert_one_line_stderr 'nowhere'
	for args in "--listen 8080" "--listen 127.0.0.1:http" "--cert x" "--frob"; do
		# shellcheck disable=SC2086
		try "$bridge" --db sqlite:f.db $args
		assert_status 2
	done
}
