load helper

fleet() { # BATTERIES DAYS SEED [KINDS] >stream
	$PYTHON "$BATS_TEST_DIRNAME/learn-fleet.py" "$@" | encode -q
}

@test "train learns a known law and writes a model" {
	fleet 200 5 1 >"$BATS_TEST_TMPDIR/f.fl"
	try train --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 0
	[ ! -s "$OUT" ]
	assert_stderr 'train: in 3000, out 3000, added 0, rejected 0, dropped 0'
	assert_stderr '1000 feature rows, 1000 truth records; of 24 h 1000 kept'
	# The law explains far more than age does.
	skill=$(jq .evaluation.skill "$BATS_TEST_TMPDIR/m/model.json")
	[ "$(jq -n "$skill > 0.25")" = true ] || fail "skill $skill"
	jq -e '[.features[].name] | index("t_mean_c") and index("age_days")' "$BATS_TEST_TMPDIR/m/model.json"
	jq -e '.features[] | select(.name == "t_mean_c") | .unit == "degC" and .min < .max' "$BATS_TEST_TMPDIR/m/model.json"
	jq -e '.split | .training.batteries + .validation.batteries + .calibration.batteries + .test.batteries == 200' \
		"$BATS_TEST_TMPDIR/m/model.json"
}

@test "the same input gives the same model, byte for byte" {
	fleet 120 3 2 >"$BATS_TEST_TMPDIR/f.fl"
	train -q --out "$BATS_TEST_TMPDIR/a" <"$BATS_TEST_TMPDIR/f.fl"
	train -q --out "$BATS_TEST_TMPDIR/b" <"$BATS_TEST_TMPDIR/f.fl"
	diff -r "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
	# and another seed another split
	train -q --seed 9 --out "$BATS_TEST_TMPDIR/c" <"$BATS_TEST_TMPDIR/f.fl"
	! cmp -s "$BATS_TEST_TMPDIR/a/booster.ubj" "$BATS_TEST_TMPDIR/c/booster.ubj"
}

@test "an older model is replaced as a whole, anything else is left alone" {
	fleet 120 3 2 >"$BATS_TEST_TMPDIR/f.fl"
	train -q --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	before=$(jq -r .id "$BATS_TEST_TMPDIR/m/model.json")
	train -q --seed 9 --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	[ "$(jq -r .id "$BATS_TEST_TMPDIR/m/model.json")" != "$before" ]
	[ "$(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'm*' | wc -l)" -eq 1 ]
	mkdir "$BATS_TEST_TMPDIR/other"
	touch "$BATS_TEST_TMPDIR/other/precious"
	try train --out "$BATS_TEST_TMPDIR/other" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 2
	assert_one_line_stderr "exists and is no model directory"
	[ -e "$BATS_TEST_TMPDIR/other/precious" ]
}

@test "two batteries: refused, saying how many are needed, and no model written" {
	fleet 2 5 1 >"$BATS_TEST_TMPDIR/f.fl"
	try train --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 1
	assert_stderr '^train: too few batteries for an honest split: 2 of at least 54'
	[ ! -e "$BATS_TEST_TMPDIR/m" ]
}

@test "split by site needs five of them" {
	fleet 240 2 1 >"$BATS_TEST_TMPDIR/f.fl"
	train -q --split site --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	jq -e '.split.by == "site" and .split.training.groups == 3' "$BATS_TEST_TMPDIR/m/model.json"
	decode <"$BATS_TEST_TMPDIR/f.fl" | grep -E 'DC-S[0-3]-' | encode -q >"$BATS_TEST_TMPDIR/four.fl"
	try train --split site --out "$BATS_TEST_TMPDIR/n" <"$BATS_TEST_TMPDIR/four.fl"
	assert_status 1
	assert_stderr '4 of at least 5'
}

@test "features of another window are not used" {
	fleet 120 2 1 >"$BATS_TEST_TMPDIR/f.fl"
	try train --window 1 --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 1
	assert_stderr '0 of at least 54'
}

