#!/usr/bin/env bash
# Measures the twin on a simulated fleet, whose truth is known: health, remaining life.
#
#   validate-fleet.sh [BATTERIES [DAYS [SEED]]]     (2016, 365, 11)
#
# Sampled once an hour, with the sensor faults and capacity tests simulate makes. The
# rival for the remaining life knows the age alone: the median left of a Weibull life of
# shape 4 and scale 6.5 years, the battery model's. Batteries are looked at once a month,
# so counts are of samples that are not independent, and +- is the least it can be.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

floatline simulate -q --batteries "${1:-2016}" --days "${2:-365}" --seed "${3:-11}" \
	--interval 1h --truth --truth-interval 30d |
	floatline twin -q --every 1d --refresh 10d --rul-every 10d \
		--only truth,battery,twin_state,rul,capacity_test 2>"$tmp/said" |
	floatline decode -q | jq -r '
		if .kind == "battery" then ["b", .code, (.installed | fromdateiso8601? // "")]
		elif .kind == "twin_state" then ["s", "\(.battery) \(.unit)", .soh_pct, .soh_std_pct]
		elif .kind == "rul" then ["r", "\(.battery) \(.unit)", .rul_days, .lower_days, .upper_days]
		elif .kind == "capacity_test" then ["c", .subject, (.ts | sub("\\..*Z"; "Z") | fromdateiso8601)]
		else ["t", "\(.battery) \(.unit)", (.ts | fromdateiso8601), .soh_pct, .rul_days, .censored] end | @tsv' |
	awk -F '\t' '
		function row(what, n, sum, held) {
			if (n) printf "| %d | %s | %.1f | %d of %d, %.0f +- %.0f %% |\n", n, what, sqrt(sum / n), held, n, \
				100 * held / n, 100 * sqrt(0.09 / n) }
		$1 == "b" { installed[$2] = $3 }
		$1 == "s" { soh[$2] = $3; std[$2] = $4 }
		$1 == "r" { rul[$2] = $3; low[$2] = $4; high[$2] = $5 }
		$1 == "c" { tested[$2] = $3 }
		$1 == "t" && ($2 in soh) {
			split($2, id, " ")
			e = soh[$2] - $4; in90 = (e < 0 ? -e : e) <= 1.645 * std[$2]
			n++; sum += e * e; held += in90
			if (id[1] in tested && $3 - tested[id[1]] < 31 * 86400) { tn++; tsum += e * e; theld += in90 }
			if ($6 == "true" || $5 > 365 || $5 <= 0 || !($2 in rul)) next
			rn++; rsum += (rul[$2] - $5) ^ 2; rheld += low[$2] <= $5 && $5 <= high[$2]
			eta = 6.5 * 365.25; age = ($3 - installed[id[1]]) / 86400
			wsum += (eta * ((age / eta) ^ 4 + log(2)) ^ 0.25 - age - $5) ^ 2
		}
		END {
			print "| count | quantity | rms error | 90 % interval holds |\n|---|---|---|---|"
			row("SOH, %, at any time", n, sum, held)
			row("SOH, %, in the month after a capacity test", tn, tsum, theld)
			row("remaining life, days, in the last year of it", rn, rsum, rheld)
			if (rn) printf "| %d | the same by age alone (skill of the twin %.0f %%) | %.0f | |\n", rn, \
				100 * (1 - sqrt(rsum / wsum)), sqrt(wsum / rn)
		}'
