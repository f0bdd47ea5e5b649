load helper

@test "a model is measured beside its rivals on a fleet it has not seen" {
	/usr/bin/python3 -c 'import msgpack, sklearn, xgboost' 2>/dev/null || skip "no python3-sklearn, python3-xgboost (scripts/evaluate-deps.txt)"
	cd "$BATS_TEST_TMPDIR"
	"$ROOT/pipelines/train.sh" model 72 25 rows.fl 2>err || fail "$(cat err)"
	"$ROOT/pipelines/evaluate.sh" model rows.fl 72 25 2 0 kept >table 2>err || fail "$(cat err)"
	for by in 'learned (ml)' 'fused, default' 'fused 60/40' 'twin alone' 'straight line of SOH' 'random forest' \
		'age-only Weibull' 'refitted, no temperature'; do
		[ "$(grep -cF "| $by |" table)" -eq 2 ] || fail "$by is not in both tables: $(cat table)"
	done
	grep -q '^| noise floor' table
	# age alone is what skill is held against
	grep -q '^| age-only Weibull |.* 0 % |$' table
	grep -q '^| DC-CNX-01 |' table
	! grep -q nan table
	# a share's error by its number of batteries, and by sites: there is one
	grep -Eq '^\| all \|.* [0-9.]+ \+- [0-9.]+ \(one\) % \|' table
	grep -Eq '^\| 0 to 90 d \|' table
	# the fleet that was kept is not made again
	mkdir bin
	# shellcheck disable=SC2016
	printf '#!/bin/sh\n[ "$1" != simulate ] && exec "%s" "$@"\nexit 1\n' "$(command -v floatline)" >bin/floatline
	chmod +x bin/floatline
	PATH=$PWD/bin:$PATH "$ROOT/pipelines/evaluate.sh" model rows.fl 72 25 2 0 kept 2>err | cmp - table || fail "$(cat err)"
	# one that cannot be made is said, and nothing is judged
	status=0
	PATH=$PWD/bin:$PATH "$ROOT/pipelines/evaluate.sh" model rows.fl 72 25 3 0 kept >none 2>err || status=$?
	[ "$status" -ne 0 ] && [ ! -s none ]
	grep -q "^evaluate.sh: cannot make 'kept/72-25-3.fl'$" err || fail "$(cat err)"
	# two fleets are judged as two; one that is cut off is not judged
	floatline simulate -q --batteries 24 --days 12 --interval 1h --truth --seed 3 | floatline featurize -q --windows 24 --every 1d |
		floatline twin -q --every 1d --refresh 1d | floatline predict -q --model model --only feature,truth,rul,twin_state >one.fl
	cat one.fl one.fl | /usr/bin/python3 "$ROOT/pipelines/evaluate.py" model rows.fl 0 >table
	grep -q '(2 of them, each of its own draw)' table
	head -c -200 one.fl | floatline predict -q --only feature,truth,rul,twin_state >cut.fl 2>/dev/null || :
	cat one.fl >>cut.fl
	! /usr/bin/python3 "$ROOT/pipelines/evaluate.py" model rows.fl 0 <cut.fl >table 2>err
	grep -q 'cut off' err
}