@test "records go on where -o says so" {
	fleet 60 2 1 >"$BATS_TEST_TMPDIR/f.fl"
	train -q --out "$BATS_TEST_TMPDIR/m" -o - <"$BATS_TEST_TMPDIR/f.fl" >"$BATS_TEST_TMPDIR/o.fl"
	decode -q <"$BATS_TEST_TMPDIR/f.fl" >"$BATS_TEST_TMPDIR/a"
	decode -q <"$BATS_TEST_TMPDIR/o.fl" >"$BATS_TEST_TMPDIR/b"
	cmp "$BATS_TEST_TMPDIR/a" "$BATS_TEST_TMPDIR/b"
}

@test "a truncated stream gives no model" {
	fleet 120 2 1 >"$BATS_TEST_TMPDIR/f.fl"
	head -c -200 "$BATS_TEST_TMPDIR/f.fl" >"$BATS_TEST_TMPDIR/t.fl"
	try train --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/t.fl"
	assert_status 1
	[ ! -e "$BATS_TEST_TMPDIR/m" ]
}

@test "empty input and absurd options" {
	try train --out "$BATS_TEST_TMPDIR/m" </dev/null
	[ "$status" -ne 0 ]
	assert_no_crash
	[ ! -e "$BATS_TEST_TMPDIR/m" ]
	for o in "--split row" "--rounds 0" "--depth 99" "--eta nan" "--level 2" "--seed -1" \
		"--every 0s" "--max-rows 0" "--window 0" "--bogus" "operand"; do
		# shellcheck disable=SC2086
		try train --out "$BATS_TEST_TMPDIR/m" $o </dev/null
		assert_status 2
		assert_one_line_stderr '^train: '
	done
	try train </dev/null
	assert_status 2
	assert_one_line_stderr 'one of --out DIR and --register DIR is needed'
	try train --out /no/such/place/m </dev/null
	assert_status 3
	assert_one_line_stderr "/no/such/place"
}

@test "progress tells each trial; the page of plots stands beside the model" {
	fleet 120 3 2 >"$BATS_TEST_TMPDIR/f.fl"
	try train --progress --trials 2 --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 0
	assert_stderr '^train: trial 1 of 2: error of log time on validation .* s to go'
	assert_stderr '^train: trial 2 of 2: '
	assert_stderr '^train: fold 8 of 8 foretold by the others; .* s to go'
	page=$BATS_TEST_TMPDIR/m/report.html
	[ "$(grep -c '<svg' "$page")" -eq 5 ]
	grep -q "$(jq -r .id "$BATS_TEST_TMPDIR/m/model.json")" "$page"
	! grep -qi 'nan\|http' "$page"
	jq -e '.training | .trials == 2 and .revision != "" and .hyperparameters.columns > 0' "$BATS_TEST_TMPDIR/m/model.json"
}

@test "lives nobody saw end are refused" {
	fleet 120 3 2 | decode -q | jq -c 'if .kind == "truth" then .censored = true else . end' | encode -q >"$BATS_TEST_TMPDIR/f.fl"
	try train --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	assert_status 1
	assert_stderr 'too few ends of life to learn from: 0 of at least 10'
	[ ! -e "$BATS_TEST_TMPDIR/m" ]
}

# Of three days the first comes before the twin has spoken, and one battery in ten goes without.
@test "features nobody has are left out, and the twin is learned from where it speaks" {
	fleet 120 3 2 feature,truth >"$BATS_TEST_TMPDIR/f.fl"
	train -q --trials 1 --out "$BATS_TEST_TMPDIR/m" <"$BATS_TEST_TMPDIR/f.fl"
	jq -e '[.features[].name] | (index("twin_rul_days") or index("twin_soh_pct") or index("thd_mean_pct")) | not' \
		"$BATS_TEST_TMPDIR/m/model.json"
	fleet 120 3 2 feature,truth,rul,twin_state >"$BATS_TEST_TMPDIR/f.fl"
	train -q --trials 1 --out "$BATS_TEST_TMPDIR/n" <"$BATS_TEST_TMPDIR/f.fl"
	jq -e '.features[] | select(.name == "twin_rul_days") | .unit == "d" and .present > 0.4 and .present < 0.7' \
		"$BATS_TEST_TMPDIR/n/model.json"
	jq -e '.features[] | select(.name == "twin_soh_pct") | .unit == "%" and .min > 20 and .max < 120 and .present > 0.4' \
		"$BATS_TEST_TMPDIR/n/model.json"
}
