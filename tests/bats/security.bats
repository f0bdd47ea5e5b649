# What floatline-security(7) promises: that each of its tests is there, and those that are
# about attacks alone.
load helper
load bridge_helper

bats_require_minimum_version 1.5.0

teardown() {
	[ ! -s bridge.pid ] || kill "$(cat bridge.pid)" 2>/dev/null || true
}

# asked OPTION… PATH: the status of a call made as an attacker would make it.
asked() {
	local n=$(($# - 1))
	curl -sS --path-as-is -D head -o body -w '%{http_code}' "${@:1:n}" "$BASE${*: -1}"
}

@test "every threat has its test, and every test that is named is there" {
	page=$ROOT/man/floatline-security.7
	grep -E '^\.Dl [a-z-]+\.bats: ' "$page" | sed 's/^\.Dl //' | sort -u >named
	[ "$(wc -l <named)" -ge 30 ]
	while IFS=: read -r file name; do
		grep -qxF "@test \"${name# }\" {" "$ROOT/tests/bats/$file" || echo "$file:$name"
	done <named >missing
	[ ! -s missing ] || fail "no such test: $(cat missing)"
	# from one threat to the next, something is said and something is named
	awk '/^\.It / { if (n && !t) print threat; threat = $0; t = 0; n++ } /^\.Dl / { t++ } /^\.El/ { if (n && !t) print threat; n = 0 }' \
		"$page" >bare
	[ ! -s bare ] || fail "no test for: $(cat bare)"
}

@test "what parses bytes from outside is fuzzed" {
	for target in web ws_message stream_fuzz json_fuzz db_url rules command ingest_rows_fuzz ingest_mapping_fuzz; do
		[ -s "$ROOT/tests/fuzz/$target.c" ] || fail "no target $target"
		[ -n "$(ls "$ROOT/tests/fuzz/corpus/$target")" ] || fail "nothing to begin with for $target"
	done
}

@test "there is no account before one is made" {
	: | encode -q >empty.flt
	store -q --db sqlite:new.db <empty.flt
	serve sqlite:new.db
	[ "$(sqlite3 new.db 'SELECT count(*) FROM app_user')" = 0 ]
	for name in admin root floatline; do
		gives 401 POST /auth/login "{\"username\":\"$name\",\"password\":\"$name\"}"
	done
	gives 401 GET /auth/users
	gives 401 POST /auth/users '{"username":"me","password":"a long one","role":"admin"}'
}

@test "a name that is not there costs what a wrong password costs" {
	serve sqlite:f.db
	# Time is no thing to assert on a busy machine; what takes it is: one hash, one commit.
	sqlite3 f.db 'PRAGMA wal_checkpoint(TRUNCATE)' >/dev/null
	for name in nobody vera; do
		before=$(sqlite3 f.db 'SELECT count(*) FROM audit_log')
		gives 401 POST /auth/login "{\"username\":\"$name\",\"password\":\"whatever it is\"}"
		[ "$(sqlite3 f.db 'SELECT count(*) FROM audit_log')" = $((before + 1)) ]
		commits "f.db-wal" >"$name"
	done
	[ "$(cat nobody)" = 1 ]
	[ "$(cat vera)" = 2 ] # the one before and its own
}

# commits WAL: how many transactions a write-ahead log holds: frames with a size of the
# database in them end one.
commits() {
	$PYTHON - "$1" <<-'END'
		import struct, sys
		wal = open(sys.argv[1], "rb").read()
		page, salt = struct.unpack(">I", wal[8:12])[0], wal[16:24]
		n, at = 0, 32
		while at + 24 <= len(wal) and wal[at + 8:at + 16] == salt:
		    n += struct.unpack(">I", wal[at + 4:at + 8])[0] > 0
		    at += 24 + page
		print(n)
	END
}

@test "a device's token opens nothing but the way in of samples" {
	serve sqlite:f.db
	operations
	login anna
	gives 201 POST /devices '{"name":"logger"}'
	TOKEN=$(jq -r .token body)
	while read -r method path role _; do
		[[ $role != none && $role != device ]] || continue
		args=("$method" "$(with_id "$path")")
		[ "$method" = GET ] || args+=('{}')
		gives 401 "${args[@]}"
	done <operations
	# and no person's token opens that way
	login anna
	gives 401 POST /telemetry '{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z"}'
}

@test "an access token alone changes no password, and tries are counted and logged" {
	serve sqlite:f.db
	login vera
	gives 422 POST /auth/change-password '{"password":"another long one"}'
	for i in $(seq 30); do
		call POST /auth/change-password '{"current":"a guess","password":"another long one"}' >/dev/null
		[ "$(cat code)" = 403 ] || break
	done
	[ "$(cat code)" = 429 ]
	[ "$(sqlite3 f.db "SELECT count(*) FROM audit_log WHERE action = 'password.refused' AND username = 'vera'")" = $((i - 1)) ]
}

@test "an engineer of one site changes nothing of another, whatever the call" {
	echo 'pim has a password' | "$bridge" user add pim --role engineer --sites DC-KKN-01 --db sqlite:f.db
	serve sqlite:f.db --simulations "$PWD/sims"
	operations
	login pim
	tables='alert alert_action incident incident_decision maintenance_window work_order event battery simulation'
	count() {
		for t in $tables; do sqlite3 f.db "SELECT '$t', * FROM $t"; done | sha256sum
	}
	count >before
	id=$(sqlite3 f.db "SELECT min(alert_id) FROM alert WHERE subject LIKE 'DC-CNX-01%'")
	incident=$(sqlite3 f.db "SELECT min(incident_id) FROM incident WHERE subject LIKE 'DC-CNX-01%'")
	n=0
	while read -r method path; do
		[ $n = 0 ] || [ -n "$path" ]
		case $path in
		/alerts/*) path=${path/\{id\}/$id} ;;
		/incidents/*) path=${path/\{id\}/$incident} ;;
		/work-orders/*) path=${path/\{id\}/WO-1} ;;
		*) path=$(with_id "$path") ;;
		esac
		case $path in
		*/shelve) body='{"until":"2099-01-01T00:00:00Z","reason":"x"}' ;;
		*/assign) body='{"assignee":"pim"}' ;;
		/maintenance-windows) body='{"subject":"DC-CNX-01","from":"2026-01-02T00:00:00Z","until":"2026-01-02T04:00:00Z","title":"x"}' ;;
		/work-orders) body='{"subject":"DC-CNX-01-UPS-01","title":"x"}' ;;
		/work-orders/*) body='{"status":"completed"}' ;;
		/simulation/start) body='{"location":"DC-CNX-01"}' ;;
		/simulation/stop | /scenarios/clear) body='{"id":1}' ;;
		/scenarios/apply) body='{"id":1,"scenario":"load"}' ;;
		/incidents/*) body='{"close":true}' ;;
		*) body='{}' ;;
		esac
		call "$method" "$path" "$body" >/dev/null
		[[ $(cat code) == 404 || $(cat code) == 422 ]] || fail "$method $path: $(cat code)"
		n=$((n + 1))
	done < <(awk '($1 == "POST" || $1 == "PATCH") && $3 == "engineer" { print $1, $2 }' operations)
	[ $n -ge 13 ]
	count | diff before -
}

@test "a form of another page does nothing in somebody's name" {
	serve sqlite:f.db
	# A form sends one of three types, and parameters in its address; with them, nothing.
	for type in application/x-www-form-urlencoded multipart/form-data text/plain; do
		[ "$(asked -X POST -H "Content-Type: $type" -H 'Origin: https://elsewhere.example' \
			-d '{"username":"vera","password":"vera has a password"}' /api/v1/auth/login)" = 400 ]
		[ "$(grep -ci '^set-cookie' head)" = 0 ]
	done
	[ "$(asked -X POST '/api/v1/auth/login?username=vera&password=vera%20has%20a%20password')" = 422 ]
	detail "parameter 'username' belongs in the body"
	[ "$(grep -ci '^set-cookie' head)" = 0 ]
	login emil
	[ "$(asked -X POST -H "Authorization: Bearer $TOKEN" '/api/v1/work-orders?subject=DC-CNX-01&title=x')" = 422 ]
	# The cookie alone is good for nothing but a new token, and for its own page only.
	gives 200 POST /auth/login '{"username":"vera","password":"vera has a password"}'
	value=$(sed "s|\r$||" head | sed -n 's/^set-cookie: \([^;]*\).*/\1/p')
	for path in auth/me auth/logout batteries; do
		[ "$(asked -X "$([ $path = auth/logout ] && echo POST || echo GET)" -b "$value" /api/v1/$path)" = 401 ]
	done
	for origin in null https://elsewhere.example "${BASE}0" "x$BASE.elsewhere.example"; do
		[ "$(asked -X POST -b "$value" -H "Origin: $origin" /api/v1/auth/refresh)" = 403 ] || fail "$origin"
	done
	[ "$(asked -X POST -b "$value" -H "Origin: $BASE" /api/v1/auth/refresh)" = 200 ]
}

