# Simulations from the dashboard: a run of their own, apart from production, and gone when
# they are stopped, however that happens.
load helper
load bridge_helper

# drills DB [OPTION…]: a bridge that may run simulations.
drills() {
	local db=$1
	shift
	serve "$db" --simulations "$PWD/sims" "$@"
}

# begin JSON: starts one; its number and run go to $ID and $RUN.
begin() {
	gives 201 POST /simulation/start "$1"
	ID=$(jq .id body)
	RUN=$(jq -r .run body)
}

state_is() {
	call GET /simulation/status >/dev/null
	jq -e --argjson id "$ID" ".items[] | select(.id == \$id) | $1" body >/dev/null
}

# Its run has as many as $1 items at this path.
run_has() {
	call GET "$2" >/dev/null
	[ "$(jq '.total // 0' body)" -ge "$1" ]
}

programs_of() {
	pgrep -P "$1" 2>/dev/null || true
}

# What production's lists say, of which nothing may hang on a simulation.
production() {
	local path
	for path in locations locations/DC-CNX-01 'batteries?limit=1000' 'alerts?limit=1000' fleet/summary fleet/trend \
		'fleet/forecast?months=24' 'fleet/compare?metric=soh' telemetry/stats telemetry/date-range \
		batteries/DC-CNX-01-UPS-01-S1-J07/{telemetry,twin,rul,events,features} \
		locations/DC-CNX-01/{batteries,systems,events,environment} strings/DC-CNX-01-UPS-01-S1; do
		gives 200 GET "/$path"
		echo "$path"
		cat body
		echo
	done
}

