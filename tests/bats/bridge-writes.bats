load helper
load bridge_helper

# What people decide and devices post: kept in the database with author and note, told to
# the live pipeline, and refused to those who may not.

firing() {
	sqlite3 f.db "SELECT min(alert_id) FROM alert WHERE state = 'firing' AND subject LIKE 'DC-CNX-01%'"
}

@test "acknowledge, assign, shelve, resolve: with author and note, and in the log" {
	serve sqlite:f.db
	login emil
	id=$(firing)
	gives 200 POST "/alerts/$id/acknowledge" '{"note":"on my way"}'
	[ "$(jq -r '.acknowledged_by, .acknowledge_note, .state' body | xargs)" = 'emil on my way firing' ]
	gives 200 GET '/alerts?acknowledged=true'
	[ "$(jq -r '.items[].id' body)" = "$id" ]
	gives 200 GET '/alerts?acknowledged=false&limit=1000'
	[ "$(jq --arg id "$id" '[.items[] | select(.id == $id)] | length' body)" = 0 ]
	gives 200 POST "/alerts/$id/assign" '{"assignee":"nok"}'
	gives 200 POST "/alerts/$id/shelve" '{"until":"2099-01-01T00:00:00Z","reason":"part is ordered"}'
	[ "$(jq -r '.assigned_to, .shelved_by, .shelve_reason, .shelved_until' body | xargs)" = 'nok emil part is ordered 2099-01-01T00:00:00Z' ]
	gives 422 POST "/alerts/$id/shelve" '{"until":"2001-01-01T00:00:00Z","reason":"x"}'
	gives 422 POST "/alerts/$id/shelve" '{"until":"2099-01-01T00:00:00Z"}'
	gives 200 POST "/alerts/$id/resolve" '{"note":"tightened"}'
	[ "$(jq -r '.resolved_by, .resolve_note, .state' body | xargs)" = 'emil tightened resolved' ]
	gives 409 POST "/alerts/$id/acknowledge"
	gives 404 POST /alerts/nix/acknowledge
	gives 200 GET "/alerts?limit=1000&active_only=true"
	[ "$(jq --arg id "$id" '[.items[] | select(.id == $id)] | length' body)" = 0 ]
	[ "$(sqlite3 f.db "SELECT group_concat(action) FROM (SELECT action FROM audit_log WHERE entity = '$id' ORDER BY id)")" = \
		alert.acknowledge,alert.assign,alert.shelve,alert.resolve ]
	# The same stream once more changes nothing of what emil decided.
	stop
	decode -q <"$BATS_FILE_TMPDIR/fleet.flt" >/dev/null
	store -q --db sqlite:f.db <"$BATS_FILE_TMPDIR/fleet.flt"
	[ "$(sqlite3 f.db "SELECT count(*) FROM alert_action WHERE subject_id = '$id' AND actor = 'emil'")" = 4 ]
}

@test "how many alerts, of what, where: the counts are those of the rows" {
	serve sqlite:f.db
	login vera
	gives 200 GET '/alerts/stats?days=3660'
	total=$(sqlite3 f.db 'SELECT count(*) FROM alert')
	[ "$(jq '[.by_day[] | .info + .warning + .critical] | add' body)" = "$total" ]
	[ "$(jq '[.by_rule[].count] | add' body)" = "$total" ]
	[ "$(jq '[.by_site[].count] | add' body)" = "$total" ]
	[ "$(jq '.open | .info + .warning + .critical' body)" = "$(sqlite3 f.db "SELECT count(*) FROM alert WHERE state = 'firing'")" ]
	login kim
	gives 200 GET '/alerts/stats?days=3660'
	[ "$(jq -r '.by_site[].site' body)" = DC-KKN-01 ]
}