@test "no other page frames ours, reads our answers or asks beforehand" {
	serve sqlite:f.db
	for path in / /js/main.js /api/v1/health /api/v1/auth/me /nowhere; do
		asked -H 'Origin: https://elsewhere.example' $path >/dev/null
		grep -qi "^content-security-policy: .*frame-ancestors 'none'" head || fail "$path"
		grep -qi '^cross-origin-resource-policy: same-origin' head || fail "$path"
		[ "$(grep -ci '^access-control' head)" = 0 ]
		[ "$(grep -Eci "^content-security-policy: .*(unsafe|https?:|\*)" head)" = 0 ]
	done
	asked -X OPTIONS -H 'Origin: https://elsewhere.example' -H 'Access-Control-Request-Method: POST' \
		-H 'Access-Control-Request-Headers: authorization,content-type' /api/v1/work-orders >code || true
	[ "$(grep -ci '^access-control' head)" = 0 ]
	[[ $(cat code) != 2* ]]
}

@test "clients that send by the drop or read nothing hold up nobody" {
	serve sqlite:f.db
	login vera
	$PYTHON - "$API" "$TOKEN" <<-'END' &
		import socket, sys, time, urllib.parse
		u = urllib.parse.urlparse(sys.argv[1])
		held = []
		for i in range(60):
		    s = socket.create_connection((u.hostname, u.port))
		    s.sendall((b"GET /api/v1/batteries?limit=1000 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer " +
		               sys.argv[2].encode() + b"\r\n\r\n") if i % 2 else b"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Le")
		    held.append(s)
		open("held", "w").write("60")
		time.sleep(600)
	END
	holder=$!
	wait_for_file held 20
	for _ in 1 2 3 4 5; do
		[ "$(curl -sS -m 15 -o body -w '%{http_code}' -H "Authorization: Bearer $TOKEN" "$API/fleet/summary")" = 200 ]
	done
	kill $holder
}

