#!/usr/bin/env bash
# Trains a model anew and makes it production if it is better on sites neither has seen.
#
#   retrain.sh REGISTRY STREAM [SITE,SITE...]     e.g.  retrain.sh models month.fl DC-CNX-01,DC-HDY-01
#
# STREAM has features and truth. The sites are held out of this training and of all later
# ones: REGISTRY/heldout keeps them. Better means: the error of log life, paired battery by
# battery, is smaller by more than chance (one-sided, 95 %), and the intervals hold no fewer
# lives than production's, or 90 % within two binomial errors. What was found is printed;
# what is not better stays as staging. The first model needs to beat age alone.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
PATH=$PATH:$here/../build/bin:$here/../../../bin
[ $# -ge 2 ] || { sed -n '2,4p' "$0"; exit 2; }
registry=$1 stream=$2
mkdir -p "$registry"
[ -s "$registry/heldout" ] || echo "${3:?the first time, name the sites to hold out}" >"$registry/heldout"
held=$(cat "$registry/heldout")
[ "${3:-$held}" = "$held" ] || { echo "retrain: '$registry' holds out $held, not $3: its models have seen the others" >&2; exit 2; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

# The records of the sites held out, or (not) of the others.
part() {
	floatline decode -q -i "$stream" | jq -c --arg sites "$held" "
		select(.kind == \"feature\" or .kind == \"truth\" or .kind == \"twin_state\"
			or (.kind == \"rul\" and .source == \"twin\"))
		| select(.battery as \$b | \$sites / \",\" | any(. as \$s | \$b | startswith(\$s + \"-\")) $1)" |
		floatline encode -q
}

# Battery by battery, how a version foretells what is held out: mean absolute error of log
# life (lives under a week are a week), share of lives within the interval.
judge() {
	floatline predict -q -m "$registry/$1" --every 0s --drift 0s --only rul,truth -i "$tmp/held.fl" |
		floatline decode -q | jq -r '
			if .kind == "truth" and (.censored | not) then ["t", "\(.battery) \(.unit) \(.ts)", .rul_days]
			elif .source == "ml" then ["m", "\(.battery) \(.unit) \(.ts)", .rul_days, .lower_days, .upper_days]
			else empty end | @tsv' |
		awk -F '\t' '
			function week(d) { return d > 7 ? d : 7 }
			$1 == "t" { truth[$2] = $3; next }
			{ said[$2] = $3; low[$2] = $4; high[$2] = $5 }
			END {
				for (k in said) if (k in truth) {
					split(k, id, " "); b = id[1] " " id[2]
					e = log(week(said[k]) / week(truth[k])); n[b]++
					error[b] += e < 0 ? -e : e
					held[b] += low[k] <= truth[k] && truth[k] <= high[k]
				}
				for (b in n) printf "%s\t%.6f\t%.6f\n", b, error[b] / n[b], held[b] / n[b]
			}' | sort >"$tmp/$2"
}

production=$(readlink "$registry/production" || :)
part '| not' | floatline train -q --register "$registry"
candidate=$(readlink "$registry/staging")
[ "$candidate" != "$production" ] || { echo "retrain: $candidate is production already: nothing new in '$stream'"; exit 0; }
part '' >"$tmp/held.fl"
judge "$candidate" new
if [ -z "$production" ]; then
	skill=$(jq '.evaluation.skill' "$registry/$candidate/model.json")
	verdict=$(awk -v s="$skill" 'BEGIN { print (s > 0 ? "better" : "no better") " than age alone: skill " s }')
else
	judge "$production" old
	verdict=$(join -t "$(printf '\t')" "$tmp/old" "$tmp/new" | awk -F '\t' '
		{ n++; d = $2 - $4; sum += d; square += d * d; old += $3; new += $5; eo += $2; en += $4 }
		END {
			if (n < 2) { print "no better: too few lives held out"; exit }
			mean = sum / n; error = sqrt((square / n - mean * mean) / (n - 1))
			least = 0.9 - 2 * sqrt(0.09 / n); if (old / n < least) least = old / n
			better = mean > 1.645 * error && new / n >= least
			printf "%s: mean error of log life %.3f, was %.3f (difference %.3f +- %.3f), intervals hold %.1f %%, were %.1f %%, of %d batteries", \
				better ? "better" : "no better", en / n, eo / n, mean, error, 100 * new / n, 100 * old / n, n
		}')
fi
echo "retrain: $candidate is $verdict"
case $verdict in better*) floatline predict promote "$candidate" --registry "$registry" ;; esac
