#include "learn/word.h"

const struct twin_name TWIN_NAMES[TWIN_WORDS] = {
	[TWIN_RUL] = {"twin_rul_days", "d"},
	[TWIN_LOWER] = {"twin_lower_days", "d"},
	[TWIN_UPPER] = {"twin_upper_days", "d"},
	[TWIN_SOH] = {"twin_soh_pct", "%"},
	[TWIN_SOH_STD] = {"twin_soh_std_pct", "%"},
	[TWIN_R0] = {"twin_r0_mohm", "mohm"},
	[TWIN_R0_STD] = {"twin_r0_std_mohm", "mohm"},
	[TWIN_GASSING] = {"twin_gassing_ma", "mA"},
	[TWIN_NIS] = {"twin_nis", ""},
	[TWIN_RMSE] = {"twin_voltage_rmse_v", "V"},
};

static void forget(struct twin_word *w, int from, int to)
{
	for (int i = from; i < to; i++)
		w->v[i] = NAN;
}

struct twin_word twin_word_none(void)
{
	struct twin_word w = {.rul_ts = TIME_NIL, .state_ts = TIME_NIL};
	forget(&w, 0, TWIN_WORDS);
	return w;
}

void twin_word_rul(struct twin_word *w, const struct rec_rul *r)
{
	w->rul_ts = r->ts;
	w->v[TWIN_RUL] = (double)r->rul_days;
	w->v[TWIN_LOWER] = (double)r->lower_days;
	w->v[TWIN_UPPER] = (double)r->upper_days;
}

void twin_word_state(struct twin_word *w, const struct rec_twin_state *r)
{
	w->state_ts = r->ts;
	w->v[TWIN_SOH] = (double)r->soh_pct;
	w->v[TWIN_SOH_STD] = (double)r->soh_std_pct;
	w->v[TWIN_R0] = (double)r->r0_mohm;
	w->v[TWIN_R0_STD] = (double)r->r0_std_mohm;
	w->v[TWIN_GASSING] = (double)r->gassing_ma;
	w->v[TWIN_NIS] = (double)r->nis;
	w->v[TWIN_RMSE] = (double)r->voltage_rmse_v;
}

static bool fresh(int64_t said, int64_t ts)
{
	return said != TIME_NIL && ts - said <= TWIN_WORD_MS;
}

struct twin_word twin_word_at(const struct twin_word *w, int64_t ts)
{
	struct twin_word now = *w;
	if (!fresh(w->rul_ts, ts))
		forget(&now, 0, TWIN_OF_RUL);
	if (!fresh(w->state_ts, ts))
		forget(&now, TWIN_OF_RUL, TWIN_WORDS);
	return now;
}