# Something is counted for ever before the first site is there.
ENDLESS="ALTER TABLE site RENAME TO site_away; CREATE VIEW site AS SELECT * FROM site_away WHERE
	(WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c) > 0"

@test "who asks for too much is told so, and keeps nobody waiting for long" {
	for DB in sqlite:f.db $(cat "$BATS_FILE_TMPDIR/url" 2>/dev/null); do
		sql "$ENDLESS"
		serve "$DB" --query-limit 300ms
		login anna
		gives 503 GET /locations
		jq -r .detail body | grep -q 'does not answer in time'
		grep -Eq 'took longer than 0.3 s|statement timeout' bridge.log
		gives 200 GET /auth/me
		gives 201 POST /auth/users '{"username":"late","password":"late has a password","role":"viewer"}'
		stop
		sql 'DROP VIEW site; ALTER TABLE site_away RENAME TO site'
	done
}

@test "what does not fit into the queue is refused at once, and health answers meanwhile" {
	serve sqlite:f.db
	login vera
	cat >flood.py <<-'END'
		import http.client, selectors, sqlite3, sys, time, urllib.parse
		api, token = urllib.parse.urlparse(sys.argv[1]), sys.argv[2]
		WORKERS, QUEUE, REFUSED = 2, 256, 40
		# Nobody else can write: what has to waits.
		lock = sqlite3.connect("f.db", isolation_level=None)
		lock.execute("BEGIN IMMEDIATE")
		sel = selectors.DefaultSelector()
		for _ in range(WORKERS + QUEUE + REFUSED):
		    c = http.client.HTTPConnection(api.hostname, api.port, timeout=30)
		    c.request("POST", api.path + "/me/visit", headers={"Authorization": "Bearer " + token})
		    sel.register(c.sock, selectors.EVENT_READ, c)
		def answers(n):
		    got = []
		    while len(got) < n:
		        for key, _ in sel.select(30):
		            sel.unregister(key.fileobj)
		            r = key.data.getresponse()
		            got.append((r.status, r.headers["Retry-After"], r.read().decode()))
		    return got
		refused = answers(REFUSED)
		assert set(refused) == {(503, "1", '{"detail":"too busy; try again"}')}, refused
		c = http.client.HTTPConnection(api.hostname, api.port, timeout=5)
		c.request("GET", api.path + "/health")
		assert c.getresponse().status == 200
		lock.execute("COMMIT")
		rest = answers(WORKERS + QUEUE)
		assert {r[0] for r in rest} == {204}, rest
	END
	$PYTHON flood.py "$API" "$TOKEN"
}

