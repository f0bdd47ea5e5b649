/* What the samples of the whole fleet come to. Limits: see each constant. */
#include "report/fleet.h"

#include <math.h>

/* Float voltage falls 3 mV per kelvin and cell (Exide Invamore; Leoch 3.3), held within
 * 13.2 to 14.1 V a block of 12 V. The mean of a string is doubted 1 % off its set-point
 * and wrong 2 % off. */
static const double FLOAT_COMP_V_PER_K_CELL = 0.003;
static const double FLOAT_WARN = 0.01, FLOAT_FAIL = 0.02;
/* 1 mA/Ah is a usual float current, 3 mA/Ah suspect; a string's sensor is off by up to
 * 0.3 A. */
static const double FLOAT_MA_PER_AH = 3, SENSOR_OFFSET_A = 0.3;
/* Blocks in series share one current and take the voltage their own gassing asks for:
 * they differ by a standard deviation of 0.11 to 0.16 V (Tafel, sigma of ln I0 0.2 to
 * 0.3). Far less is a copy, far more a string of strangers. Per block of 12 V. */
static const double SPREAD_LEAST_V = 0.02, SPREAD_MOST_V = 0.35;
/* Correlations: enough points, enough variation, and what would contradict physics. */
enum { POINTS_LEAST = 30, BATTERIES_LEAST = 10 };
static const double SOC_SD_PCT = 2, SOH_SD_PCT = 1.5, TEMPERATURE_SD_K = 0.5;
static const double VOLTAGE_SOC_PASS = 0.5, VOLTAGE_SOC_FAIL = 0.2;
static const double CONTRARY_WARN = -0.3, CONTRARY_FAIL = -0.6;
static const double YEAR_MS = 365.25 * 86400e3;

static double set_point(const struct model *m, double temperature_c)
{
	double cells = m->nominal_v / 2, blocks = m->nominal_v / 12;
	double v = (m->float_min_v + m->float_max_v) / 2 -
		   FLOAT_COMP_V_PER_K_CELL * cells * (temperature_c - 25);
	return fmin(fmax(v, 13.2 * blocks), 14.1 * blocks);
}

static const struct model *model_of(const struct fleet_facts *f, uint32_t i)
{
	return i == IDS_NONE ? NULL : &f->models[i];
}

static void judge_float_voltage(struct quality *q, const struct fleet_facts *f)
{
	struct sums volts = {0}, points = {0};
	struct check *c = &q->checks[CHECK_FLOAT_VOLTAGE];
	for (size_t i = 0; i < f->nstrings; i++) {
		const struct string *s = &f->strings[i];
		const struct model *m = model_of(f, s->model);
		double v = sums_mean(&s->float_v), t = sums_mean(&s->float_t);
		double want = m ? set_point(m, isnan(t) ? 25 : t) : NAN;
		if (isnan(v) || isnan(want))
			continue;
		c->checked++;
		sums_add(&volts, v);
		sums_add(&points, want);
		double off = fabs(v / want - 1);
		if (off <= FLOAT_WARN)
			continue;
		finding(q, CHECK_FLOAT_VOLTAGE, "string.csv", s->line,
			"%s floats at %.3f V a jar, set-point %.3f V", s->code, v,
			want);
		finding_raise(q, CHECK_FLOAT_VOLTAGE,
			off > FLOAT_FAIL ? VERDICT_FAIL : VERDICT_WARN);
	}
	if (c->checked)
		finding_sum(q, CHECK_FLOAT_VOLTAGE,
			"mean float voltage %.3f V a jar, mean set-point %.3f V",
			sums_mean(&volts), sums_mean(&points));
	else
		finding_raise(q, CHECK_FLOAT_VOLTAGE, VERDICT_OPEN);
}

static void judge_float_current(struct quality *q, const struct fleet_facts *f)
{
	struct sums amperes = {0};
	struct check *c = &q->checks[CHECK_FLOAT_CURRENT];
	for (size_t i = 0; i < f->nstrings; i++) {
		const struct string *s = &f->strings[i];
		const struct model *m = model_of(f, s->model);
		double a = sums_mean(&s->float_a);
		if (isnan(a) || !m || isnan(m->capacity_ah))
			continue;
		double most = SENSOR_OFFSET_A + FLOAT_MA_PER_AH / 1000 * m->capacity_ah;
		c->checked++;
		sums_add(&amperes, a);
		if (fabs(a) > most)
			finding(q, CHECK_FLOAT_CURRENT, "string.csv", s->line,
				"%s: mean %.2f A on float, at most %.2f A is possible",
				s->code, a, most);
	}
	finding_by_share(q, CHECK_FLOAT_CURRENT, 0, 0.1);
	if (c->checked)
		finding_sum(q, CHECK_FLOAT_CURRENT, "mean %.3f A of %lld strings",
			sums_mean(&amperes), (long long)c->checked);
	else
		finding_raise(q, CHECK_FLOAT_CURRENT, VERDICT_OPEN);
}

