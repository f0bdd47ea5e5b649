load helper
load bridge_helper

# Ten weeks of one site at an hour, so that there are months, features and lives to tell.
make_fleet() {
	simulate -q --batteries 240 --days 70 --interval 1h --start 2025-12-01T00:00:00Z |
		featurize -q --windows 24 --every 1d | twin -q | alert -q
}

# both COMMAND…: for each back end there is.
both() {
	local db
	for db in sqlite:f.db $(cat "$BATS_FILE_TMPDIR/url" 2>/dev/null); do
		DB=$db
		serve "$db"
		login vera
		"$@"
		stop
	done
}

# holds JQ-FILTER [ARGS…]: true of the last answer.
holds() {
	jq -e "$@" body >/dev/null || fail "not so: $*: $(head -c 600 body)"
}

trend() {
	gives 200 GET '/fleet/trend?months=4'
	[ "$(jq -r '[.items[].month] | join(" ")' body)" = "2025-11 2025-12 2026-01 2026-02" ]
	holds '.total == 4 and .items[0].batteries == 0 and .items[0].soh_mean_pct == null'
	holds '.items[1:] | all(.batteries == 240 and .soh_p10_pct <= .soh_mean_pct and .soh_mean_pct <= .soh_p90_pct)'
	# the mean of January is that of each battery's last state in it
	local mean
	mean=$(sql "SELECT avg(p.soh_pct) FROM twin_state p WHERE p.ts = (SELECT max(x.ts) FROM twin_state x
		WHERE x.run = p.run AND x.battery = p.battery AND x.ts >= 1767225600000 AND x.ts < 1769904000000)")
	holds --argjson mean "$mean" '.items[2].soh_mean_pct - $mean | fabs < 0.001'
	[ "$(jq '[.items[].alerts] | add' body)" = "$(sql "SELECT count(*) FROM alert WHERE since_ts >= 1764547200000")" ]
	gives 200 GET '/fleet/trend'
	holds '.items | length == 12'
	gives 200 GET '/fleet/trend?run=nothing'
	holds '.items | all(.batteries == 0)'
	gives 422 GET '/fleet/trend?months=0'
}

@test "the fleet's health month by month" {
	both trend
}

# least_is WHERE COUNT: the summary's autonomy is the least of those, and so many recharge.
least_is() {
	gives 200 GET /fleet/summary
	holds --argjson least "$(sql "SELECT min(autonomy_min) FROM battery_now n WHERE $1")" \
		--argjson n "$2" '(.least_autonomy_min - $least | fabs) < 0.001 and .recharging == $n'
}

least_autonomy() {
	local jar before
	least_is true 0
	jar="battery = (SELECT id FROM battery WHERE code = 'DC-CNX-01-UPS-01-S1-J07')"
	before=$(sql "SELECT autonomy_min FROM twin_state_latest WHERE $jar")
	sql "UPDATE twin_state_latest SET autonomy_min = 0 WHERE $jar"
	# discharged, and nobody charges it: that is for somebody to know
	sql "UPDATE telemetry_latest SET mode = 'discharge' WHERE $jar"
	least_is "autonomy_min = 0" 0
	sql "UPDATE telemetry_latest SET mode = 'boost' WHERE $jar"
	least_is "battery <> 'DC-CNX-01-UPS-01-S1-J07'" 1
	sql "UPDATE telemetry_latest SET mode = 'float' WHERE $jar"
	sql "UPDATE twin_state_latest SET autonomy_min = $before WHERE $jar"
}

@test "the least autonomy is of those that are not recharged after a test or an outage" {
	both least_autonomy
}

forecast() {
	gives 200 GET '/fleet/forecast?months=120'
	holds '.items | length == 40'
	holds '.items[0].quarter == "2026-Q1" and .items[0].from == "2026-01-01T00:00:00Z" and .items[0].until == .items[1].from'
	holds '.items | all(.due == ([.by_site[].due] | add // 0))'
	# each battery once: those whose life ends within the ten years
	local due
	due=$(sql "SELECT count(*) FROM battery_now n WHERE (SELECT max(ts) FROM rul_prediction) + rul_days * 86400000.0 < 2082758400000")
	[ "$(jq '[.items[].due] | add' body)" = "$due" ]
	holds '([.items[:8][].due_by_lower] | add) >= ([.items[:8][].due] | add)'
	gives 200 GET '/fleet/forecast?months=7'
	holds '.items | length == 3'
}

