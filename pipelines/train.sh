#!/usr/bin/env bash
# Trains a model of remaining life on a simulated fleet and its known truth.
#
#   train.sh MODEL-DIR [BATTERIES [DAYS [STREAM [SEED]]]]     (1944 batteries, 730 days, 1)
#
# All nine cities, blocks of every age, sampled each quarter of an hour; a row a battery and
# day. What the blocks of a site have in common is seen often, as each string stands at a
# site of its own. Whole sites are held out of the training, to stop it, to calibrate and to
# judge it. STREAM, if named, keeps the rows: evaluate.sh wants them.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
mkdir -p "$(dirname "$1")"
sites=$(mktemp --suffix .csv) && trap 'rm -f "$sites"' EXIT
# DC-BKK-01 and DC-BKK-02 become DC-BKK-01 to 18, a site of one city DC-CNX-01, 03 to 17.
floatline simulate -q --batteries "${2:-1944}" --days 0.01 --only battery | floatline decode -q --kind battery --fields code --csv |
	awk -F - -v OFS=- 'NR > 1 { $3 = sprintf("%02d", $3 + 2 * (int((NR - 2) / 24) % 9)) } 1' >"$sites"
# Neighbouring days of a battery say the same: every tenth is enough to learn from.
floatline simulate -q --progress --fleet "$sites" --days "${3:-730}" --interval 15m --truth --seed "${5:-1}" |
	floatline featurize -q --windows 24 --every 1d |
	floatline twin -q --every 1d --refresh 1d --only truth,feature,rul,twin_state |
	tee "${4:-/dev/null}" |
	floatline train --split "$([ "${2:-1944}" -ge 288 ] && echo site || echo battery)" \
		--every 10d --max-rows 400000 --progress --out "$1"
