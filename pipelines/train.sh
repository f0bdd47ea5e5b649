#!/usr/bin/env bash
# Trains a model of remaining life on a simulated fleet and its known truth.
#
#   train.sh MODEL-DIR [BATTERIES [DAYS]]     (1944 batteries, 30 days)
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
mkdir -p "$(dirname "$1")"

floatline simulate --batteries "${2:-1944}" --days "${3:-30}" --interval 1h --truth --seed 1 |
	floatline featurize --windows 24 --every 1d |
	floatline train --every 10d --out "$1"