@test "replacements due, quarter by quarter" {
	both forecast
}

compare() {
	local m
	for m in soh rul temperature resistance voltage autonomy; do
		gives 200 GET "/fleet/compare?metric=$m"
		holds --arg m $m '.metric == $m and (.unit | length) > 0 and .total == (.items | length) and .total > 0'
		holds '.items | all(.min <= .q1 and .q1 <= .median and .median <= .q3 and .q3 <= .max)'
		holds '[.items[].n] | add == 240'
		holds '.items[] as $s | $s.outliers | all(.value < $s.min or .value > $s.max)'
	done
	[ "$(jq -r '[.items[].site] | unique | length' body)" = "$(jq .total body)" ]
	gives 422 GET '/fleet/compare?metric=beauty'
}

@test "sites side by side" {
	both compare
}

features() {
	gives 200 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/features?start=2025-12-01&end=2026-01-01'
	holds '.total == 30 and (.items | all(.window_h == 24)) and .items[0].ts == "2025-12-02T00:00:00Z"'
	holds '.items[0] | has("v_mean_v") and has("arrhenius_hours") and has("deep_days") and (has("battery") | not)'
	local mean
	mean=$(sql "SELECT v_mean_v FROM feature f JOIN battery b ON b.id = f.battery WHERE b.code = 'DC-CNX-01-UPS-01-S1-J07' AND f.ts = 1764633600000")
	holds --argjson mean "$mean" '.items[0].v_mean_v - $mean | fabs < 1e-5'
	gives 200 GET '/batteries/DC-CNX-01-UPS-01-S1-J07/features?window=1'
	holds '.items == []'
	gives 404 GET '/batteries/nix/features'
}

@test "a battery's features" {
	both features
}

environment() {
	gives 200 GET '/locations/DC-CNX-01/environment?start=2026-01-01&end=2026-01-11&limit=10'
	local sensors
	sensors=$(jq '[.items[].sensor] | unique | length' body)
	[ "$sensors" -ge 1 ]
	holds --argjson n "$sensors" '.items | length == 10 * $n'
	holds '.items | all(.temperature_min_c <= .temperature_mean_c and .temperature_mean_c <= .temperature_max_c and .hvac != null)'
	gives 200 GET '/locations/DC-CNX-01/environment'
	holds '.items[-1].ts >= "2026-02-08T20:00:00Z"'
	gives 404 GET '/locations/nix/environment'
	gives 422 GET '/locations/DC-CNX-01/environment?start=2026-01-02&end=2026-01-01'
	gives 200 GET '/locations/DC-CNX-01/events?limit=1000'
	holds '.items | all(.subject | startswith("DC-CNX-01"))'
	[ "$(jq .total body)" = "$(sql "SELECT count(*) FROM event WHERE subject LIKE 'DC-CNX-01%'")" ]
	gives 404 GET '/locations/nix/events'
}

