#!/usr/bin/env bash
# Trains a model of remaining life on a simulated fleet and its known truth.
#
#   train.sh MODEL-DIR [BATTERIES [DAYS [STREAM]]]     (1944 batteries, 730 days)
#
# All nine sites, blocks of every age, sampled each quarter of an hour; a row a battery and
# day. Whole sites are held out of the training, to stop it, to calibrate and to judge it.
# STREAM, if named, keeps the rows: evaluate.sh wants them.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
mkdir -p "$(dirname "$1")"
keep=${4:-/dev/null}

# Neighbouring days of a battery say the same: every tenth is enough to learn from.
floatline simulate -q --batteries "${2:-1944}" --days "${3:-730}" --interval 15m --truth --seed 1 |
	floatline featurize -q --windows 24 --every 1d |
	floatline twin -q --every 1d --refresh 1d --only truth,feature,rul,twin_state |
	tee "$keep" |
	floatline train --split "$([ "${2:-1944}" -ge 1296 ] && echo site || echo battery)" \
		--every 10d --max-rows 400000 --progress --out "$1"
