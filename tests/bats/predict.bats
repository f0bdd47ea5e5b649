load helper

fleet() { # BATTERIES DAYS SEED [KINDS] >stream
	$PYTHON "$BATS_TEST_DIRNAME/learn-fleet.py" "$@" | encode -q
}

setup_file() {
	load helper
	$PYTHON "$BATS_TEST_DIRNAME/learn-fleet.py" 200 5 1 | encode -q |
		train -q --out "$BATS_FILE_TMPDIR/model"
}

setup() {
	MODEL=$BATS_FILE_TMPDIR/model
	F=$BATS_TEST_TMPDIR/f.fl
	P=$BATS_TEST_TMPDIR/p.fl
}

ruls() { # JQ-FILTER over the rul records of $P that predict added
	decode -q --kind rul <"$P" | jq -c "select(.source != \"twin\") | $1"
}

@test "predict adds a learned and a fused estimate, bounds in order" {
	fleet 30 2 7 >"$F"
	try predict --model "$MODEL" -i "$F" -o "$P"
	assert_status 0
	[ "$(ruls 'select(.source == "ml")' | wc -l)" -eq 60 ]
	[ "$(ruls 'select(.source == "fused")' | wc -l)" -eq 60 ]
	[ "$(ruls 'select((.lower_days <= .rul_days and .rul_days <= .upper_days) | not)' | wc -l)" -eq 0 ]
	[ "$(ruls 'select(.p_fail_30d > .p_fail_90d or .p_fail_30d < 0 or .p_fail_90d > 1)' | wc -l)" -eq 0 ]
	[ "$(ruls 'select(.confidence < 0 or .confidence > 1 or .confidence == null)' | wc -l)" -eq 0 ]
	id=$(jq -r .id "$MODEL/model.json")
	[ "$(ruls "select(.model != \"$id\")" | wc -l)" -eq 0 ]
	# what goes in comes out, unchanged and in order
	decode -q <"$F" >"$BATS_TEST_TMPDIR/a"
	decode -q <"$P" | jq -c 'select(.kind != "rul" or .source == "twin")' >"$BATS_TEST_TMPDIR/b"
	diff <(jq -c . "$BATS_TEST_TMPDIR/a") "$BATS_TEST_TMPDIR/b"
}

@test "estimates are near the truth, and the factors say what the law says" {
	fleet 60 1 8 >"$F"
	predict -q --model "$MODEL" -i "$F" -o "$P"
	decode -q <"$P" | jq -sc '
		(map(select(.kind == "truth")) | INDEX(.battery)) as $t
		| map(select(.source == "ml") | (.rul_days / $t[.battery].rul_days | log | fabs)) | sort
		| .[length / 2 | floor]' >"$BATS_TEST_TMPDIR/median"
	# The law's own noise is 0.1 of the whole life; guessing gives 0.7.
	[ "$(jq '. < 0.35' "$BATS_TEST_TMPDIR/median")" = true ] || fail "$(cat "$BATS_TEST_TMPDIR/median")"
	# The hottest battery is said to lose life by heat, the coolest to gain.
	decode -q <"$P" | jq -se '
		(map(select(.kind == "feature")) | sort_by(.t_mean_c) | [first, last] | map(.battery)) as [$cool, $hot]
		| def heat($b): map(select(.source == "ml" and .battery == $b))[0].factors
			| map(select(.[0] == "temperature"))[0][1];
		heat($hot) < 0 and heat($cool) > 0'
}

@test "fusion: the weights are those asked for" {
	fleet 20 1 7 >"$F"
	predict -q --model "$MODEL" --fusion fixed:0.25 -i "$F" -o "$P"
	decode -q --kind rul <"$P" | jq -se '
		group_by(.battery) | map(INDEX(.source)) | map(select(.fused.flags | index("out_of_range") | not))
		| length > 10 and all(.[]; .fused.weight_ml == 0.25
			and ((.fused.rul_days - 0.25 * .ml.rul_days - 0.75 * .twin.rul_days) | fabs) < 0.01)'
}

# By what the model foretells: what it and the twin were worth where it was trained.
@test "fusion: by default the weights are those the model was found to be worth" {
	fleet 20 1 7 >"$F"
	jq -e '.fusion | length == 3 and all(.[]; .weight >= 0 and .weight <= 1
		and (.mae_fused_days == null or ([.mae_learned_days, .mae_twin_days] | min) + 1e-6 >= .mae_fused_days
			or .batteries < 30))' "$MODEL/model.json"
	cp -r "$MODEL" "$BATS_TEST_TMPDIR/m"
	jq '.fusion[0].weight = 0.9 | .fusion[1].weight = 0.7 | .fusion[2].weight = 0.2' "$MODEL/model.json" \
		>"$BATS_TEST_TMPDIR/m/model.json"
	predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	decode -q --kind rul <"$P" | jq -se '
		group_by(.battery) | map(INDEX(.source)) | map(select(.fused.flags | index("out_of_range") | not))
		| length > 10 and all(.[]; .ml.rul_days as $d
			| .fused.weight_ml == (if $d < 90 then 0.9 elif $d < 365 then 0.7 else 0.2 end))'
}