@test "an incident: its alerts, to whom, what it was, and its end" {
	serve sqlite:f.db
	login emil
	gives 200 GET /incidents
	id=$(jq -r '.items[0].id' body)
	[ "$(jq -r '.items[0] | .subject, .state' body | xargs)" = 'DC-CNX-01 resolved' ]
	gives 200 GET "/incidents/$id"
	[ "$(jq '.alerts | length' body)" = "$(sqlite3 f.db "SELECT count(*) FROM alert WHERE incident_id = '$id'")" ]
	[ "$(jq -c .children body)" = '[]' ]
	gives 200 PATCH "/incidents/$id" '{"assignee":"nok","root_cause":"a fuse","close":true,"note":"renewed"}'
	[ "$(jq -r '.assigned_to, .root_cause, .closed_by, .note' body | xargs)" = 'nok a fuse emil renewed' ]
	# One within another is seen in it, and not beside it where only the top is asked for.
	sqlite3 f.db "INSERT INTO incident (run, incident_id, parent_id, subject, title, severity, state, first_ts) SELECT run, 'child', incident_id, 'DC-CNX-01-UPS-01-S1', 'a string', 'warning', 'open', first_ts FROM incident"
	gives 200 GET "/incidents/$id"
	[ "$(jq -r '.children[].id' body)" = child ]
	gives 200 GET '/incidents?top_only=true'
	[ "$(jq -r '.items[].id' body)" = "$id" ]
	sqlite3 f.db "DELETE FROM incident WHERE incident_id = 'child'"
	gives 404 PATCH /incidents/nix '{"close":true}'
	gives 200 GET '/incidents?active_only=true'
	[ "$(jq .total body)" = 0 ]
	login vera
	gives 200 GET /incidents
	[ "$(jq .total body)" = 1 ]
	gives 403 PATCH "/incidents/$id" '{"close":true}'
	login kim
	gives 200 GET /incidents
	[ "$(jq .total body)" = 0 ]
}

@test "maintenance windows, work orders, a replacement" {
	serve sqlite:f.db
	login emil
	gives 201 POST /maintenance-windows '{"subject":"DC-CNX-01-UPS-01-S1","from":"2026-01-02T00:00:00Z","until":"2026-01-02T04:00:00Z","title":"capacity test"}'
	gives 422 POST /maintenance-windows '{"subject":"DC-CNX-01","from":"2026-01-02T04:00:00Z","until":"2026-01-02T00:00:00Z","title":"x"}'
	gives 422 POST /maintenance-windows '{"subject":"DC-NIX-01","from":"2026-01-02T00:00:00Z","until":"2026-01-02T04:00:00Z","title":"x"}'
	gives 200 GET '/maintenance-windows?location=DC-CNX-01'
	[ "$(jq -r '.total, .items[0].title, .items[0].created_by' body | xargs)" = '1 capacity test emil' ]
	gives 200 GET '/maintenance-windows?active_only=true'
	[ "$(jq .total body)" = 0 ]
	gives 201 POST /work-orders '{"subject":"DC-CNX-01-UPS-01-S1-J07","title":"tighten","priority":2,"due":"2026-02-01T00:00:00Z"}'
	order=$(jq -r .id body)
	gives 200 PATCH "/work-orders/$order" '{"status":"completed","assignee":"nok"}'
	[ "$(jq -r '.status, .assignee, .priority, .title, .created_by' body | xargs)" = 'completed nok 2 tighten emil' ]
	# What the stream brings of it has no author, and takes none away.
	echo "{\"kind\":\"work_order\",\"id\":\"$order\",\"title\":\"tighten all\",\"status\":\"completed\"}" | encode -q | store -q --db sqlite:f.db
	gives 200 GET '/work-orders?status=completed'
	[ "$(jq -r '.items[0] | .title, .created_by' body | xargs)" = 'tighten all emil' ]
	# Those that are older than the column have the author of the audit log.
	for _ in 1 2; do
		stop
		store rollback --to 10 --db sqlite:f.db 2>/dev/null
		store migrate --db sqlite:f.db 2>/dev/null
		serve sqlite:f.db
		login emil
		gives 200 GET /work-orders
		[ "$(jq -r '.items[0].created_by' body)" = emil ]
		gives 200 GET /maintenance-windows
		[ "$(jq -r '.items[0].created_by' body)" = emil ]
	done
	gives 404 PATCH /work-orders/nix '{"status":"completed"}'
	gives 422 PATCH "/work-orders/$order" '{"status":"done"}'
	gives 200 GET '/work-orders?status=completed'
	[ "$(jq .total body)" = 1 ]
	jar=DC-CNX-01-UPS-01-S1-J07
	was=$(sqlite3 f.db "SELECT unit FROM battery WHERE code = '$jar'")
	gives 201 POST "/batteries/$jar/replace" '{"serial":"SN1","note":"bulged"}'
	[ "$(jq .unit body)" = $((was + 1)) ]
	gives 409 POST "/batteries/$jar/replace" '{"serial":"SN2"}'
	gives 404 POST /batteries/DC-CNX-01-UPS-01-S1-J99/replace '{}'
	gives 422 POST "/batteries/$jar/replace" '{"installed":"2199-01-01T00:00:00Z"}'
	gives 200 GET "/batteries/$jar/events"
	[ "$(jq -r '.items[0] | .type, .note' body | xargs)" = 'replacement bulged' ]
	gives 200 GET "/batteries/$jar"
	[ "$(jq -r .serial body)" = SN1 ]
}