static void judge_spread(struct quality *q, const struct fleet_facts *f)
{
	struct sums all = {0};
	for (size_t i = 0; i < f->nstrings; i++) {
		const struct string *s = &f->strings[i];
		const struct model *m = model_of(f, s->model);
		double sd = sums_mean(&s->spread);
		if (isnan(sd) || !m || !(m->nominal_v > 0) || s->installed < 4)
			continue;
		sd *= 12 / m->nominal_v;
		sums_add(&all, sd);
		q->checks[CHECK_FLOAT_SPREAD].checked++;
		if (sd >= SPREAD_LEAST_V && sd <= SPREAD_MOST_V)
			continue;
		finding(q, CHECK_FLOAT_SPREAD, "string.csv", s->line,
			"%s: standard deviation of its jars %.3f V, not %.2f to %.2f V",
			s->code, sd, SPREAD_LEAST_V, SPREAD_MOST_V);
		finding_raise(q, CHECK_FLOAT_SPREAD, VERDICT_WARN);
	}
	if (all.n)
		finding_sum(q, CHECK_FLOAT_SPREAD,
			"mean standard deviation within a string %.3f V",
			sums_mean(&all));
	else
		finding_raise(q, CHECK_FLOAT_SPREAD, VERDICT_OPEN);
}

static double sd_x(const struct pair_sums *p)
{
	const struct sums s = {p->n, p->x, p->xx};
	return sums_sd(&s);
}

static double sd_y(const struct pair_sums *p)
{
	const struct sums s = {p->n, p->y, p->yy};
	return sums_sd(&s);
}

static void judge_voltage_soc(struct quality *q, const struct fleet_facts *f)
{
	const struct pair_sums *p = &f->voltage_soc;
	double r = pair_correlation(p);
	q->checks[CHECK_VOLTAGE_SOC].checked = p->n;
	if (p->n < POINTS_LEAST || isnan(r) || sd_x(p) < SOC_SD_PCT) {
		finding_raise(q, CHECK_VOLTAGE_SOC, VERDICT_OPEN);
		finding_sum(q, CHECK_VOLTAGE_SOC,
			"too few samples off charge with a state of charge that varies "
			"(%lld strings' samples off float)",
			(long long)f->off_float_samples);
		return;
	}
	finding_sum(q, CHECK_VOLTAGE_SOC, "correlation %.2f", r);
	if (r < VOLTAGE_SOC_PASS)
		finding_raise(q, CHECK_VOLTAGE_SOC,
			r < VOLTAGE_SOC_FAIL ? VERDICT_FAIL : VERDICT_WARN);
}

/* A correlation across batteries that must not be clearly negative. */
static void judge_contrary(struct quality *q, enum check_id id,
	const struct pair_sums *p, bool varied, const char *what)
{
	double r = pair_correlation(p);
	if (p->n < BATTERIES_LEAST || !varied || isnan(r)) {
		if (q->checks[id].found == 0)
			finding_raise(q, id, VERDICT_OPEN);
		finding_sum(q, id,
			"%s: too few batteries (%lld), or they are too alike", what,
			(long long)p->n);
		return;
	}
	finding_sum(q, id, "%s: correlation %.2f over %lld batteries", what, r,
		(long long)p->n);
	if (r < CONTRARY_WARN)
		finding_raise(q, id, r < CONTRARY_FAIL ? VERDICT_FAIL : VERDICT_WARN);
}

