# bridge's WebSocket: who may listen, to what, and that nothing is missed in silence.
load helper
load bridge_helper

bats_require_minimum_version 1.5.0

# live [OPTION…]: a bridge on the fixture with a feed, which a broadcast publishes from the
# FIFO behind fd 9.
live() {
	/usr/bin/python3 -c 'import websockets' 2>/dev/null || skip "no python3-websockets"
	PUB=tcp://127.0.0.1:$(free_port)
	ASK=tcp://127.0.0.1:$(free_port)
	mkfifo feed.in
	publish
	serve sqlite:f.db --feed "sub:$PUB?snapshot=$ASK" "$@" 9>&-
	export API TOKEN
}

publish() {
	broadcast -q --bind "$PUB" --snapshot "$ASK" <feed.in 2>broadcast.log 3>&- 9>&- &
	echo $! >broadcast.pid
	exec 9>feed.in
}

teardown() {
	[ ! -s bridge.pid ] || kill "$(cat bridge.pid)" 2>/dev/null || true
	[ ! -s broadcast.pid ] || kill "$(cat broadcast.pid)" 2>/dev/null || true
}

# say: NDJSON records from stdin into the feed.
say() {
	encode -q >&9
}

# sample MINUTE JAR…: one sample of each jar, a record a line.
sample() {
	local minute=$1 jar
	shift
	for jar in "$@"; do
		printf '{"kind":"telemetry","ts":%s,"battery":"%s","voltage_v":13.5,"temperature_c":25}\n' \
			$((1770000000000 + minute * 60000)) "$jar"
	done
}

# alert ID SUBJECT STATE [SEVERITY]
alert_record() {
	printf '{"kind":"alert","alert_id":"%s","ts":"2026-02-02T00:00:00Z","subject":"%s","rule":"r","severity":"%s","state":"%s"}\n' \
		"$1" "$2" "${4:-warning}" "$3"
}

# client: runs a scenario from stdin, with Client of ws.py at hand; its steps can call
# say(text) to publish.
client() {
	{
		echo "import sys; sys.path.insert(0, '$BATS_TEST_DIRNAME')"
		echo "from ws import *"
		cat
		echo "run(main)"
	} >scenario.py
	timeout 60 /usr/bin/python3 scenario.py 2>client.err || fail "$(tail -n 5 client.err)"
}

KKN=DC-KKN-01-UPS-01-S1-J01
CNX=DC-CNX-01-UPS-01-S1-J01

@test "no token, a bad one, or anything else first: closed with 4401" {
	live
	login anna
	client <<-'END'
		async def main():
		    for first in None, "nonsense", os.environ["TOKEN"] + "x":
		        async with Client(token=None) as c:
		            if first is None:
		                await c.send("subscribe_fleet")
		            else:
		                await c.send("auth", token=first)
		            assert await c.closed() == 4401
		    async with Client(token=None) as c:
		        await c.ws.send("{")
		        assert await c.closed() == 4401
		    async with Client(token=None) as c:
		        assert await c.closed() == 4401  # it says nothing at all
	END
}