life() {
	local last
	gives 200 GET '/locations/DC-CNX-01/life?source=twin'
	holds '.items | length > 0 and all(.batteries > 0 and .rul_least_days <= .rul_mean_days and .ageing == null)'
	last=$(jq -r '.items[-1].ts' body)
	gives 200 GET "/locations/DC-CNX-01/life?source=twin&limit=1&start=2025-12-01&end=2027-01-01"
	holds --arg last "$last" '(.items | length) == 1 and .items[0].ts == $last'
	holds --argjson n "$(sql "SELECT count(DISTINCT battery) FROM rul_prediction WHERE source = 'twin' AND battery IN
		(SELECT id FROM battery WHERE code LIKE 'DC-CNX-01%')")" '.items[0].batteries == $n'
	holds --argjson least "$(sql "SELECT min(rul_days) FROM rul_prediction WHERE source = 'twin' AND battery IN
		(SELECT id FROM battery WHERE code LIKE 'DC-CNX-01%')")" '(.items[0].rul_least_days - $least | fabs) < 0.1'
	# how fast they age is that of the hours' windows
	sql "INSERT INTO feature (run, ts, battery, unit, window_h, arrhenius_hours) SELECT p.run, p.ts, p.battery, p.unit, 1, 2.5
		FROM rul_prediction p JOIN battery b ON b.id = p.battery WHERE p.source = 'twin' AND b.code = 'DC-CNX-01-REC-01-S1-J01'"
	gives 200 GET "/locations/DC-CNX-01/life?source=twin&limit=1&start=2025-12-01&end=2027-01-01"
	holds '.items[0].ageing == 2.5'
	gives 404 GET '/locations/nix/life'
	gives 422 GET '/locations/DC-CNX-01/life?source=oracle'
}

@test "the remaining lives at a site, over time" {
	both life
}

@test "a site's rooms and events" {
	both environment
}

samples() {
	gives 200 GET /telemetry/stats
	[ "$(jq .samples body)" = "$(sql 'SELECT count(*) FROM telemetry')" ]
	holds '.batteries == 240 and .first == "2025-12-01T00:00:00Z"'
	local last
	last=$(jq -r .last body)
	gives 200 GET '/telemetry/date-range?location=DC-CNX-01'
	holds --arg last "$last" '.first == "2025-12-01T00:00:00Z" and .last == $last'
	gives 200 GET '/telemetry/date-range?location=nix'
	holds '.first == null'
	login kim
	gives 200 GET /telemetry/stats
	holds '.batteries == 24'
}

@test "how much was measured, and when" {
	both samples
}

@test "the models: listed, judged, promoted and rolled back" {
	cp -a "$BATS_FILE_TMPDIR/models" before
	one=$(readlink models/production) two=$(readlink models/staging)
	serve sqlite:f.db
	login vera
	gives 200 GET /models
	holds --arg one "$one" --arg two "$two" '.total == 2 and (.items | map({(.version): .status}) | add) == {($one): "production", ($two): "staging"}'
	mae=$(jq .evaluation.model.mae_days "models/$one/model.json")
	holds --arg one "$one" --argjson mae "$mae" '.items[] | select(.version == $one) | .metrics.mae_days == $mae and .features > 3 and .promoted_at != null and .retired_at == null'
	gives 200 GET "/models/$two"
	holds --arg two "$two" '.version == $two and .promoted_at == null and .card.id == $two'
	gives 200 GET /models/production
	holds --arg one "$one" '.version == $one'
	gives 404 GET /models/nix
	gives 404 GET /models/..%2f..
	gives 200 GET "/models/$one/drift"
	holds '.batteries == 240 and (.items | any(.drifted)) and (.items | map(.feature) | index("t_mean_c") != null)'
	gives 404 GET /models/nix/drift
	# only admins change what serves
	login emil
	gives 403 POST "/models/$two/promote"
	gives 403 POST /models/rollback
	login anna
	gives 404 POST /models/nix/promote
	gives 200 POST "/models/$two/promote"
	holds --arg two "$two" '.version == $two and .status == "production"'
	[ "$(readlink models/production)" = "$two" ]
	gives 200 POST "/models/$two/promote"
	gives 200 GET "/models/$one"
	holds '.status == "retired" and .retired_at != null'
	gives 200 POST /models/rollback
	holds --arg one "$one" '.version == $one and .status == "production" and .retired_at == null'
	gives 409 POST /models/rollback
	detail 'there is no version before that could serve again'
	truncate -s 1000 "models/$two/booster.ubj"
	gives 409 POST "/models/$two/promote"
	detail "'$two' does not load"
	[ "$(sqlite3 f.db "SELECT group_concat(action || ' ' || entity) FROM audit_log WHERE action LIKE 'model.%'")" = "model.promote $two,model.rollback $one" ]
}