static void judge_ageing(struct quality *q, const struct fleet_facts *f)
{
	struct pair_sums warm = {0}, worn = {0};
	for (size_t i = 0; i < f->nbatteries; i++) {
		const struct battery *b = &f->batteries[i];
		double lost = 100 - sums_mean(&b->soh_pct);
		double years = b->installed == TIME_NIL || b->first == TIME_NIL
				       ? NAN
				       : (double)(b->first - b->installed) / YEAR_MS;
		if (years > 0.5 && lost < 50) /* the failed tell of no ageing */
			pair_add(&warm, sums_mean(&b->temperature_c), lost / years);
		if (lost < 50)
			pair_add(&worn, lost,
				sums_mean(&b->resistance_mohm) / b->initial_mohm);
	}
	q->checks[CHECK_TEMPERATURE].checked = warm.n;
	judge_contrary(q, CHECK_TEMPERATURE, &warm, sd_x(&warm) >= TEMPERATURE_SD_K,
		"temperature and loss a year");
	finding_by_share(q, CHECK_RESISTANCE, 0, 0.01);
	judge_contrary(q, CHECK_RESISTANCE, &worn,
		sd_x(&worn) >= SOH_SD_PCT && sd_y(&worn) > 0,
		"loss and resistance over its beginning");
}

static void judge_health(struct quality *q, const struct fleet_facts *f)
{
	int64_t known = 0, rises = 0, far = 0, collapsed = 0, unbalanced = 0;
	for (size_t i = 0; i < f->nbatteries; i++) {
		const struct battery *b = &f->batteries[i];
		known += b->soh_pct.n > 0;
		rises += b->rises;
		far += b->rises_far;
		collapsed += b->collapsed;
		unbalanced += b->unbalanced;
	}
	q->checks[CHECK_SOH].checked = known;
	finding_sum(q, CHECK_SOH,
		"%lld of %lld batteries rise, %lld by more than 5 %%; %lld lose more "
		"than "
		"10 %% within a day",
		(long long)rises, (long long)known, (long long)far,
		(long long)collapsed);
	if (known == 0)
		finding_raise(q, CHECK_SOH, VERDICT_OPEN);
	if (rises)
		finding_raise(
			q, CHECK_SOH, far * 20 > known ? VERDICT_FAIL : VERDICT_WARN);
	/* one battery may fail hard at any time; a twentieth of them does not */
	if (collapsed > 1 && collapsed * 20 > known)
		finding_raise(q, CHECK_SOH, VERDICT_FAIL);
	finding_sum(q, CHECK_CHARGE, "%lld batteries contradict their current",
		(long long)unbalanced);
	if (q->checks[CHECK_CHARGE].checked == 0)
		finding_raise(q, CHECK_CHARGE, VERDICT_OPEN);
	if (unbalanced)
		finding_raise(q, CHECK_CHARGE,
			unbalanced * 20 > known ? VERDICT_FAIL : VERDICT_WARN);
}

static void judge_coverage(struct quality *q, const struct fleet_facts *f)
{
	int64_t silent = 0;
	for (size_t i = 0; i < f->nbatteries; i++) {
		const struct battery *b = &f->batteries[i];
		if (b->replaced || b->first != TIME_NIL)
			continue;
		silent++;
		finding(q, CHECK_FLEET, "battery.csv", b->line, "%s was never sampled",
			b->code);
		finding_raise(q, CHECK_FLEET, VERDICT_WARN);
	}
	finding_sum(q, CHECK_FLEET, "%zu strings, %zu batteries, %lld never sampled",
		f->nstrings, f->nbatteries, (long long)silent);
}

/* What has no row to look at cannot be judged. */
static void judge_empty(struct quality *q, enum check_id id)
{
	if (q->checks[id].checked == 0)
		finding_raise(q, id, VERDICT_OPEN);
}

void judge(struct quality *q, struct fleet_facts *f)
{
	finding_by_share(q, CHECK_ROWS, 0, 0.001);
	finding_by_share(q, CHECK_CELLS, 0, 0.001);
	finding_by_share(q, CHECK_RANGES, 0, 0.001);
	finding_by_share(q, CHECK_REFERENCES, 0, 0);
	finding_by_share(q, CHECK_DATES, 0, 0.01);
	finding_by_share(q, CHECK_ORDER, 0, 0.001);
	finding_by_share(q, CHECK_GAPS, 0.02, 0.1);
	finding_by_share(q, CHECK_SIGN, 0.05, 0.2);
	finding_by_share(q, CHECK_STRING_SUM, 0.01, 0.05);
	finding_by_share(q, CHECK_TESTS, 0, 0.1);
	finding_by_share(q, CHECK_REPLACEMENTS, 0, 0.1);
	finding_by_share(q, CHECK_PREDICTIONS, 0, 0.01);
	judge_coverage(q, f);
	judge_float_voltage(q, f);
	judge_float_current(q, f);
	judge_spread(q, f);
	judge_voltage_soc(q, f);
	judge_health(q, f);
	judge_ageing(q, f);
	for (enum check_id id = 0; id < CHECKS; id++)
		judge_empty(q, id);
}