@test "an engineer of some sites decides nothing about others" {
	echo 'pim has a password' | "$BIN/bridge" user add pim --role engineer --sites DC-KKN-01 --db sqlite:f.db
	serve sqlite:f.db
	login pim
	id=$(firing)
	for verb in acknowledge resolve; do
		gives 404 POST "/alerts/$id/$verb"
	done
	gives 404 POST /batteries/DC-CNX-01-UPS-01-S1-J07/replace '{}'
	gives 422 POST /maintenance-windows '{"subject":"DC-CNX-01","from":"2026-01-02T00:00:00Z","until":"2026-01-02T04:00:00Z","title":"x"}'
	gives 422 POST /work-orders '{"subject":"DC-CNX-01-UPS-01","title":"x"}'
	login emil
	gives 201 POST /work-orders '{"subject":"DC-CNX-01-UPS-01","title":"x"}'
	order=$(jq -r .id body)
	login pim
	gives 404 PATCH "/work-orders/$order" '{"status":"completed"}'
	gives 200 GET /work-orders
	[ "$(jq .total body)" = 0 ]
	[ "$(sqlite3 f.db "SELECT count(*) FROM alert_action WHERE actor = 'pim'")" = 0 ]
}

@test "what is new since the last visit" {
	serve sqlite:f.db
	login vera
	gives 200 GET /me/changes
	[ "$(jq .since body)" = null ]
	gives 204 POST /me/visit
	gives 200 GET /me/changes
	[ "$(jq -r '.alerts_new, (.incidents_new | length)' body | xargs)" = '0 0' ]
	sqlite3 f.db "UPDATE app_user SET last_visit = 1 WHERE username = 'vera'"
	gives 200 GET /me/changes
	[ "$(jq .alerts_new body)" = "$(sqlite3 f.db 'SELECT count(*) FROM alert')" ]
	[ "$(jq '.incidents_new | length' body)" = 1 ]
	[ "$(jq '.statuses | length' body)" -gt 10 ]
}

@test "the same decisions leave the same in SQLite and PostgreSQL" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	id=$(firing)
	for db in sqlite:f.db "$(cat "$BATS_FILE_TMPDIR/url")"; do
		serve "$db"
		login emil
		for call in "POST /alerts/$id/acknowledge {\"note\":\"n\"}" "POST /alerts/$id/shelve {\"until\":\"2099-01-01T00:00:00Z\",\"reason\":\"r\"}" \
			"POST /batteries/DC-CNX-01-UPS-01-S1-J05/replace {\"serial\":\"S\"}" \
			'POST /work-orders {"subject":"DC-KKN-01","title":"t","priority":3}' \
			'POST /maintenance-windows {"subject":"DC-KKN-01","from":"2026-01-02T00:00:00Z","until":"2026-01-03T00:00:00Z","title":"w"}' \
			'GET /alerts/stats?days=3660' 'GET /incidents' "GET /alerts/$id" 'GET /work-orders' 'GET /maintenance-windows' 'GET /me/changes'; do
			read -r method path json <<<"$call"
			call "$method" "$path" ${json:+"$json"} | jq -c 'del(.. | .acknowledged_at?, .event_id?, .since?, .mean_acknowledge_min?) | del(.. | select(type == "string" and test("^(WO|MW)-")))'
		done >"did-${db%%:*}"
		stop
	done
	diff did-sqlite did-postgresql
	grep -q '"acknowledged_by":"emil"' did-sqlite
}

devices_post() {
	curl -sS -o body -w '%{http_code}' -H "Authorization: Bearer $DEVICE" -H 'Content-Type: application/json' -d "$2" "$API$1"
}

@test "a device posts with a token that is shown once, of its sites alone" {
	serve sqlite:f.db --into push:ipc://nobody
	login anna
	gives 201 POST /devices '{"name":"logger","sites":"DC-CNX-01"}'
	DEVICE=$(jq -r .token body)
	gives 409 POST /devices '{"name":"logger"}'
	gives 422 POST /devices '{"name":"other","sites":"DC-CNX-01, DC-KKN-01"}'
	gives 200 GET /devices
	[ "$(jq -r '.items[0].name, .items[0].token' body | xargs)" = 'logger null' ]
	[ "$(sqlite3 f.db .dump | grep -cF "$DEVICE")" = 0 ]
	[ "$(devices_post /telemetry '{"battery":"DC-KKN-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z","voltage_v":13.5}')" = 422 ]
	# Nobody reads: it is said, not swallowed.
	[ "$(devices_post /telemetry '{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z","voltage_v":13.5}')" = 503 ]
	[ "$(devices_post /telemetry '{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"noon"}')" = 422 ]
	[ "$(devices_post /telemetry/bulk '{"samples":1}')" = 422 ]
	gives 401 POST /telemetry '{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z"}'
	id=$(sqlite3 f.db 'SELECT id FROM device_token')
	gives 204 DELETE "/devices/$id"
	gives 404 DELETE "/devices/$id"
	[ "$(devices_post /telemetry '{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z"}')" = 401 ]
}