@test "a site of almost the same name is another site" {
	for code in DC-KKN_01 dc-kkn-01 'DC-KKN%' DC-KKN-0 %; do
		sqlite3 f.db "INSERT INTO site (run, code) SELECT id, '$code' FROM run WHERE name = ''"
	done
	serve sqlite:f.db
	login kim
	gives 200 GET /locations
	[ "$(jq -r '.items[].id' body)" = DC-KKN-01 ]
	login vera
	gives 200 GET /locations
	[ "$(jq .total body)" = 7 ]
}

@test "what cannot be written down is not done" {
	serve sqlite:f.db
	login anna
	gives 201 POST /auth/users '{"username":"nok","password":"a long one","role":"viewer"}'
	nok=$(jq .id body)
	gives 201 POST /devices '{"name":"logger"}'
	device=$(jq .id body)
	gives 201 POST /work-orders '{"subject":"DC-CNX-01","title":"x"}'
	order=$(jq -r .id body)
	alert=$(sqlite3 f.db "SELECT min(alert_id) FROM alert WHERE state = 'firing'")
	sqlite3 f.db "CREATE TRIGGER full BEFORE INSERT ON audit_log BEGIN SELECT RAISE(ABORT, 'the log is full'); END"
	sqlite3 f.db .dump >before
	while IFS='|' read -r method path json; do
		gives 503 "$method" "$path" "$json"
		sqlite3 f.db .dump | diff before - >changed || fail "$method $path: $(cat changed)"
	done <<-END
		POST|/auth/users|{"username":"pim","password":"a long one","role":"viewer"}
		PATCH|/auth/users/$nok|{"role":"admin","password":"another long one"}
		PATCH|/auth/users/$nok|{"active":false}
		DELETE|/auth/users/$nok|{}
		POST|/auth/change-password|{"current":"anna has a password","password":"another long one"}
		POST|/auth/logout|{}
		POST|/devices|{"name":"other"}
		DELETE|/devices/$device|{}
		POST|/alerts/$alert/acknowledge|{}
		POST|/alerts/$alert/resolve|{}
		POST|/alerts/$alert/assign|{"assignee":"nok"}
		POST|/alerts/$alert/shelve|{"until":"2099-01-01T00:00:00Z","reason":"x"}
		PATCH|/incidents/1cafe|{"root_cause":"x","assignee":"nok","close":true}
		POST|/maintenance-windows|{"subject":"DC-CNX-01","from":"2026-01-02T00:00:00Z","until":"2026-01-03T00:00:00Z","title":"x"}
		POST|/work-orders|{"subject":"DC-CNX-01","title":"y"}
		PATCH|/work-orders/$order|{"status":"completed"}
		POST|/batteries/DC-CNX-01-UPS-01-S1-J07/replace|{"serial":"S"}
	END
	grep -q 'the log is full' bridge.log
}

