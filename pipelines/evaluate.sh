#!/usr/bin/env bash
# Measures a model on fleets of other seeds, which nothing of it has seen, against what
# else there is, and prints the tables of the README.
#
#   evaluate.sh MODEL-DIR TRAINING-STREAM [BATTERIES [DAYS [SEED,SEED... [WARM-UP [FOLDER]]]]]
#                                          (1944, 405, 2,3,4,5,6,7, 365)
#
# TRAINING-STREAM is what train.sh keeps: the rivals that learn learn from it. Only what
# comes after WARM-UP days is judged: in a year each string has had its test. The fleets
# are made two at a time; FOLDER keeps them, for another model, and those it has are used.
# Needs python3-sklearn, python3-xgboost and python3-msgpack: scripts/evaluate-deps.txt.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,6p' "$0"; exit 2; }

IFS=, read -ra seeds <<<"${5:-2,3,4,5,6,7}"
folder=${7:-$(mktemp -d)} keep=${7:-}
# The programs end well at a signal: what they leave then is no whole fleet.
end() {
	trap '' INT TERM HUP
	local p
	for p in $(jobs -p); do kill -TERM -- "-$p" 2>/dev/null || :; done
	wait
	[ -n "$keep" ] || rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$folder"
fleet() { # FILE OPTION...
	[ ! -s "$1" ] || return 0
	floatline simulate -q "${@:2}" --interval 15m --truth |
		floatline featurize -q --windows 24 --every 1d |
		floatline twin -q --every 1d --refresh 1d --only feature,truth,rul,twin_state >"$1.part" ||
		{ echo "evaluate.sh: cannot make '$1'" >&2; exit 1; }
	mv "$1.part" "$1"
}
set -m # a process group each: a signal ends the subshell with its programs
for seed in "${seeds[@]}"; do
	fleet "$folder/${3:-1944}-${4:-405}-$seed.fl" --batteries "${3:-1944}" --days "${4:-405}" --seed "$seed" &
	[ "$(jobs -rp | wc -l)" -lt 2 ] || wait -n
done
while [ -n "$(jobs -p)" ]; do wait -n; done
set +m
for seed in "${seeds[@]}"; do
	floatline predict -q --model "$1" -i "$folder/${3:-1944}-${4:-405}-$seed.fl"
done | /usr/bin/python3 "$here/evaluate.py" "$1" "$2" "${6:-365}"