@test "rooms: the fleet's means and alerts, a site's batteries, one battery" {
	live
	login anna
	sample 1 $KKN $CNX | say
	cat >more.sh <<-END
		$(declare -f sample alert_record say)
		{ sample 2 $KKN $CNX; alert_record A1 $KKN firing critical; alert_record A2 DC-CNX-01 firing; } | say
	END
	client <<-'END'
		def of(seen, kind, **m):
		    return [s for s in seen if s["type"] == kind and all(s.get(k) == v for k, v in m.items())]
		async def main():
		    async with Client() as fleet, Client() as site, Client() as jar:
		        s = (await fleet.enter("fleet"))["snapshot"]
		        s = await site.enter("location", "DC-KKN-01")
		        assert s["room"] == "location/DC-KKN-01" and s["run"] == "" and not s["replay"]
		        for _ in range(100):
		            if s["snapshot"]: break
		            s = await site.enter("location", "DC-KKN-01")
		        assert [m["battery"] for m in s["snapshot"]] == ["DC-KKN-01-UPS-01-S1-J01"]
		        assert s["snapshot"][0]["voltage_v"] == 13.5 and s["snapshot"][0]["quality"] == []
		        await jar.enter("battery", "DC-KKN-01-UPS-01-S1-J01")
		        os.system("bash more.sh")
		        m = await fleet.until("telemetry_update", location="DC-KKN-01", ts="2026-02-02T02:42:00Z")
		        assert m["batteries"] == 1 and m["voltage_mean_v"] == 13.5 and m["temperature_max_c"] == 25
		        await fleet.until("telemetry_update", location="DC-CNX-01")
		        assert of(fleet.seen, "alert", id="A1", severity="critical", state="firing")
		        assert of(fleet.seen, "alert", id="A2", subject="DC-CNX-01")
		        assert not of(fleet.seen, "telemetry_update", battery="DC-KKN-01-UPS-01-S1-J01")
		        for c in site, jar:
		            await c.until("alert", id="A1")
		            assert [m["battery"] for m in of(c.seen, "telemetry_update")] == ["DC-KKN-01-UPS-01-S1-J01"]
		        async with Client() as late:
		            s = (await late.enter("fleet"))["snapshot"]
		            assert [m["id"] for m in s if m["type"] == "alert"] == ["A1", "A2"]
		            assert {m["location"] for m in s if m["type"] == "telemetry_update"} == {"DC-KKN-01", "DC-CNX-01"}
		        await site.send("unsubscribe_location", location="DC-KKN-01")
		        await site.until("unsubscribed", room="location/DC-KKN-01")
		        await site.send("ping")
		        await site.until("pong")
	END
}

@test "with batch, updates come in arrays, in order and each once" {
	live
	login anna
	sample 0 $KKN | say
	cat >more.sh <<-END
		$(declare -f sample say)
		for i in {1..500}; do sample \$i $KKN; done | say
	END
	client <<-'END'
		async def main():
		    async with Client(batch=True) as c:
		        s = await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01")
		        got = len(s["snapshot"])
		        os.system("bash more.sh")
		        frames, seq = 0, s["seq"]
		        while got < 501:
		            messages = json.loads(await asyncio.wait_for(c.ws.recv(), 10))
		            assert isinstance(messages, list) and messages
		            for m in messages:
		                assert m["seq"] > seq, m
		                seq, got = m["seq"], got + 1
		            frames += 1
		        assert frames < 250, frames
		        await c.send("ping")
		        assert json.loads(await c.ws.recv()) == {"type": "pong"}
	END
}

@test "who is restricted to a site hears of no other" {
	live
	login kim
	{ sample 1 $KKN $CNX; alert_record A1 $KKN firing; alert_record A2 $CNX firing; } | say
	cat >more.sh <<-END
		$(declare -f sample alert_record say)
		{ sample 2 $CNX $KKN; alert_record A3 $CNX firing; alert_record A4 $KKN firing; } | say
	END
	client <<-'END'
		async def main():
		    async with Client() as c:
		        for room, code in ("location", "DC-CNX-01"), ("battery", "DC-CNX-01-UPS-01-S1-J01"):
		            await c.send("subscribe_" + room, **{room: code})
		            assert (await c.until("error"))["detail"] == f"no '{code}'"
		        s = (await c.enter("location", "DC-KKN-01"))["snapshot"]
		        assert "CNX" not in json.dumps(s)
		        s = (await c.enter("fleet"))["snapshot"]
		        assert "CNX" not in json.dumps(s)
		        os.system("bash more.sh")
		        await c.until("alert", id="A4")
		        await c.until("telemetry_update", location="DC-KKN-01")
		        assert "CNX" not in json.dumps(c.seen)
	END
}

