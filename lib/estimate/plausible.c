#include "estimate/plausible.h"
#include "estimate/circuit.h"

#include <math.h>
#include <stddef.h>

/* What a battery does is told from what it cannot by wide margins, all [E]. */
static const double RATE_STEP = 0.05, RATE_IDLE = 0.01; /* of C per hour */
static const double ANSWER_LEAST = 0.3;                 /* of what R0 and R1 give */
static const double STEP_LONGEST_S = 120;
static const double RUN_AH = 0.05, RUN_V_PER_CELL = 0.025; /* of C; against it */
static const double SAME_AH = 0.03;
static const double FALL_V_PER_CELL = 0.05, BACK_V_PER_CELL = 0.02;
static const double READ_TOGETHER_S =
	10; /* voltage and current, by loggers [M, BBOXX] */
enum { WRONG_STEPS = 3 };

static bool outside(double *v, double low, double high)
{
	if (isnan(*v) || (*v >= low && *v <= high))
		return false;
	*v = NAN;
	return true;
}

static unsigned limits(const struct battery_model *m, struct plausible_sample *s)
{
	bool bad = outside(&s->voltage_v, m->voltage_hard_min_v, m->voltage_hard_max_v);
	bad |= outside(&s->current_a, -m->current_max_a, m->current_max_a);
	bad |= outside(&s->temperature_c, m->temperature_min_c, m->temperature_max_c);
	bad |= outside(
		&s->resistance_mohm, m->resistance_min_mohm, m->resistance_max_mohm);
	return bad ? PLAUSIBLE_LIMITS : 0;
}

/* What a step of the current by delta does to the voltage within dt_s, at 25 degC. */
static double answer_v(const struct battery_model *m, double delta_a, double dt_s)
{
	return delta_a * m->r0_mohm * 1e-3 +
	       circuit_eta1_v(m, delta_a, 25) * (1 - exp(-dt_s / m->tau1_s));
}

static void watch_claim(struct plausible *c, const struct battery_model *m,
	const struct plausible_sample *s, double dt_s)
{
	double flowing = -RATE_STEP * m->capacity_ah, idle = RATE_IDLE * m->capacity_ah;
	if (!(s->current_a <= flowing)) {
		c->unanswered = false;
		return;
	}
	if (!c->unanswered && fabs(c->current_a) < idle && dt_s <= STEP_LONGEST_S) {
		c->unanswered = true;
		c->idle_v = c->voltage_v;
		c->since = c->ts;
	}
	double age_s = (double)(s->ts - c->since) / 1000;
	if (c->unanswered && s->voltage_v - c->idle_v <=
				     ANSWER_LEAST * answer_v(m, s->current_a, age_s))
		c->unanswered = false;
}

static void watch_steps(struct plausible *c, const struct battery_model *m,
	const struct plausible_sample *s, double dt_s)
{
	double delta_a = s->current_a - c->current_a,
	       delta_v = s->voltage_v - c->voltage_v;
	if (fabs(delta_a) < RATE_STEP * m->capacity_ah || dt_s > STEP_LONGEST_S)
		return;
	double expected = ANSWER_LEAST * answer_v(m, delta_a, dt_s);
	if (fabs(delta_v) < fabs(expected))
		return;
	if (delta_v * expected > 0)
		c->wrong_steps = 0;
	else if (c->wrong_steps < WRONG_STEPS)
		c->wrong_steps++;
	c->reversed = c->wrong_steps ? c->reversed : false;
	c->reversed |= c->wrong_steps == WRONG_STEPS;
}

/* A run of about one current: the voltage goes the way the charge goes. */
static void watch_run(struct plausible *c, const struct battery_model *m,
	const struct plausible_sample *s, double dt_s)
{
	double a = s->current_a;
	bool same = fabs(a - c->run_a) < 0.2 * fabs(c->run_a) && c->run_a != 0;
	if (!same) {
		/* It begins when the branches have settled: twice R1's time. */
		bool flows = fabs(a) >= RATE_STEP * m->capacity_ah;
		c->run_a = flows ? (float)a : 0;
		c->run_ah = 0;
		c->run_v = NAN;
		return;
	}
	double settled = 0.01 * m->capacity_ah;
	double before = fabs((double)c->run_ah);
	c->run_ah += (float)(a * dt_s / 3600);
	if (before < settled && fabs((double)c->run_ah) >= settled)
		c->run_v = (float)s->voltage_v;
	if (fabs((double)c->run_ah) < RUN_AH * m->capacity_ah || isnan(c->run_v))
		return;
	double along = (s->voltage_v - c->run_v) * (a > 0 ? 1 : -1);
	if (along < -RUN_V_PER_CELL * m->cells) {
		c->reversed = true;
		c->wrong_steps = WRONG_STEPS;
	}
}