@test "without a registry there are no models; one that is gone says so" {
	"$bridge" --db sqlite:f.db --listen 127.0.0.1:0 2>bridge.log 3>&- &
	echo $! >bridge.pid
	wait_until 20 said_port
	API=$(sed -n 's/.*listening on //p' bridge.log)/api/v1
	login anna
	gives 200 GET /models
	[ "$(cat body)" = '{"items":[],"total":0}' ]
	gives 404 GET /models/production
	gives 404 GET /models/production/drift
	gives 404 POST /models/production/promote
	gives 409 POST /models/rollback
	stop
	serve sqlite:f.db
	login anna
	mv models gone
	gives 503 GET /models
	detail 'the model registry cannot be used'
	gives 503 GET /models/production
	gives 503 GET /models/production/drift
	grep -q "^bridge: cannot .*'models" bridge.log
}

@test "one who may see one site gets the figures of that site alone" {
	serve sqlite:f.db
	login kim
	gives 200 GET '/fleet/trend?months=2'
	holds '.items | all(.batteries == 24)'
	gives 200 GET '/fleet/compare'
	holds '[.items[].site] == ["DC-KKN-01"]'
	gives 200 GET '/fleet/forecast?months=120'
	holds '[.items[].by_site[].site] | unique - ["DC-KKN-01"] == []'
	gives 404 GET /locations/DC-CNX-01/environment
	gives 404 GET /locations/DC-CNX-01/events
	gives 404 GET /batteries/DC-CNX-01-UPS-01-S1-J07/features
}

predictions() {
	local jar=DC-CNX-01-UPS-01-S1-J07 days
	days=$(sql "SELECT rul_days FROM battery_now WHERE battery = '$jar'")
	gives 200 POST /predict/rul "{\"battery\":\"$jar\"}"
	holds --arg jar $jar --argjson days "$days" '.battery == $jar and .source == "twin" and (.rul_days - $days | fabs) < 0.01 and .ts == "2026-02-08T00:00:00Z" and .age_s > 86400'
	gives 404 POST /predict/rul '{"battery":"nix"}'
	gives 422 POST /predict/rul '{}'
	gives 200 POST /predict/rul/batch "{\"batteries\":[\"$jar\",\"nix\",\"DC-KKN-01-REC-01-S1-J01\"]}"
	holds '[.items[].battery] == ["DC-CNX-01-UPS-01-S1-J07", "DC-KKN-01-REC-01-S1-J01"] and .missing == ["nix"] and .total == 2'
	for bad in '{"batteries":[]}' '{"batteries":"DC"}' '{"batteries":[1]}' '{"batteries":[null]}' '{}'; do
		gives 422 POST /predict/rul/batch "$bad"
	done
	gives 200 GET '/fleet/summary'
	login kim
	gives 404 POST /predict/rul "{\"battery\":\"$jar\"}"
	gives 200 POST /predict/rul/batch "{\"batteries\":[\"$jar\"]}"
	holds --arg jar $jar '.items == [] and .missing == [$jar]'
}

@test "predictions as stored, one or many, with their age" {
	both predictions
}

@test "a fused prediction goes before a newer single one" {
	local jar=DC-CNX-01-UPS-01-S1-J07
	echo "{\"kind\":\"rul\",\"ts\":\"2026-01-20T00:00:00Z\",\"battery\":\"$jar\",\"unit\":0,\"source\":\"fused\",\"rul_days\":123,\"factors\":[[\"temperature\",-40]]}" |
		encode -q | store -q --db sqlite:f.db
	serve sqlite:f.db
	login vera
	gives 200 POST /predict/rul "{\"battery\":\"$jar\"}"
	holds '.rul_days == 123 and .factors == [["temperature", -40]]'
	gives 200 GET "/batteries/$jar"
	holds '.rul_source == "fused" and .rul_days == 123'
}