@test "a password is judged and hashed before anybody has to wait for its writing" {
	serve sqlite:f.db
	login anna
	id=$(sqlite3 f.db "SELECT id FROM app_user WHERE username = 'vera'")
	coproc sqlite3 f.db
	locker=$COPROC_PID
	printf 'BEGIN IMMEDIATE;\n.print locked\n' >&"${COPROC[1]}"
	read -r <&"${COPROC[0]}" # from now on only it can write
	gives 422 PATCH "/auth/users/$id" '{"password":"password1"}'
	gives 422 POST /auth/users '{"username":"pim","password":"password1","role":"viewer"}'
	gives 422 POST /auth/change-password '{"current":"anna has a password","password":"password1"}'
	kill "$locker"
	wait "$locker" || true
	gives 200 PATCH "/auth/users/$id" '{"password":"another long one"}'
	login vera 'another long one'
}

@test "large bodies that are never done take so much memory and no more" {
	serve sqlite:f.db
	$PYTHON - "$API" "$(cat bridge.pid)" <<-'END'
		import http.client, json, socket, sys, urllib.parse
		api = urllib.parse.urlparse(sys.argv[1])
		HEAD = "POST %s/telemetry/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 8000000\r\n\r\n"
		def memory():
		    with open("/proc/%s/status" % sys.argv[2]) as f:
		        return int(next(l for l in f if l.startswith("VmHWM")).split()[1]) / 1024
		before = memory()
		def hold(n, *addresses):
		    held, answers = [], set()
		    for i in range(n):
		        s = socket.create_connection((api.hostname, api.port), 20, (addresses[i % len(addresses)], 0))
		        try:
		            s.sendall((HEAD % api.path).encode() + b" " * 7999999)
		            s.settimeout(0.05)
		            answers.update(s.recv(100).split(b" ")[1:2] or [b"cut"])
		        except TimeoutError:
		            held.append(s)
		        except OSError:
		            answers.add(b"cut")
		    return held, answers
		# An address has its share, the others have the rest.
		held, answers = hold(6, "127.0.0.1")
		assert 1 <= len(held) <= 2 and answers <= {b"429", b"cut"}, (len(held), answers)
		more, answers = hold(24, *("127.0.0.%d" % i for i in range(2, 14)))
		assert 4 <= len(held + more) <= 8 and answers <= {b"503", b"429", b"cut"}, (len(held), len(more), answers)
		assert memory() - before < 160, memory()
		# Whoever logs in is not concerned.
		c = http.client.HTTPConnection(api.hostname, api.port, timeout=20)
		c.request("POST", api.path + "/auth/login", json.dumps({"username": "vera", "password": "vera has a password"}),
		          {"Content-Type": "application/json"})
		assert c.getresponse().status == 200
		for s in held + more:
		    s.close()
		# Their room is free again.
		for _ in range(100):
		    c = http.client.HTTPConnection(api.hostname, api.port, timeout=20)
		    c.request("POST", api.path + "/telemetry/bulk", b" " * 2000000, {"Content-Type": "application/json"})
		    if c.getresponse().status == 401:
		        break
		else:
		    sys.exit("still too busy")
	END
}

@test "a body that drips is cut off when its time is over" {
	serve sqlite:f.db --body-limit 300ms
	$PYTHON - "$API" <<-'END'
		import socket, sys, urllib.parse
		api = urllib.parse.urlparse(sys.argv[1])
		s = socket.create_connection((api.hostname, api.port), timeout=20)
		s.sendall(b"POST %s/telemetry/bulk HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
		          b"Content-Length: 8000000\r\n\r\n" % api.path.encode())
		s.settimeout(0.01)
		sent, end = 0, None
		while end is None and sent < 3000:
		    try:
		        sent += s.send(b" ")
		        end = s.recv(100)
		    except TimeoutError:
		        pass
		    except OSError:
		        end = b""
		assert end == b"" and sent > 1, (sent, end)
	END
	login vera
	gives 200 GET /auth/me
}

