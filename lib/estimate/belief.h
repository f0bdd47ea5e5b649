/*
 * What a twin believes, as records. The caller adds battery and unit.
 */
#ifndef ESTIMATE_BELIEF_H
#define ESTIMATE_BELIEF_H

#include "estimate/twin.h"
#include "record/kinds.h"

/*
 * The state now. load_a (> 0) is the discharge current the autonomy is for. Capacity is
 * that of the ageing filter, or of the discharge going on once it is deep enough.
 */
void belief_state(const struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, double load_a, struct rec_twin_state *out);
/*
 * The physics' remaining life (wear_rul): source twin; flag starved while neither a
 * discharge, a capacity test nor a resistance has spoken, so that it is the
 * population's. confidence is 1/(1 + r^2) with r its spread (std of ln life) over the
 * population's: 0.5 knows no more than that, 1 is certain. 'model' is the battery
 * model's name and points into m. *rate: what is believed of its rate of ageing.
 */
void belief_rul(const struct twin *w, const struct battery_model *m,
	struct rec_rul *out, struct wear_rate *rate);

#endif