@test "after a reconnection exactly what was missed comes, or it is said that it cannot" {
	live
	login vera
	cat >more.sh <<-END
		$(declare -f sample say)
		for ((i = \$1; i < \$2; i++)); do sample \$i $KKN; done | say
	END
	sample 0 $KKN | say
	client <<-'END'
		async def main():
		    async with Client() as c:
		        if not (await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01"))["snapshot"]:
		            await c.until("telemetry_update")  # the bridge has joined the feed
		        os.system("bash more.sh 1 5")
		        for i in range(1, 5):
		            assert (await c.until("telemetry_update"))["ts"] == f"2026-02-02T02:4{i}:00Z"
		        seq, feed = c.seq, c.feed
		    os.system("bash more.sh 5 9")
		    async with Client() as other:  # sees that they have arrived
		        await other.enter("battery", "DC-KKN-01-UPS-01-S1-J01")
		        os.system("bash more.sh 9 10")
		        await other.until("telemetry_update", ts="2026-02-02T02:49:00Z")
		    async with Client(last_seq=seq, feed=feed) as c:
		        s = await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01")
		        assert s["replay"] and s["snapshot"] == []
		        for i in range(5, 10):
		            assert (await c.until("telemetry_update"))["ts"] == f"2026-02-02T02:4{i}:00Z"
		        assert c.seen == []
		        assert (await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01", last_seq=None))["snapshot"] != []
		    for auth in dict(last_seq=seq, feed="0123456789abcdef"), dict(last_seq=10**15, feed=feed), dict(last_seq=1):
		        async with Client(**auth) as c:
		            s = await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01")
		            assert not s["replay"] and s["snapshot"][0]["ts"] == "2026-02-02T02:49:00Z"
		            await c.until("missed")
	END
}

@test "log-out, a new password, a disabled account: closed with 4401" {
	live
	login vera
	client <<-'END'
		async def main():
		    async with Client() as a, Client() as b:
		        await a.enter("fleet")
		        os.system('curl -sS -X POST -H "Authorization: Bearer $TOKEN" $API/auth/logout')
		        assert await a.closed(5) == 4401 and await b.closed(5) == 4401
		    async with Client(token=None) as c:
		        await c.send("auth", token=os.environ["TOKEN"])
		        assert await c.closed() == 4401
	END
	login emil
	client <<-'END'
		async def main():
		    async with Client() as c:
		        os.system('echo another password | bridge user passwd emil --db sqlite:f.db')
		        assert await c.closed() == 4401
	END
	login emil "another password"
	client <<-'END'
		async def main():
		    async with Client() as c:
		        os.system('bridge user disable emil --db sqlite:f.db')
		        assert await c.closed() == 4401
	END
}

# upgrade PATH [ORIGIN]: the status of an attempt to open a WebSocket there; 101 stays open.
upgrade() {
	curl -sS -m 1 -o /dev/null -w '%{http_code}' -H 'Connection: Upgrade' -H 'Upgrade: websocket' \
		-H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==' \
		${2+-H "Origin: $2"} "$BASE$1" 2>/dev/null || true
}

@test "a page from elsewhere may not, but from where --origin says" {
	live --origin https://monitor.example
	for origin in "$BASE" https://monitor.example; do
		[ "$(upgrade /api/v1/ws "$origin")" = 101 ]
	done
	[ "$(upgrade /api/v1/ws)" = 101 ]
	for origin in https://elsewhere.example "${BASE}0" http://monitor.example null "x${BASE#http}"; do
		[ "$(upgrade /api/v1/ws "$origin")" = 403 ] || fail "$origin"
	done
	[ "$(upgrade /api/v1/fleet/summary)" = 404 ]
	[ "$(upgrade /ws)" = 404 ]
}

@test "a simulation is heard of in its own rooms only" {
	live
	login anna
	ASK2=tcp://127.0.0.1:$(free_port)
	PUB2=tcp://127.0.0.1:$(free_port)
	kill "$(cat bridge.pid)"
	wait_for_exit "$(cat bridge.pid)"
	serve sqlite:f.db --feed "sub:$PUB?snapshot=$ASK" --feed "sub:$PUB2?snapshot=$ASK2" 9>&-
	login anna
	mkfifo run.in
	broadcast -q --bind "$PUB2" --snapshot "$ASK2" <run.in 3>&- 9>&- &
	exec 8>run.in
	sample 1 $KKN | say
	sample 2 $KKN | encode -q --run what-if >&8
	client <<-'END'
		async def main():
		    async with Client() as c, Client() as d:
		        jar = "DC-KKN-01-UPS-01-S1-J01"
		        for run, who, ts in ("", c, "2026-02-02T02:41:00Z"), ("what-if", d, "2026-02-02T02:42:00Z"):
		            s = await who.enter("battery", jar, run=run)
		            assert s["run"] == run
		            m = s["snapshot"][0] if s["snapshot"] else await who.until("telemetry_update")
		            assert m["run"] == run and m["ts"] == ts
		            assert not [m for m in who.seen if m["run"] != run]
	END
	exec 8>&- 9>&-
}

@test "a slow client is told last values and how many were left out; others are prompt" {
	live
	login anna
	sample 0 $KKN | say
	cat >more.sh <<-END
		$(declare -f sample alert_record say)
		# flood FROM TO: each minute a sample of 24 jars
		for ((i = \$1; i < \$2; i++)); do
			printf '{"kind":"telemetry","ts":%s,"battery":"DC-KKN-01-UPS-01-S1-J%02d","voltage_v":13.5}\n' \
				\$(for jar in {1..24}; do echo \$((1770000000000 + i * 60000)) \$jar; done)
		done | say
		\$3
	END
	client <<-END
		import datetime as d, socket
		async def main():
		    s = socket.socket()
		    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		    s.connect(("127.0.0.1", int("${BASE##*:}")))
		    slow = await websockets.connect(os.environ["API"].replace("http", "ws", 1) + "/ws", sock=s,
		                                    max_queue=1, read_limit=4096, ping_interval=None)
		    await slow.send(json.dumps({"type": "auth", "token": os.environ["TOKEN"]}))
		    await slow.send(json.dumps({"type": "subscribe_location", "location": "DC-KKN-01"}))
		    async with Client() as prompt:
		        if not (await prompt.enter("location", "DC-KKN-01"))["snapshot"]:
		            await prompt.until("telemetry_update")
		        last = {}
		        async def keep_up(minute):
		            n = 0
		            while len(last) < 24 or min(last.values()) < minute:
		                m = await prompt.next(20)
		                assert m["type"] == "telemetry_update", m
		                assert m["ts"] > last.get(m["battery"], ""), m
		                last[m["battery"]] = m["ts"]
		                n += 1
		            return n
		        def flood(a, b, more=":"):
		            return asyncio.create_subprocess_exec("bash", "more.sh", str(a), str(b), more, pass_fds=[9])
		        def ts(minute):
		            return (d.datetime.fromtimestamp(1770000000 + 60 * minute, d.timezone.utc)
		                    .isoformat().replace("+00:00", "Z"))
		        n = 0
		        for minute in range(1, 1601, 100):  # more than the kernel keeps for the slow one
		            await (await flood(minute, minute + 100)).wait()
		            n += await keep_up(ts(minute + 99))
		        await asyncio.sleep(2.2)  # so long may one be behind
		        await (await flood(1601, 1700, "eval alert_record A1 $KKN firing | say")).wait()
		        n += await keep_up(ts(1699))
		        assert n == 24 * 1699, n  # each of them
		    got, dropped, alert, last = 0, 0, None, {}
		    while len(last) < 24 or min(last.values()) < "2026-02-03T06:59:00Z" or not dropped:
		        m = json.loads(await asyncio.wait_for(slow.recv(), 20))
		        if m["type"] == "telemetry_update":
		            assert m["ts"] > last.get(m["battery"], ""), m
		            last[m["battery"]] = m["ts"]
		            got += 1
		        elif m["type"] == "conflated":
		            dropped += m["dropped"]
		        elif m["type"] == "alert":
		            alert = got
		    assert dropped > 1000 and got + dropped in (24 * 1699, 24 * 1699 + 1), (got, dropped)
		    assert alert is not None and alert < got - 20, (alert, got)
		    await slow.close()
	END
}

@test "a feed that goes and comes back is heard again, from its state on" {
	live
	login vera
	sample 1 $KKN | say
	cat >more.sh <<-END
		$(declare -f sample say publish wait_for_exit wait_until fail)
		kill \$(cat broadcast.pid)
		exec 9>&-
		wait_for_exit \$(cat broadcast.pid)
		PUB=$PUB ASK=$ASK
		publish
		sample 2 $KKN | say
		sample 3 $KKN | say
		cat <&8 >/dev/null
	END
	client <<-'END'
		import subprocess
		async def main():
		    async with Client() as c:
		        if not (await c.enter("battery", "DC-KKN-01-UPS-01-S1-J01"))["snapshot"]:
		            await c.until("telemetry_update")
		        r, w = os.pipe()
		        p = subprocess.Popen(["bash", "-c", f"exec 8<&{r}; . ./more.sh"], pass_fds=[r])
		        await c.until("telemetry_update", ts="2026-02-02T02:43:00Z", timeout=20)
		        os.close(w)
		        p.wait()
	END
}

@test "messages that are none, too long, or too many rooms" {
	live
	login anna
	client <<-'END'
		async def main():
		    async with Client() as c:
		        for text in "{", "[]", '{"type":"dance"}', '{"type":"ping","x":1}', '{"type":"subscribe_location"}', "":
		            await c.ws.send(text)
		            assert (await c.until("error"))["detail"]
		        for i in range(32):
		            await c.enter("battery", f"DC-KKN-01-UPS-01-S1-J{i}")
		        await c.send("subscribe_fleet")
		        assert (await c.until("error"))["detail"] == "more than 32 rooms"
		        for i in range(64):  # all at once: each is answered
		            await c.send("ping")
		        for i in range(64):
		            await c.until("pong")
		        await c.ws.send(["{\"type\":", "\"ping\"}"])  # in pieces
		        await c.until("pong")
		    for bad, code in ("x" * 4097, 1009), (b"{}", 1003):
		        async with Client() as c:
		            await c.ws.send(bad)
		            assert await c.closed(5) == code
		    async with Client() as c:
		        try: await c.ws.send(["x" * 3000] * 3)  # closed under way
		        except websockets.ConnectionClosed: pass
		        assert await c.closed(5) in (1006, 1009)
		    async with Client(): pass
	END
}

@test "only so many connections, of an account and in all" {
	live --sockets 4 --account-sockets 2
	login vera
	client <<-'END'
		async def main():
		    async with Client(), Client():
		        async with Client(token=None) as c:
		            await c.send("auth", token=os.environ["TOKEN"])
		            assert await c.closed(5) == 4403
		        async with Client(token=None), Client(token=None):
		            try:
		                async with Client(token=None): pass
		                assert False
		            except websockets.InvalidHandshake: pass
		    async with Client(): pass
	END
}

@test "a new token keeps the connection, another account's closes it" {
	live
	login anna
	ANNA=$TOKEN
	login vera
	export OTHER=$ANNA
	client <<-'END'
		async def main():
		    async with Client() as c:
		        await c.enter("fleet")
		        await c.send("auth", token=os.environ["TOKEN"])
		        assert (await c.until("connected"))["user"] == "vera"
		        await c.send("ping")
		        await c.until("pong")
		        await c.send("auth", token=os.environ["OTHER"])
		        assert await c.closed(5) == 4403
	END
}

@test "who may see less from now on is moved out of rooms, without a new login" {
	live
	login anna
	gives 200 GET "/auth/users"
	id=$(jq '.items[] | select(.username == "vera") | .id' body)
	ANNA=$TOKEN
	login vera
	export ANNA id
	cat >more.sh <<-END
		$(declare -f sample say)
		sample 2 $CNX $KKN | say
	END
	sample 1 $KKN $CNX | say
	client <<-'END'
		async def main():
		    async with Client() as c:
		        await c.enter("location", "DC-CNX-01")
		        await c.enter("location", "DC-KKN-01")
		        os.system('curl -sS -X PATCH -H "Authorization: Bearer $ANNA" -H "Content-Type: application/json" '
		                  '-d \'{"sites":"DC-KKN-01"}\' $API/auth/users/$id >patched')
		        await c.until("error", timeout=5)
		        c.seen.clear()
		        os.system("bash more.sh")
		        await c.until("telemetry_update", battery="DC-KKN-01-UPS-01-S1-J01", ts="2026-02-02T02:42:00Z")
		        assert "CNX" not in json.dumps(c.seen)
	END
}

@test "a thousand connections survive, and each hears the alert" {
	live --account-sockets 1000
	ulimit -n 4096 || skip "no more than $(ulimit -n) files"
	login anna
	sample 1 $KKN | say
	cat >more.sh <<-END
		$(declare -f alert_record say)
		alert_record A1 $KKN firing | say
	END
	client <<-'END'
		import contextlib
		async def main():
		    async with contextlib.AsyncExitStack() as stack:
		        clients = []
		        for i in range(20):  # fifty at a time
		            clients += await asyncio.gather(*[stack.enter_async_context(Client()) for _ in range(50)])
		        await asyncio.gather(*[c.enter("location", "DC-KKN-01") for c in clients])
		        os.system("bash more.sh")
		        await asyncio.gather(*[c.until("alert", id="A1", timeout=30) for c in clients])
		        await asyncio.gather(*[c.send("ping") for c in clients])
		        await asyncio.gather(*[c.until("pong", timeout=30) for c in clients])
	END
	[ "$(awk '/VmHWM/ { print $2 }' "/proc/$(cat bridge.pid)/status")" -lt 300000 ]
	gives 200 GET /auth/me
}

@test "over https as well" {
	command -v openssl >/dev/null || skip "no openssl to make a certificate"
	openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=localhost 2>/dev/null
	live --cert cert.pem --key key.pem
	TOKEN=$(curl -sSk -H 'Content-Type: application/json' \
		-d '{"username":"anna","password":"anna has a password","token_in":"body"}' "$API/auth/login" | jq -r .access_token)
	sample 1 $KKN | say
	client <<-'END'
		import ssl
		async def main():
		    context = ssl.create_default_context()
		    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
		    async with Client(ssl=context) as c:
		        s = await c.enter("location", "DC-KKN-01")
		        assert s["snapshot"] or await c.until("telemetry_update")
	END
}

# bats test_tags=slow
@test "when its token expires a WebSocket is closed with 4401; a new token keeps it" {
	lib=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
	[ -n "$lib" ] || skip "no libfaketime"
	# The bridge's clock alone is ahead by what stands in the file.
	echo +0 >ahead
	real=$bridge
	printf '#!/bin/sh\nLD_PRELOAD=%s FAKETIME_TIMESTAMP_FILE=%s FAKETIME_NO_CACHE=1 DONT_FAKE_MONOTONIC=1 exec %s "$@"\n' \
		"$lib" "$PWD/ahead" "$real" >later
	chmod +x later
	bridge=$PWD/later
	live
	login vera
	client <<-'END'
		async def main():
		    async with Client() as a, Client() as b:
		        await a.enter("fleet")
		        await b.enter("fleet")
		        open("ahead", "w").write("+25m")
		        os.system("""curl -sS -o again -H 'Content-Type: application/json' -d '{"username":"vera","password":"vera has a password","token_in":"body"}' $API/auth/login""")
		        await b.send("auth", token=json.load(open("again"))["access_token"])
		        open("ahead", "w").write("+31m")
		        assert await a.closed(10) == 4401
		        await b.send("ping")
		        await b.until("pong")
	END
}