# socket_client: runs a scenario from stdin with Client of ws.py at hand.
socket_client() {
	{
		echo "import sys; sys.path.insert(0, '$BATS_TEST_DIRNAME')"
		echo "from ws import *"
		cat
		echo "run(main)"
	} >scenario.py
	export API TOKEN
	timeout 60 /usr/bin/python3 scenario.py 2>client.err || fail "$(tail -n 5 client.err)"
}

@test "hostile messages close their own WebSocket and no other" {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "no python3-websockets"
	serve sqlite:f.db
	login vera
	socket_client <<-'END'
		async def main():
		    async with Client() as good:
		        for bad in ("x" * 100000, b"\x00\x01", '{"type":"subscribe_battery","battery":"' + "J" * 60000 + '"}'):
		            async with Client() as c:
		                await c.ws.send(bad)
		                assert await c.closed() in (1003, 1009), bad[:9]
		        async with Client() as c:
		            for bad in ("[" * 4000, "null", "[]", '{"type":1}', '{"type":"auth"}', '{"type":"ping","x":1}',
		                        '{"type":"subscribe_location","location":"a\\u0000b"}', "{}", '"\\ud800"',
		                        '{"type":"subscribe_fleet","last_seq":-1}', '{"type":"subscribe_fleet","last_seq":1e99}'):
		                await c.ws.send(bad)
		                m = await c.next()
		                assert m["type"] == "error" and m["detail"], (bad, m)
		        await good.send("ping")
		        await good.until("pong")
	END
	gives 200 GET /health
}

@test "an account and all accounts have so many WebSockets and no more" {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "no python3-websockets"
	serve sqlite:f.db --account-sockets 2 --sockets 4
	login vera
	socket_client <<-'END'
		async def main():
		    async with Client() as a, Client() as b:
		        async with Client(token=None) as c:
		            await c.send("auth", token=os.environ["TOKEN"])
		            assert await c.closed() == 4403
		        async with Client(token=None), Client(token=None):
		            try:
		                await Client(token=None).__aenter__()
		                assert False, "a fifth"
		            except websockets.InvalidHandshake:
		                pass
		        await a.send("ping")
		        await a.until("pong")
	END
}