/* The same voltage to the last bit while charge flows. */
static bool watch_stuck(struct plausible *c, const struct battery_model *m,
	const struct plausible_sample *s, double dt_s)
{
	double step_a = fabs(s->current_a - c->current_a);
	if ((float)s->voltage_v != c->voltage_v) {
		c->same_ah = 0;
		c->frozen = false;
	} else {
		if (s->current_a < 0)
			c->same_ah -= (float)(s->current_a * dt_s / 3600);
		/* A discharge that begins so is watch_claim's. */
		c->frozen |= step_a >= RATE_STEP * m->capacity_ah &&
			     dt_s >= READ_TOGETHER_S && !c->unanswered;
	}
	return c->frozen || c->same_ah > SAME_AH * m->capacity_ah;
}

/* A fall of the voltage as by a load, where no current is known. */
static void watch_unmeasured(struct plausible *c, const struct battery_model *m,
	const struct plausible_sample *s, double dt_s)
{
	double fall_v = (double)c->voltage_v - s->voltage_v;
	bool next = c->seen && dt_s > 0 && dt_s <= STEP_LONGEST_S;
	if (!isnan(s->current_a)) {
		c->unmeasured = false;
	} else if (!c->unmeasured && next && fall_v > FALL_V_PER_CELL * m->cells) {
		c->unmeasured = true;
		c->unanswered = false;
		c->idle_v = c->voltage_v;
	} else if (c->unmeasured &&
		   s->voltage_v > (double)c->idle_v - BACK_V_PER_CELL * m->cells) {
		c->unmeasured = false;
	}
}

static void forget_runs(struct plausible *c)
{
	c->unanswered = c->frozen = false;
	c->same_ah = c->run_a = c->run_ah = 0;
}

unsigned plausible_check(
	struct plausible *c, const struct battery_model *m, struct plausible_sample *s)
{
	unsigned faults = limits(m, s);
	if (isnan(s->voltage_v))
		return faults;
	double v = s->voltage_v, a = s->current_a;
	double dt_s = c->seen ? (double)(s->ts - c->ts) / 1000 : 0;
	watch_unmeasured(c, m, s, dt_s);
	faults |= c->unmeasured ? PLAUSIBLE_UNMEASURED : 0;
	bool known = !isnan(a) && !isnan(c->current_a);
	if (known && dt_s > 0 && dt_s < 3600) {
		watch_claim(c, m, s, dt_s);
		watch_steps(c, m, s, dt_s);
		watch_run(c, m, s, dt_s);
		faults |= watch_stuck(c, m, s, dt_s) ? PLAUSIBLE_STUCK : 0;
	} else if (!known || dt_s != 0 || !c->seen) {
		/* After a gap or a clock set back nothing hangs together. */
		forget_runs(c);
	}
	c->ts = s->ts;
	c->seen = true;
	c->voltage_v = (float)v;
	c->current_a = (float)a;
	if (faults & PLAUSIBLE_STUCK)
		s->voltage_v = NAN;
	if (c->reversed && !isnan(a)) {
		faults |= PLAUSIBLE_REVERSED;
		s->current_a = NAN;
	} else if (c->unanswered) {
		faults |= PLAUSIBLE_UNANSWERED;
		s->current_a = 0;
	}
	return faults;
}

const char *plausible_text(unsigned faults)
{
	if (faults & PLAUSIBLE_REVERSED)
		return "the voltage goes against the current, as if its sign were "
		       "reversed: current not used";
	if (faults & PLAUSIBLE_UNANSWERED)
		return "the voltage does not answer the current, as if it were a "
		       "set-point: current not used";
	if (faults & PLAUSIBLE_STUCK)
		return "the voltage stands still while current flows: voltage not used";
	if (faults & PLAUSIBLE_UNMEASURED)
		return "the voltage falls as under a load and no current is measured: "
		       "charge not counted";
	if (faults & PLAUSIBLE_LIMITS)
		return "a value is outside the limits of its battery model: not used";
	return NULL;
}