simulated() {
	local jar=DC-CNX-01-UPS-01-S1-J07
	gives 200 POST /twin/simulate "{\"battery\":\"$jar\",\"profile\":[{\"minutes\":600,\"load_a\":60}]}"
	holds '.minutes_lower < .minutes_to_cutoff and .minutes_to_cutoff < .minutes_upper'
	holds '.points[0].minute == 0 and .points[-1].minute == .minutes_to_cutoff and .points[-1].voltage_v < 12.5 and .cutoff_v == 10.5'
	# charge and voltage fall, the block warms
	holds '[.points[].soc_pct] | . == (sort | reverse)'
	holds '.points[-1].temperature_c > .points[0].temperature_c'
	local fast
	fast=$(jq .minutes_to_cutoff body)
	gives 200 POST /twin/simulate "{\"battery\":\"$jar\",\"profile\":[{\"minutes\":10000,\"current_a\":-15}]}"
	holds --argjson fast "$fast" '.minutes_to_cutoff > 4 * $fast'
	# in the cold there is less
	gives 200 POST /twin/simulate "{\"battery\":\"$jar\",\"profile\":[{\"minutes\":5,\"load_a\":0,\"temperature_c\":20},{\"minutes\":3,\"load_a\":30}]}"
	holds '.minutes_to_cutoff == null and .minutes_upper == null and .points[-1].minute == 8 and (.points | length) >= 40'
	for bad in '[]' '[{"minutes":0}]' '[{"minutes":5,"load_a":-1}]' '[{"minutes":5,"current_a":1}]' '[{"minutes":5,"load_a":1,"current_a":-1}]' \
		'[{"minutes":5,"frob":1}]' '[{"load_a":1}]' '[5]' '[{"minutes":6000},{"minutes":6000}]' '{}' '[{"minutes":"5"}]'; do
		gives 422 POST /twin/simulate "{\"battery\":\"$jar\",\"profile\":$bad}"
	done
	gives 404 POST /twin/simulate '{"battery":"nix","profile":[{"minutes":5}]}'
	login kim
	gives 404 POST /twin/simulate "{\"battery\":\"$jar\",\"profile\":[{\"minutes\":5}]}"
}

@test "what a battery would do under a load, from its twin" {
	both simulated
}

@test "no twin and no battery model are said" {
	echo '{"kind":"telemetry","ts":"2026-01-01T00:00:00Z","battery":"NEW-1","voltage_v":13}' | encode -q | store -q --db sqlite:f.db
	sqlite3 f.db "UPDATE battery SET model = 'NONE-1' WHERE code = 'DC-CNX-01-UPS-01-S1-J08'"
	serve sqlite:f.db
	login vera
	gives 409 POST /twin/simulate '{"battery":"NEW-1","profile":[{"minutes":5}]}'
	detail "the twin has said nothing of 'NEW-1'"
	gives 409 POST /twin/simulate '{"battery":"DC-CNX-01-UPS-01-S1-J08","profile":[{"minutes":5}]}'
	detail "there is no battery model 'NONE-1' to run 'DC-CNX-01-UPS-01-S1-J08' by"
}

# csv: the last answer as JSON rows, by an independent reader.
csv() {
	$PYTHON -c 'import csv, json, sys; print(json.dumps(list(csv.DictReader(open("body", newline="", encoding="utf-8")))))'
}

exports() {
	gives 200 GET /export/batteries
	[ "$(csv | jq length)" = 240 ]
	[ "$(csv | jq -r '.[0].battery')" = "$(sql 'SELECT min(code) FROM battery')" ]
	gives 200 GET /export/alerts
	[ "$(csv | jq length)" = "$(sql 'SELECT count(*) FROM alert')" ]
	gives 200 GET '/export/alerts?start=2026-01-01&end=2026-02-01'
	[ "$(csv | jq length)" = "$(sql 'SELECT count(*) FROM alert WHERE since_ts >= 1767225600000 AND since_ts < 1769904000000')" ]
	gives 200 GET /export/forecast
	csv | jq -e 'length == 240 and ([.[].rul_days | tonumber] | . == sort) and all(.due >= .predicted)' >/dev/null
	gives 200 GET '/export/telemetry?battery=DC-CNX-01-UPS-01-S1-J07&start=2026-01-01&end=2026-01-02'
	csv | jq -e 'length == 24 and .[0].ts == "2026-01-01T00:00:00Z" and (.[0].voltage_v | tonumber) > 12' >/dev/null
	gives 404 GET '/export/telemetry?battery=nix'
	gives 422 GET /export/telemetry
	login kim
	gives 200 GET /export/batteries
	[ "$(csv | jq length)" = 24 ]
	gives 200 GET /export/forecast
	[ "$(csv | jq length)" = 24 ]
	gives 404 GET '/export/telemetry?battery=DC-CNX-01-UPS-01-S1-J07'
	gives 200 GET /export/alerts
	csv | jq -e 'all(.subject | startswith("DC-KKN-01"))' >/dev/null
}

