#!/usr/bin/env bash
# Trains a model of remaining life on a simulated fleet and its known truth.
#
#   train.sh MODEL-DIR [BATTERIES [DAYS]]     (432 batteries, 180 days)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 1 ] || { sed -n '2,4p' "$0"; exit 2; }
mkdir -p "$(dirname "$1")"

floatline simulate --batteries "${2:-432}" --days "${3:-180}" --interval 1h --truth --seed 1 |
	floatline featurize |
	floatline train --out "$1"