# Both are surer together than a mean of their bounds, or less sure: their own table says.
@test "fusion: by default the bounds are those that what is fused was seen to need" {
	fleet 400 2 8 >"$F"
	jq -e '.fused_calibration | keys == ["tested", "untested"]' "$MODEL/model.json"
	predict -q --model "$MODEL" -i "$F" -o "$P"
	decode -q <"$P" | jq -sc '
		(map(.ts // "") | max) as $last | map(select(.ts == $last)) # the twin has spoken
		| (map(select(.kind == "truth")) | INDEX(.battery)) as $t
		| map(select(.source == "fused" and (.flags | index("out_of_range") | not)))
		| map($t[.battery].rul_days as $y | .lower_days <= $y and $y <= .upper_days)
		| [length, (map(select(.)) | length)]' >"$BATS_TEST_TMPDIR/held"
	# 200 batteries calibrate, 400 are judged: together 0.026
	jq -e '.[0] > 300 and (.[1] / .[0] - 0.9 | fabs) < 0.08' "$BATS_TEST_TMPDIR/held" || fail "$(cat "$BATS_TEST_TMPDIR/held")"
	# a model that has no such table: the mean of both bounds
	cp -r "$MODEL" "$BATS_TEST_TMPDIR/m"
	jq '.fused_calibration = null' "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$BATS_TEST_TMPDIR/q.fl"
	decode -q --kind rul <"$BATS_TEST_TMPDIR/q.fl" | jq -sce '
		group_by(.battery, .ts) | map(INDEX(.source)) | map(select(.fused.flags | length == 0))
		| length > 100 and all(.[]; .fused.weight_ml as $w
			| (.fused.upper_days - $w * .ml.upper_days - (1 - $w) * .twin.upper_days) | fabs < 0.1)'
	decode -q --kind rul <"$BATS_TEST_TMPDIR/q.fl" | jq -r '.upper_days' | cmp -s - <(decode -q --kind rul <"$P" | jq -r '.upper_days') &&
		fail "the table changes nothing"
	jq '.fused_calibration.tested = 1' "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	try predict --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_stderr 'model.json'
}

error() { # KIND,... >mean error of log life, on the last day
	fleet 60 3 7 truth,feature,"$1" | predict -q --model "$BATS_TEST_TMPDIR/m" --every 0s | decode -q | jq -s '
		(map(.ts // 0) | max) as $last | map(select(.ts == $last)) |
		(map(select(.kind == "truth") | {(.battery): .rul_days}) | add) as $true |
		map(select(.source == "ml") | .rul_days / $true[.battery] | log | fabs) | add / length'
}

@test "the twin's state is seen by the model as it was in training" {
	fleet 200 5 1 truth,feature,twin_state | train -q --trials 1 --out "$BATS_TEST_TMPDIR/m"
	with=$(error twin_state)
	without=$(error rul)
	jq -en "$with < 0.7 * $without" || fail "$with with it, $without without"
}

# The twin doubts itself: its voltages miss by three times what it allows for.
@test "fusion: adaptive gives a twin that misses its voltages less weight" {
	fleet 10 1 7 | decode -q | jq -c 'if .kind == "truth" then
		{kind: "twin_state", ts, battery, unit, nis: (if .battery < "DC-S3" then 9 else 0.5 end)} else . end' |
		encode -q >"$F"
	predict -q --model "$MODEL" --fusion variance -i "$F" | decode -q --kind rul >"$BATS_TEST_TMPDIR/v"
	predict -q --model "$MODEL" --fusion adaptive -i "$F" | decode -q --kind rul >"$BATS_TEST_TMPDIR/a"
	jq -se --slurpfile v "$BATS_TEST_TMPDIR/v" '
		($v | map(select(.source == "fused")) | INDEX(.battery)) as $v | map(select(.source == "fused"))
		| length == 10 and all(.[]; (.flags | length > 0) or ($v[.battery].weight_ml as $w
			| (if .battery < "DC-S3" then 9 * $w / (1 + 8 * $w) else $w end) - .weight_ml | fabs < 1e-5))' \
		"$BATS_TEST_TMPDIR/a"
}

@test "replace_by: in a maintenance window of the cool season" {
	{ echo '{"kind":"maintenance_window","id":"w1","subject":"DC-S0","from_ts":"2026-11-20T22:00:00Z","until_ts":"2026-11-21T04:00:00Z"}'
	fleet 6 1 7 | decode -q | jq -c 'if .kind == "rul" then .rul_days = 400 | .lower_days = 350 | .upper_days = 500 else . end'; } |
		encode -q >"$F"
	predict -q -i "$F" -o "$P"
	[ "$(ruls 'select(.source == "fused" and .replace_by == "2026-11-21T00:00:00Z") | .battery' | cut -c2-6)" = DC-S0 ] || fail "$(ruls .)"
	# elsewhere any cool day: 350 days after the first of January is in December
	[ "$(ruls 'select(.source == "fused" and .replace_by == "2026-12-17T00:00:00Z")' | wc -l)" -eq 5 ]
}

@test "truth is never read: the estimates are the same without it" {
	fleet 20 2 7 >"$F"
	fleet 20 2 7 feature,rul >"$BATS_TEST_TMPDIR/blind.fl"
	predict -q --model "$MODEL" -i "$F" | decode -q --kind rul >"$BATS_TEST_TMPDIR/a"
	predict -q --model "$MODEL" -i "$BATS_TEST_TMPDIR/blind.fl" | decode -q --kind rul >"$BATS_TEST_TMPDIR/b"
	[ -s "$BATS_TEST_TMPDIR/a" ]
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "the chunks of the input and the size of the block do not matter" {
	fleet 30 2 7 >"$F"
	predict -q --model "$MODEL" -i "$F" -o "$P"
	dd if="$F" bs=97 status=none | predict -q --model "$MODEL" >"$BATS_TEST_TMPDIR/q.fl"
	cmp "$P" "$BATS_TEST_TMPDIR/q.fl"
	predict -q --model "$MODEL" --block 7 -i "$F" | decode -q --kind rul | sort >"$BATS_TEST_TMPDIR/a"
	decode -q --kind rul <"$P" | sort >"$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "without a model the twin speaks, and it says so" {
	fleet 20 2 7 >"$F"
	try predict -i "$F" -o "$P"
	assert_status 0
	assert_stderr "no --model given"
	assert_stderr "60 fused estimates: 40 the twin's alone \(40 without a model\), .*, 20 with nothing to say"
	try predict -q -i "$F" -o "$P"
	assert_status 0
	[ ! -s "$ERR" ]
	[ "$(ruls 'select(.source == "ml")' | wc -l)" -eq 0 ]
	decode -q --kind rul <"$P" | jq -se '
		map(select(.source == "fused" and .rul_days != null)) as $f
		| ($f | length) >= 20 and all($f[]; .flags == ["fallback", "model_missing"] and .weight_ml == 0)'
}

@test "a damaged model: said once, then as without one" {
	fleet 5 2 7 >"$F"
	cp -r "$MODEL" "$BATS_TEST_TMPDIR/m"
	head -c 100 "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: .*model.json"
	[ "$(ruls 'select(.flags | index("model_missing") | not)' | wc -l)" -eq 0 ]
	[ "$(ruls . | wc -l)" -gt 0 ]
	cp "$MODEL/model.json" "$BATS_TEST_TMPDIR/m/"
	head -c 1000 "$MODEL/booster.ubj" >"$BATS_TEST_TMPDIR/m/booster.ubj"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: .*damaged"
	try predict -q --model "$BATS_TEST_TMPDIR/none" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: cannot open"
	# foreign: another model's trees, another program's file
	fleet 120 2 4 | train -q --out "$BATS_TEST_TMPDIR/other"
	cp "$BATS_TEST_TMPDIR/other/booster.ubj" "$BATS_TEST_TMPDIR/m/"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: .*is not the one model.json belongs to"
	echo '{"learner": {"objective": {"name": "survival:aft"}}, "version": [1, 7, 4]}' >"$BATS_TEST_TMPDIR/m/model.json"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: .*model.json: 'format' is not a whole number"
	# of an older format: what to do about it
	jq '.format = 2' "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "model unusable: .*model.json: format 2 is not [0-9]+, train it anew"
	[ "$(ruls 'select(.source == "ml")' | wc -l)" -eq 0 ]
}

@test "a model the stream cannot supply is refused by the feature's name" {
	fleet 5 2 7 >"$F"
	cp -r "$MODEL" "$BATS_TEST_TMPDIR/m"
	jq '.features[1].unit = "K"' "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_status 0
	assert_one_line_stderr "wants feature 't_mean_c' in 'K'"
	jq '.features[1].name = "moon_phase"' "$MODEL/model.json" >"$BATS_TEST_TMPDIR/m/model.json"
	try predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_one_line_stderr "wants feature 'moon_phase'"
}

hotter() { # KELVIN: the test fleet's features, moved beyond the training's
	hot=$(jq "[.features[] | select(.name == \"t_mean_c\")][0] | .max + $1 * (.max - .min)" "$MODEL/model.json")
	fleet 5 1 7 | decode -q |
		jq -c "if .kind == \"feature\" then .t_mean_c = $hot else . end" | encode -q >"$F"
}

@test "out of range: flagged, and the weight falls to a third; far out, the twin alone" {
	hotter 0.2
	predict -q --model "$MODEL" --fusion fixed:0.6 -i "$F" -o "$P"
	decode -q --kind rul <"$P" | jq -se 'map(select(.source == "fused"))
		| length == 5 and all(.[]; (.flags | index("out_of_range")) and .weight_ml > 0.199 and .weight_ml < 0.201)' ||
		{ ruls .; fail "as above"; }
	hotter 0.6
	try predict --model "$MODEL" --metrics "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	assert_stderr "5 fused estimates: 5 the twin's alone \(5 far out of range\)"
	grep -qx 'floatline_predict_fallback_total{reason="out_of_range"} 5' "$BATS_TEST_TMPDIR/m"
	decode -q --kind rul <"$P" | jq -se '
		(map(select(.source == "twin")) | INDEX(.battery)) as $twin | map(select(.source == "fused"))
		| length == 5 and all(.[]; .flags == ["fallback", "out_of_range"] and .weight_ml == 0
			and .rul_days == $twin[.battery].rul_days and .model == null)'
}

@test "starved of features: the twin alone, and counted" {
	fleet 5 1 7 | decode -q |
		jq -c 'if .kind == "feature" then .coverage = 0.3 | .v_mean_v = null else . end' | encode -q >"$F"
	predict -q --model "$MODEL" --metrics "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	[ "$(ruls 'select(.source == "fused" and .flags == ["fallback", "starved"] and .weight_ml == 0)' | wc -l)" -eq 5 ]
	grep -qx 'floatline_predict_fallback_total{reason="starved"} 5' "$BATS_TEST_TMPDIR/m"
	# not a number, or infinite, is missing: no estimate is made of it
	fleet 5 1 7 | decode -q |
		jq -c 'if .kind == "feature" then .t_mean_c = null | .r_baseline_pct = null | .age_days = null | .v_mean_v = null else . end' |
		encode -q >"$F"
	predict -q --model "$MODEL" -i "$F" -o "$P"
	[ "$(ruls 'select(.source == "fused" and .flags == ["fallback", "starved"])' | wc -l)" -eq 5 ]
}

@test "stale features: the twin alone, on its own beat" {
	fleet 5 6 7 | decode -q |
		jq -c 'select(.kind != "feature" or .ts < "2026-01-02")' | encode -q >"$F"
	predict -q --model "$MODEL" --every 1d -i "$F" -o "$P"
	# features on the 1st; fresh on the 2nd and 3rd; the twin from the 4th to the 6th
	[ "$(ruls 'select(.ts < "2026-01-04" and .source == "fused")' | wc -l)" -eq 5 ]
	[ "$(ruls 'select(.ts >= "2026-01-04")' | wc -l)" -eq 15 ]
	[ "$(ruls 'select(.ts >= "2026-01-04" and .flags != ["fallback"])' | wc -l)" -eq 0 ]
}

# A model that never heard the twin contradicts one that has lost its mind.
@test "conflict is flagged and its bounds span both" {
	fleet 200 5 1 feature,truth | train -q --trials 1 --out "$BATS_TEST_TMPDIR/m"
	fleet 5 2 7 | decode -q |
		jq -c 'if .source == "twin" then .rul_days = 1 | .lower_days = 0.5 | .upper_days = 2 else . end' |
		encode -q >"$F"
	predict -q --model "$BATS_TEST_TMPDIR/m" -i "$F" -o "$P"
	decode -q --kind rul <"$P" | jq -se 'map(select(.source == "fused" and .ts > "2026-01-02"))
		| length == 5 and all(.[]; (.flags | index("conflict")) and .lower_days <= 1 and .upper_days > 20)'
}

@test "every: no more often than asked" {
	fleet 5 8 7 >"$F"
	predict -q --model "$MODEL" --every 4d -i "$F" -o "$P"
	[ "$(ruls 'select(.source == "ml")' | wc -l)" -eq 10 ]
}

@test "closed pipe, full disk, empty and truncated input, absurd options" {
	fleet 60 5 7 >"$F"
	pipeline "predict -q --model '$MODEL' -i '$F' | head -c 100 >/dev/null"
	assert_no_crash_or_sigpipe
	try predict -q --model "$MODEL" -i "$F" -o /dev/full
	assert_status 3
	try predict --model "$MODEL" -o "$P" </dev/null
	assert_no_crash
	head -c -300 "$F" >"$BATS_TEST_TMPDIR/t.fl"
	try predict -q --model "$MODEL" -i "$BATS_TEST_TMPDIR/t.fl" -o "$P"
	assert_status 1
	[ "$(decode -q --allow-truncated --kind rul <"$P" | grep -c '"ml"')" -gt 250 ]
	for o in "--fusion 2" "--fusion fixed:7" "--every never" "--max-age x" "--block 0" "--bogus" "operand"; do
		# shellcheck disable=SC2086
		try predict --model "$MODEL" $o <"$F"
		assert_status 2
		assert_one_line_stderr '^predict: '
	done
}

# SIGPIPE is how a closed pipe ends a filter.
assert_no_crash_or_sigpipe() {
	[ "$status" -eq 0 ] || [ "$status" -eq 141 ] || fail "status $status: $(cat "$ERR")"
	! grep -q Sanitizer "$ERR" || fail "$(cat "$ERR")"
}

@test "the ledger balances" {
	fleet 20 2 7 >"$F"
	predict -q --model "$MODEL" -i "$F" --ledger "$BATS_TEST_TMPDIR/l" >/dev/null
	ledger_balances "$BATS_TEST_TMPDIR/l"
}

@test "end to end: a simulated fleet teaches, another is foretold within its bounds" {
	simulate -q --truth --batteries 216 --days 2 --interval 1h --seed 3 |
		featurize -q --windows 24 --every 1d | train -q --out "$BATS_TEST_TMPDIR/m"
	simulate -q --truth --batteries 216 --days 2 --interval 1h --seed 4 |
		featurize -q --windows 24 --every 1d | twin -q |
		predict -q --model "$BATS_TEST_TMPDIR/m" >"$P"
	# Fresh batteries of the same kind: nine in ten within their bounds. 43 batteries
	# calibrate and 216 are judged, so the share has a standard error of about 0.05.
	decode -q <"$P" | jq -sc '
		(map(select(.kind == "truth")) | INDEX(.battery + .ts)) as $t
		| map(select(.source == "ml" and $t[.battery + .ts]))
		| map($t[.battery + .ts].rul_days as $y | .lower_days <= $y and $y <= .upper_days)
		| [length, (map(select(.)) | length)]' >"$BATS_TEST_TMPDIR/held"
	jq -e '.[0] > 200 and .[1] / .[0] > 0.75' "$BATS_TEST_TMPDIR/held" || fail "$(cat "$BATS_TEST_TMPDIR/held")"
	[ "$(ruls 'select(.source == "fused" and .factors == null and (.flags | index("fallback") | not))' | wc -l)" -eq 0 ]
}