accepted() {
	[ "$(devices_post /telemetry/bulk "$1")" = 202 ]
}

@test "posted samples and decisions go through the pipeline into the database, features and alerts" {
	set -m
	featurize -q -i pull:@ipc://into 3>&- | alert -q 3>&- | store -q --db sqlite:f.db 3>&- &
	pipe=$(jobs -p)
	set +m
	serve sqlite:f.db --into push:ipc://into
	login anna
	gives 201 POST /devices '{"name":"logger"}'
	DEVICE=$(jq -r .token body)
	samples='{"samples":[{"battery":"DC-CNX-01-REC-01-S1-J01","ts":"2026-01-02T00:00:00Z","voltage_v":13.51,"temperature_c":25},
		{"battery":"DC-CNX-01-REC-01-S1-J02","ts":"2026-01-02T00:00:00Z","voltage_v":13.52},{"battery":"DC-CNX-01-REC-01-S1-J03","ts":"2026-01-02T00:00:00Z","frob":1},7]}'
	wait_until 10 accepted "$samples"
	[ "$(jq -r '.accepted, (.rejected | length), .rejected[1].index' body | xargs)" = '2 2 3' ]
	login emil
	id=$(firing)
	gives 200 POST "/alerts/$id/acknowledge" '{"note":"seen"}'
	gives 201 POST /maintenance-windows '{"subject":"DC-CNX-01","from":"2026-01-02T00:00:00Z","until":"2099-01-01T00:00:00Z","title":"long"}'
	stored() {
		[ "$(sqlite3 f.db "SELECT count(*) FROM telemetry t JOIN battery b ON b.id = t.battery WHERE b.code LIKE 'DC-CNX-01-REC-01-S1-J0%' AND t.ts = 1767312000000")" = 2 ]
	}
	wait_until 10 stored
	# The same as a stream: what programs write is what devices may post.
	echo '{"kind":"telemetry","ts":"2026-01-02T00:01:00Z","battery":"DC-CNX-01-REC-01-S1-J01","voltage_v":13.53}' | encode -q >stream
	post_stream() {
		curl -sS -o body -w '%{http_code}' -H "Authorization: Bearer $DEVICE" -H "Content-Type: application/msgpack" --data-binary @"$1" "$API/telemetry/bulk"
	}
	[ "$(post_stream stream)" = 202 ]
	[ "$(jq -c . body)" = '{"accepted":1,"rejected":[]}' ]
	head -c 60 stream >short
	[ "$(post_stream short)" = 422 ]
	echo '{"kind":"event","ts":"2026-01-02T00:01:00Z","event_id":"x","subject":"DC-CNX-01","type":"outage"}' | encode -q >other
	[ "$(post_stream other)" = 422 ]
	head -c 5000 /dev/urandom >rubbish
	[ "$(post_stream rubbish)" = 422 ]
	# Three hours in a hot room: an alert while it lasts, and the windows that ended.
	for i in $(seq 0 180); do
		for jar in J04 J05; do
			echo "{\"battery\":\"DC-CNX-01-REC-01-S1-$jar\",\"ts\":\"$(date -u -d "@$((1767312600 + i * 60))" +%FT%TZ)\",\"voltage_v\":13.5,\"temperature_c\":47,\"mode\":\"float\"}"
		done
	done | jq -sc '{samples: .}' >hot
	[ "$(devices_post /telemetry/bulk "@hot")" = 202 ]
	judged() {
		[ "$(sqlite3 f.db "SELECT count(*) FROM alert WHERE subject = 'DC-CNX-01-REC-01-S1-J04' AND rule = 'jar-temperature-high' AND since_ts > 1767312000000 AND severity = 'critical'")" = 1 ] &&
			[ "$(sqlite3 f.db "SELECT count(*) FROM feature f JOIN battery b ON b.id = f.battery WHERE b.code = 'DC-CNX-01-REC-01-S1-J04' AND f.window_h = 1 AND t_mean_c = 47")" -ge 2 ]
	}
	wait_until 20 judged
	# One row of the decision, though the bridge and the stream both wrote it.
	[ "$(sqlite3 f.db "SELECT count(*) FROM alert_action WHERE subject_id = '$id'")" = 1 ]
	kill -TERM -- "-$pipe"
	wait "$pipe" || true
}