@test "an address opens so many WebSockets without a token, and others open theirs" {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "no python3-websockets"
	serve sqlite:f.db --unknown-sockets 3
	login vera
	socket_client <<-'END'
		import http.client, urllib.parse
		def connect(source=None):
		    url = os.environ["API"].replace("http", "ws", 1) + "/ws"
		    return websockets.connect(url, close_timeout=1, local_addr=source)
		def ask():
		    url = urllib.parse.urlparse(os.environ["API"])
		    c = http.client.HTTPConnection(url.hostname, url.port, timeout=10)
		    c.request("GET", url.path + "/ws", headers={"Upgrade": "websocket", "Connection": "Upgrade",
		              "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "A" * 22 + "=="})
		    return c.getresponse()
		async def main():
		    async with Client(), Client() as known:
		        async with connect(), connect(), connect():
		            refused = ask()
		            assert refused.status == 429 and int(refused.headers["Retry-After"]) > 0, refused.status
		            assert refused.headers["X-Content-Type-Options"] == "nosniff", refused.headers
		            assert list(json.loads(refused.read())) == ["detail"]
		            async with connect(("127.0.0.5", 0)):
		                pass
		            await known.send("ping")
		            await known.until("pong")
		        async with Client() as again:  # those without a token have gone
		            await again.send("ping")
		            await again.until("pong")
	END
}

@test "a site that is taken away is heard of no longer, at once" {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "no python3-websockets"
	serve sqlite:f.db
	login anna
	export ADMIN=$TOKEN
	ID=$(sqlite3 f.db "SELECT id FROM app_user WHERE username = 'vera'")
	export ID
	login vera
	socket_client <<-'END'
		async def main():
		    async with Client() as c:
		        await c.enter("location", "DC-CNX-01")
		        os.system('curl -sSf -o patched -X PATCH -H "Authorization: Bearer $ADMIN" '
		                  '-H "Content-Type: application/json" -d \'{"sites":"DC-KKN-01"}\' $API/auth/users/$ID')
		        assert json.load(open("patched"))["sites"] == "DC-KKN-01"
		        assert (await c.until("error"))["detail"].startswith("a room has been closed")
		        await c.send("subscribe_location", location="DC-CNX-01")
		        assert (await c.until("error"))["detail"] == "no 'DC-CNX-01'"
	END
	gives 404 GET /locations/DC-CNX-01
}

@test "what a call names is no file, no command and no statement" {
	serve sqlite:f.db --simulations "$PWD/sims"
	login anna
	for id in '..%2f..%2fetc%2fpasswd' '%2e%2e' "x'%20OR%201=1--" '%00' '.' 'a%0d%0ax:y'; do
		code=$(asked -H "Authorization: Bearer $TOKEN" "/api/v1/models/$id")
		[[ $code == 4?? ]] || fail "models/$id: $code"
		code=$(asked -H "Authorization: Bearer $TOKEN" -X POST "/api/v1/models/$id/promote")
		[[ $code == 4?? ]] || fail "promote $id: $code"
		code=$(asked -H "Authorization: Bearer $TOKEN" "/api/v1/batteries/$id")
		[[ $code == 4?? ]] || fail "batteries/$id: $code"
		[ "$(grep -ci '^x:y' head)" = 0 ]
	done
	for site in '; touch made' '$(touch made)' '--db=sqlite:made' 'DC-CNX-01 --seed=2' '../made' "DC-CNX-01' OR '1'='1"; do
		gives 404 POST /simulation/start "$(jq -nc --arg s "$site" '{location:$s}')"
		gives 422 POST /simulation/start "$(jq -nc --arg s "$site" '{location:"DC-CNX-01",scenario:$s}')"
		gives 422 POST /simulation/start "$(jq -nc --arg s "$site" '{location:"DC-CNX-01",scenario:"load",parameters:{($s):1}}')"
		gives 422 POST /work-orders "$(jq -nc --arg s "$site" '{subject:$s,title:"x"}')"
	done
	[ ! -e made ] && [ ! -e made.db ]
	[ -z "$(ls sims)" ] || fail "$(ls sims)"
}

@test "no secret is on a command line" {
	for option in --password --token --secret; do
		try "$bridge" user add nok --role viewer $option 'quite secret' --db sqlite:f.db
		assert_status 2
	done
	[ "$(grep -c 'quite secret' "$ERR")" = 0 ]
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	url=$(cat "$BATS_FILE_TMPDIR/url")
	[[ $url == *\?* ]] && url="$url&password=sesame" || url="$url?password=sesame"
	serve "$url" --simulations "$PWD/sims"
	tr '\0' ' ' <"/proc/$(cat bridge.pid)/cmdline" >cmdline
	[ "$(grep -c sesame cmdline)" = 0 ]
	# The programs that it starts have no URL among their arguments, from the beginning.
	login emil
	gives 201 POST /simulation/start '{"location":"DC-KKN-01"}'
	stored() {
		pgrep -f -P "$(cat bridge.pid)" /store >store.pid && grep -q . "/proc/$(cat store.pid)/environ"
	}
	wait_until 10 stored
	tr '\0' ' ' <"/proc/$(cat store.pid)/cmdline" >cmdline
	[ "$(grep -c -e --db -e floatline-pg cmdline)" = 0 ] || fail "$(cat cmdline)"
	has_rows() {
		[ -n "$(psql -qAt "$(cat "$BATS_FILE_TMPDIR/url")" -c "SELECT 1 FROM battery b JOIN run r ON r.id = b.run WHERE r.name LIKE 'sim-%' LIMIT 1")" ]
	}
	wait_until 60 has_rows
	# Anyone may give it so.
	FLOATLINE_DB=sqlite:of-environment.db store migrate
	[ -s of-environment.db ]
	[ "$(grep -c sesame bridge.log)" = 0 ]
	[ "$(stat -c %a sims)" = 700 ]
}