@test "tables for spreadsheets" {
	both exports
}

@test "a text that a spreadsheet would run is only a text" {
	i=0
	for text in '=HYPERLINK("http://x","y")' '+1' '-1' '@SUM(A1)' 'a "quoted", one'; do
		i=$((i + 1))
		jq -nc --arg m "$text" --arg id "X$i" '{kind: "alert", alert_id: $id, ts: "2027-01-01T00:00:00Z", since_ts: "2027-01-01T00:00:00Z", subject: "DC-CNX-01", rule: "r", severity: "info", state: "firing", message: $m}'
	done | encode -q | store -q --db sqlite:f.db
	serve sqlite:f.db
	login vera
	gives 200 GET '/export/alerts'
	csv | jq -r '.[] | select(.id | startswith("X")) | .message' | sort >got
	sort <<-'END' | diff - got
		'=HYPERLINK("http://x","y")
		'+1
		'-1
		'@SUM(A1)
		a "quoted", one
	END
}

@test "an export that would be too long is refused, not cut" {
	sqlite3 f.db "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100001)
		INSERT INTO telemetry (run, ts, battery, voltage_v) SELECT b.run, 1800000000000 + i, b.id, 13 FROM n, battery b WHERE b.code = 'DC-CNX-01-UPS-01-S1-J07'"
	serve sqlite:f.db
	login vera
	gives 422 GET '/export/telemetry?battery=DC-CNX-01-UPS-01-S1-J07'
	detail 'these are more than 100000 rows: ask for a part of them'
}

reports() {
	gives 200 GET /reports
	[ "$(jq -r '[.items[] | .kind + (.month // "")] | join(" ")' body)" = "monthly2026-02 monthly2026-01 monthly2025-12 quality" ]
	local url
	url=$(jq -r '.items[1].url' body)
	gives 200 GET "${url#/api/v1}"
	report --month 2026-01 --db "$DB" | cmp - body
	# the policy allows the page's one style, by its hash
	local hash
	hash=$(sed -n 's/.*<style>\(.*\)<\/style>.*/\1/p' body | tr -d '\n' | openssl dgst -sha256 -binary | base64)
	grep -qiF "'sha256-$hash'" head
	gives 200 GET /reports/monthly
	grep -q '<h1>Batteries, February 2026</h1>' body
	gives 404 GET '/reports/monthly?month=2020-01'
	gives 422 GET '/reports/monthly?month=2026-1x'
	gives 200 GET /reports/quality
	report --quality set --html | cmp - body
	grep -qi '^content-type: text/html; charset=utf-8' head
	login kim
	gives 200 GET '/reports/monthly?month=2026-01'
	grep -q '>24 batteries at 1 site,' body
	[ "$(grep -c DC-CNX-01 body)" = 0 ]
}

@test "reports, as the program writes them" {
	both reports
}

@test "what replacing costs, if the bridge was told" {
	printf '[prices]\ncurrency = THB\nbattery = 9500\n' >prices.ini
	serve sqlite:f.db --prices prices.ini
	login vera
	gives 200 GET /reports/monthly
	grep -q 'cost, THB' body
	stop
	printf '[prices]\ncurrency = THB\nbattery = dear\n' >prices.ini
	try "$bridge" --db sqlite:f.db --listen 127.0.0.1:0 --prices prices.ini
	assert_status 2
}