# Rows that are not production's, in any table that has a run.
foreign_rows() {
	local t
	for t in $(sqlite3 f.db "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) p ON p.name = 'run'
		WHERE m.type = 'table' AND m.name <> 'simulation'"); do
		sqlite3 f.db "SELECT '$t', count(*) FROM $t WHERE run NOT IN (SELECT id FROM run WHERE name = '')"
	done | grep -v '|0$' || true
	sqlite3 f.db "SELECT * FROM run WHERE name <> ''"
}

@test "a failure of the cooling is one incident of its run; production never hears of it" {
	drills sqlite:f.db
	login emil
	production >before
	begin '{"location":"DC-CNX-01","scenario":"hvac_failure","parameters":{"warmer_k":12},"speed":3600}'
	[ "$(jq -r '.state, .speed, .location, .started_by, .parameters.warmer_k' body | xargs)" = "running 3600 DC-CNX-01 emil 12" ]
	wait_until 120 state_is .live
	wait_until 120 run_has 1 "/batteries?run=$RUN&limit=1"
	[ "$(jq .total body)" = 216 ]
	incident_is_there() {
		[ -n "$(sqlite3 -cmd '.timeout 5000' f.db "SELECT 1 FROM incident i JOIN run r ON r.id = i.run
			WHERE r.name = '$RUN' AND i.subject = 'DC-CNX-01' AND i.cause = 'hvac-fault' AND i.alert_count > 1")" ]
	}
	wait_until 120 incident_is_there
	production | diff before -
	gives 200 POST /simulation/stop "{\"id\":$ID}"
	[ "$(cat body)" = "{\"id\":$ID,\"purged\":true}" ]
	production | diff before -
	[ -z "$(foreign_rows)" ] || fail "$(foreign_rows)"
	[ "$(ls sims)" = "" ]
	[ -z "$(programs_of "$(cat bridge.pid)")" ]
	gives 200 GET "/batteries?run=$RUN"
	[ "$(jq .total body)" = 0 ] || [ "$(jq .total body)" = null ]
	gives 404 POST /simulation/stop "{\"id\":$ID}"
	[ "$(sqlite3 f.db "SELECT group_concat(action) FROM audit_log WHERE entity = '$RUN'")" = simulation.start,simulation.stop ]
	[ "$(sqlite3 f.db "SELECT count(*) FROM simulation WHERE run = '$RUN' AND stopped > started AND scenario = 'hvac_failure'")" = 1 ]
}

@test "at the highest speed, too, a hot room is heard of" {
	drills sqlite:f.db
	login emil
	begin '{"location":"DC-CNX-01","scenario":"high_temperature","parameters":{"value":20},"speed":10800}'
	heat_is_told() {
		[ "$(sqlite3 -cmd '.timeout 5000' f.db "SELECT count(DISTINCT a.rule) FROM alert a JOIN run r ON r.id = a.run
			WHERE r.name = '$RUN' AND a.rule IN ('jar-temperature-high', 'room-temperature-high')")" = 2 ]
	}
	wait_until 120 heat_is_told
	gives 200 POST /simulation/stop "{\"id\":$ID}"
}

@test "scenarios are applied and cleared while it runs, within its site" {
	drills sqlite:f.db
	login emil
	begin '{"location":"DC-KKN-01","speed":60}'
	call POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"load\"}" >/dev/null
	[[ $(cat code) == 200 || $(cat code) == 409 ]] # it may still be making history
	wait_until 120 state_is .live
	gives 200 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"hvac_failure\"}"
	[ "$(jq .id body)" = "$ID" ]
	gives 200 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"thermal_runaway\",\"target\":\"DC-KKN-01-UPS-01-S1-J07\",\"parameters\":{\"value\":60}}"
	gives 422 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"load\",\"target\":\"DC-CNX-01\"}"
	gives 422 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"frob\"}"
	detail "no scenario 'frob'"
	gives 422 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"load\",\"parameters\":{\"value\":99}}"
	detail "parameter 'value' is a number from 0.01 to 5"
	gives 422 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"load\",\"parameters\":{\"frob\":1}}"
	gives 422 POST /scenarios/apply "{\"id\":$ID,\"scenario\":\"load\",\"parameters\":[1]}"
	gives 404 POST /scenarios/apply '{"id":999,"scenario":"load"}'
	gives 200 POST /scenarios/clear "{\"id\":$ID,\"scenario\":\"hvac_failure\"}"
	gives 200 POST /scenarios/clear "{\"id\":$ID}"
	[ "$(sqlite3 f.db "SELECT group_concat(details) FROM audit_log WHERE action = 'simulation.apply' AND details <> 'load'")" = hvac_failure,thermal_runaway ]
}

@test "who may not see a site simulates it not, and sees and stops no simulation of it" {
	drills sqlite:f.db
	echo 'kai has a password' | "$bridge" user add kai --role engineer --sites DC-KKN-01 --db sqlite:f.db
	login emil
	begin '{"location":"DC-CNX-01"}'
	login kai
	gives 404 POST /simulation/start '{"location":"DC-CNX-01"}'
	detail "no 'DC-CNX-01'"
	gives 200 GET /simulation/status
	[ "$(jq -c . body)" = '{"items":[],"total":0}' ]
	for path in /simulation/stop /scenarios/clear; do
		gives 404 POST $path "{\"id\":$ID}"
	done
	login vera
	gives 403 GET /simulation/status
}

@test "what cannot be simulated is refused; no more than five at once; TERM ends them all" {
	drills sqlite:f.db
	login emil
	gives 404 POST /simulation/start '{"location":"DC-XXX-01"}'
	gives 422 POST /simulation/start '{"location":"DC-CNX-01","scenario":"frob"}'
	gives 422 POST /simulation/start '{"location":"DC-CNX-01","speed":0}'
	gives 422 POST /simulation/start '{"location":"DC-CNX-01","scenario":"heatwave","parameters":{"value":"hot"}}'
	for _ in 1 2 3 4 5; do
		begin '{"location":"DC-CNX-01","speed":1}'
	done
	gives 409 POST /simulation/start '{"location":"DC-CNX-01"}'
	gives 200 GET /simulation/status
	[ "$(jq -c '[.total, .items[].state]' body)" = '[5,"running","running","running","running","running"]' ]
	children=$(programs_of "$(cat bridge.pid)")
	[ "$(wc -w <<<"$children")" -eq 35 ]
	stop
	for pid in $children; do
		wait_for_exit "$pid"
	done
	[ -z "$(foreign_rows)" ]
	[ "$(ls sims)" = "" ]
}

@test "without a folder for them there are no simulations" {
	serve sqlite:f.db
	login emil
	gives 409 POST /simulation/start '{"location":"DC-CNX-01"}'
	gives 409 POST /simulation/stop '{"id":1}'
	gives 200 GET /simulation/status
	gives 200 GET /scenarios
	[ "$(jq '.total == (.items | length) and ([.items[].parameters[] | .min <= .preset and .preset <= .max] | all)' body)" = true ]
	stop
	try "$bridge" --db sqlite:f.db --listen 127.0.0.1:0 --simulations sims
	assert_status 3
	assert_one_line_stderr "'sims' is not an absolute path"
}

@test "a program that dies takes its simulation with it, and says why" {
	drills sqlite:f.db
	login emil
	begin '{"location":"DC-CNX-01"}'
	children=$(programs_of "$(cat bridge.pid)")
	kill -9 "$(pgrep -P "$(cat bridge.pid)" -x twin)"
	wait_until 20 state_is '.state == "failed" and (.message | startswith("twin has ended"))'
	for pid in $children; do
		wait_for_exit "$pid"
	done
	gives 409 POST /scenarios/clear "{\"id\":$ID}"
	gives 200 POST /simulation/stop "{\"id\":$ID}"
	[ -z "$(foreign_rows)" ]
}

@test "bridge killed: its simulations die with it, and the next one clears up" {
	drills sqlite:f.db
	login emil
	begin '{"location":"DC-CNX-01"}'
	wait_until 60 run_has 1 "/batteries?run=$RUN&limit=1"
	children=$(programs_of "$(cat bridge.pid)")
	[ -n "$children" ]
	kill -9 "$(cat bridge.pid)"
	for pid in $children; do
		wait_for_exit "$pid"
	done
	[ -n "$(foreign_rows)" ]
	drills sqlite:f.db
	[ -z "$(foreign_rows)" ]
	[ "$(ls sims)" = "" ]
	# a second one keeps away from the first one's folder
	try "$bridge" --db sqlite:f.db --listen 127.0.0.1:0 --simulations "$PWD/sims"
	assert_status 3
	assert_one_line_stderr 'another bridge has the folder'
}

@test "the same on PostgreSQL" {
	[ -s "$BATS_FILE_TMPDIR/url" ] || skip "no PostgreSQL server here (initdb not found)"
	drills "$(cat "$BATS_FILE_TMPDIR/url")"
	login emil
	production >before
	begin '{"location":"DC-CNX-01","scenario":"heatwave","speed":600}'
	wait_until 120 state_is .live
	wait_until 120 run_has 216 "/batteries?run=$RUN&limit=1"
	production | diff before -
	gives 200 POST /simulation/stop "{\"id\":$ID}"
	production | diff before -
	[ "$(psql -At "$(cat "$BATS_FILE_TMPDIR/url")" -c "SELECT count(*) FROM run WHERE name <> ''")" = 0 ]
}