@test "a pipeline that starts anew is told what is in force" {
	serve sqlite:f.db --into push:ipc://into
	login emil
	id=$(firing)
	gives 200 POST "/alerts/$id/acknowledge" '{"note":"before"}'
	gives 200 POST "/alerts/$id/shelve" '{"until":"2099-01-01T00:00:00Z","reason":"later"}'
	gives 201 POST /maintenance-windows '{"subject":"DC-CNX-01","from":"2026-01-02T00:00:00Z","until":"2099-01-01T00:00:00Z","title":"long"}'
	gives 201 POST /batteries/DC-CNX-01-UPS-01-S1-J07/replace '{"serial":"SN1"}'
	for turn in 1 2; do
		timeout 30 decode -q -i pull:@ipc://into --allow-truncated -n 4 >told 2>/dev/null
		[ "$(jq -r .kind told | sort | xargs)" = 'alert_action alert_action event maintenance_window' ] || fail "turn $turn: $(cat told)"
		jq -e 'select(.action == "shelve") | .note == "later" and .actor == "emil"' told
	done
}

@test "what was resolved while no pipeline was there, the next one hears" {
	serve sqlite:f.db --into push:ipc://into
	login emil
	id=$(firing)
	gives 200 POST "/alerts/$id/resolve" '{"note":"mended"}'
	timeout 30 decode -q -i pull:@ipc://into --allow-truncated -n 1 >told 2>/dev/null
	[ "$(jq -r '.kind, .action, .subject_id, .actor, .note' told | xargs)" = "alert_action resolve $id emil mended" ]
}

@test "an incident that was closed while no pipeline was there, the next one hears of" {
	sqlite3 f.db "UPDATE incident SET state = 'open'"
	serve sqlite:f.db --into push:ipc://into
	login emil
	gives 200 PATCH /incidents/1cafe '{"assignee":"nok","root_cause":"a fuse"}'
	timeout 30 decode -q -i pull:@ipc://into --allow-truncated -n 1 >told 2>/dev/null
	[ "$(jq -r '.action, .subject_id, .actor, .note' told | xargs)" = "assign 1cafe emil nok" ]
	gives 200 PATCH /incidents/1cafe '{"close":true,"note":"renewed"}'
	timeout 30 decode -q -i pull:@ipc://into --allow-truncated -n 1 >told 2>/dev/null
	[ "$(jq -r '.action, .subject_id, .actor, .note' told | xargs)" = "resolve 1cafe emil renewed" ]
	# It has opened anew since: what is new, nobody has closed.
	sqlite3 f.db "UPDATE incident SET state = 'open', ts = ts + 1000"
	gives 200 POST "/alerts/$(firing)/shelve" '{"until":"2099-01-01T00:00:00Z","reason":"later"}'
	timeout 30 decode -q -i pull:@ipc://into --allow-truncated -n 2 >told 2>/dev/null
	[ "$(jq -r .action told | xargs)" = "assign shelve" ]
}

@test "a decision that a slow pipeline has no room for reaches it when it has" {
	serve sqlite:f.db --into "push:ipc://into?hwm=2"
	login anna
	gives 201 POST /devices '{"name":"logger"}'
	DEVICE=$(jq -r .token body)
	decode -q -i "pull:@ipc://into?hwm=2" 3>&- >heard 2>/dev/null &
	reader=$!
	seq 0 9999 | jq -nc '{samples: [inputs | {battery: "DC-CNX-01-REC-01-S1-J01", ts: (1767312000 + . | todate), voltage_v: 13.5}]}' >many
	wait_until 10 accepted @many
	kill -STOP $reader
	refused() {
		[ "$(devices_post /telemetry/bulk @many)" = 503 ]
	}
	wait_until 60 refused
	login emil
	id=$(firing)
	gives 200 POST "/alerts/$id/acknowledge" '{"note":"seen"}'
	kill -CONT $reader
	heard() {
		grep -q "\"subject_id\":\"$id\",\"action\":\"acknowledge\",\"actor\":\"emil\"" heard
	}
	wait_until 60 heard
	kill $reader
}
