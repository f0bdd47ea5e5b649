#!/usr/bin/env bash
# Measures the twin on a simulated fleet, whose truth is known: health, remaining life.
#
#   validate-fleet.sh [BATTERIES [DAYS [SEED]]]     (2016, 1095, 12)
#
# Sampled once an hour, with the sensor noise and faults simulate makes, a capacity test
# a year and a discharge of 40 % each quarter. Every battery is looked at every ten days.
# Looks at one battery are not independent, nor are the blocks of a string, which share its
# sensors and a part of their rate of ageing: +- is from how strings differ. Minutes.
#
# Life: the rival knows the age alone, the median left of a Weibull life of the battery
# model's shape 4 and scale 6.5 years. Half of the remaining life: of each battery that
# ends within the run, at the first look when half of what it had at its first is gone.
# An interval promises for what is foretold, not for what comes true: of batteries whose
# last year it is, those it surprised are all there, and those are not that it thought as
# near their end and that live on. So the shares are told by what was foretold as well.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
fleet=$here/../schemas/fleet/thailand.ini
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

sed 's/^discharge_test_pct *=.*/discharge_test_pct = 40/' "$fleet" >"$tmp/fleet.ini"
floatline simulate -q --fleet "$tmp/fleet.ini" --batteries "${1:-2016}" \
	--days "${2:-1095}" --seed "${3:-12}" --interval 1h --truth --truth-interval 10d |
	floatline twin -q --every 1d --refresh 10d --rul-every 10d \
		--only truth,battery,twin_state,rul,event 2>"$tmp/said" |
	floatline decode -q | jq -r '
		def s: sub("\\..*Z"; "Z") | fromdateiso8601;
		if .kind == "truth" then ["t", .battery, .unit, (.ts | s), .soh_pct,
			.rul_days, .censored, .cause]
		elif .kind == "twin_state" then ["s", .battery, .unit, .soh_pct, .soh_std_pct, .nis]
		elif .kind == "rul" then ["r", .battery, .unit, .rul_days, .lower_days, .upper_days,
			(.ts | s)]
		elif .kind == "battery" then ["b", .code, .unit, (.installed // "" | s? // "")]
		elif .type == "capacity_test" and .status == "completed" then
			["e", .subject, (.end_ts | s), (.note | startswith("capacity"))]
		else empty end | @tsv' >"$tmp/looks"

awk -F '\t' -v days="${2:-1095}" -f "$here/validate-fleet.awk" "$tmp/looks"
