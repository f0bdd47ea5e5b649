# What validate-fleet.sh saw, as a table. Fields by tabs; the first tells what:
#   t battery unit time SOH life censored cause    the truth
#   s battery unit SOH std NIS                     the twin's last state before it
#   r battery unit life lower upper time           the twin's last life before it
#   b battery unit installed                       the books
#   e string time full                             a test has ended (true: of capacity)
# Times in seconds, SOH in %, lives in days; 'days' is the length of the run.

function abs(x) { return x < 0 ? -x : x }
function string_of(battery) { sub(/-[^-]*$/, "", battery); return battery }
function look(row, error, held, battery, s) {
	n[row]++; sum[row] += error * error; inside[row] += held
	s = string_of(battery); looks[row, s]++; hold[row, s] += held; strings[s] = 1
	if (!((row, battery) in seen)) { seen[row, battery] = 1; count[row]++ }
}
# Deviation of the share in %: that of a ratio of sums over strings, which are independent.
function sampling(row, p, s, var, k) {
	p = inside[row] / n[row]
	for (s in strings) if ((row, s) in looks) { k++; var += (hold[row, s] - p * looks[row, s]) ^ 2 }
	return k > 1 ? 100 * sqrt(var * k / (k - 1)) / n[row] : 100
}
function tell(row, what) {
	if (n[row]) printf "| %d | %s | %.1f | %.1f +- %.1f %% |\n", count[row], what,
		sqrt(sum[row] / n[row]), 100 * inside[row] / n[row], sampling(row)
}
function bare(row, what, value) {
	if (n[row]) printf "| %d | %s | %s | |\n", count[row], what, value
}
function rms(row) { return sqrt(sum[row] / n[row]) }
function rival(age, eta) {
	eta = 6.5 * 365.25
	return eta * ((age / eta) ^ 4 + log(2)) ^ 0.25 - age
}
function median(a, k, i, j, x) {
	for (i = 2; i <= k; i++) {
		x = a[i]
		for (j = i - 1; j && a[j] > x; j--) a[j + 1] = a[j]
		a[j + 1] = x
	}
	return a[int((k + 1) / 2)]
}
function health(id, string, now, e, held) {
	e = soh[id] - $5; held = abs(e) <= 1.645 * std[id]
	look("any", e, held, id)
	if (now - full[string] < 31 * 86400 && full[string] > installed[id])
		look("full", e, held, id)
	if (now - part[string] < 31 * 86400 && part[string] > installed[id])
		look("part", e, held, id)
	if (nis[id] != "") look("nis", sqrt(nis[id]), 0, id)
}
function life(id, now, left, e, held, was) {
	was = left + (now - told[id]) / 86400 # when it was foretold
	e = rul[id] - was; held = low[id] <= was && was <= high[id]
	look("life", e, held, id)
	look(rul[id] < 365 ? "near" : rul[id] < 1096 ? "mid" : "far", e, held, id)
	if (!(id in born)) { born[id] = now; had[id] = left }
	if (!(id in halved) && now - born[id] >= had[id] * 43200 &&
	    born[id] + had[id] * 86400 < start + days * 86400) {
		halved[id] = 1; half[++halves] = 100 * abs(e) / was
		look("half", e, held, id)
	}
	if (left > 365) return
	look("last", e, held, id)
	look("rival", rival((now - installed[id]) / 86400) - left, 0, id)
	look("guess", 182.5 - left, 0, id)
	look("floor", sudden ? e : 0, 0, id)
	look(sudden ? "sudden" : "worn", e, held, id)
	if (!sudden) look("rivalworn", rival((now - installed[id]) / 86400) - left, 0, id)
}
$1 == "b" { installed[$2 " " $3] = $4 }
$1 == "s" { soh[$2 " " $3] = $4; std[$2 " " $3] = $5; nis[$2 " " $3] = $6 }
$1 == "r" { rul[$2 " " $3] = $4; low[$2 " " $3] = $5; high[$2 " " $3] = $6; told[$2 " " $3] = $7 }
$1 == "e" { if ($4 == "true") full[$2] = $3; else part[$2] = $3 }
$1 == "t" && (($2 " " $3) in soh) && (($2 " " $3) in rul) {
	id = $2 " " $3; string = string_of($2)
	if (!start) start = $4
	health(id, string, $4)
	sudden = $8 ~ /short|open|runaway/
	if ($7 == "false" && $6 > 0) life(id, $4, $6)
}
END {
	print "| batteries | quantity | error, rms | 90 % interval holds |\n|---|---|---|---|"
	tell("full", "SOH, %, in the month after a capacity test")
	tell("part", "SOH, %, in the month after a 40 % discharge test")
	tell("any", "SOH, %, at any time")
	tell("life", "remaining life, days, at any time")
	tell("near", "the same, foretold to be under a year")
	tell("mid", "the same, foretold to be one to three years")
	tell("far", "the same, foretold to be more")
	tell("last", "remaining life, days, in its last year")
	bare("rival", "the same by age alone: the skill of the twin is " \
		sprintf("%.0f %%", 100 * (1 - rms("last") / rms("rival"))), sprintf("%.1f", rms("rival")))
	bare("sudden", "of them sudden failures, which nothing foretells", sprintf("%.1f", rms("sudden")))
	bare("floor", "all others known exactly: no skill is above " \
		sprintf("%.0f %%", 100 * (1 - rms("floor") / rms("rival"))), sprintf("%.1f", rms("floor")))
	bare("worn", "without them: the skill of the twin is " \
		sprintf("%.0f %%", 100 * (1 - rms("worn") / rms("rivalworn"))), sprintf("%.1f", rms("worn")))
	bare("guess", "half a year, always (it knows that the last year has begun)", sprintf("%.1f", rms("guess")))
	if (halves) printf "| %d | remaining life when half of it is gone, median error | %.0f %% | %.1f +- %.1f %% |\n",
		halves, median(half, halves), 100 * inside["half"] / halves, sampling("half")
	bare("nis", "normalised innovation squared, mean", sprintf("%.2f", sum["nis"] / n["nis"]))
}
