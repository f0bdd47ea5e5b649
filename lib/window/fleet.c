#include "window/fleet.h"

#include "base/parse.h"
#include "window/feature.h"
#include "window/fleet_state.h"

#include <math.h>

/* The current of a string stands for its jars this long. */
#define CURRENT_AGE_MS (5 * MINUTE_MS)

#define BAD_ALL                                                                        \
	(BIT(quality_sentinel) | BIT(quality_stuck) | BIT(quality_duplicate) |         \
		BIT(quality_time_backwards))

static bool window_known(int64_t h)
{
	return (h >= 1 && h <= HOURLY_PANES) || h == 168 || h == 720;
}

int fleet_windows(struct fleet_config *c, const char *list, struct err *err)
{
	int n = 0;
	for (const char *p = list;;) {
		size_t len = strcspn(p, ",");
		int64_t h;
		if (parse_i64((struct str){p, (uint32_t)len}, 1, 720, &h) < 0 ||
			!window_known(h))
			return err_set(err, ERR_USAGE,
				"windows '%s': expected hours, 1 to 24, 168 or 720, "
				"separated by commas",
				list);
		for (int i = 0; i < n; i++)
			if (c->windows_h[i] == h)
				return err_set(err, ERR_USAGE,
					"windows '%s': %d is named twice", list,
					(int)h);
		if (n == WINDOWS_MAX)
			return err_set(err, ERR_USAGE,
				"windows '%s': more than %d windows", list,
				WINDOWS_MAX);
		c->windows_h[n++] = (int)h;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	if (n < WINDOWS_MAX)
		c->windows_h[n] = 0;
	return 0;
}

/* Batteries usually come in the same turn: try the one after the last before hashing.
 */
static uint32_t battery_number(struct fleet *f, struct str code)
{
	const struct ids *ids = &f->roster.battery_ids;
	uint32_t guess = f->at + 1 < ids->n ? f->at + 1 : 0;
	if (guess < ids->n && ids->lens[guess] == code.len &&
		memcmp(ids->names[guess], code.s, code.len) == 0)
		return guess;
	return roster_battery(&f->roster, code);
}

static void look_up_band(struct fleet *f, struct series *s, uint32_t id)
{
	const struct roster_model *m =
		roster_model(&f->roster, f->roster.batteries[id].model);
	s->band = (struct band){NAN, NAN, NAN};
	if (m)
		s->band = (struct band){m->float_min_v, m->float_max_v, m->capacity_ah};
	s->band_epoch = f->epoch;
}

static struct sample make_sample(const struct rec_telemetry *t)
{
	int q = t->quality;
	bool bad = q & BAD_ALL;
	return (struct sample){
		.ts = t->ts,
		.mode = t->mode,
		.voltage_v = bad || q & BIT(quality_voltage_range) ? NAN : t->voltage_v,
		.temperature_c = bad || q & BIT(quality_temperature_range)
					 ? NAN
					 : t->temperature_c,
		.current_a = bad || q & BIT(quality_current_range) ? NAN : t->current_a,
		.resistance_mohm = bad || q & BIT(quality_resistance_range)
					   ? NAN
					   : t->resistance_mohm,
	};
}

static void share_voltage(struct fleet *f, uint32_t id, const struct sample *x, int n)
{
	struct string_slot *s = f->strings[f->roster.batteries[id].string];
	if (voltage_usable(x->voltage_v))
		means_add(&s->voltage, x->ts,
			fixed_point((double)x->voltage_v, PANE_V_UNITS),
			f->batteries[id].jar, n);
}

/* Hook: a sample without a current or mode takes its string's. */
static void fill_sample(void *arg, struct series *series, struct sample *x)
{
	struct fleet *f = arg;
	bool mode = x->mode != ENUM_NIL && x->mode != mode_unknown;
	/* A sample that is bad as a whole stays so: it must not look covered. */
	if ((current_usable(x->current_a) && mode) || !sample_usable(x))
		return;
	struct string_slot *s = f->strings[f->who->string];
	const struct past *p = history_at(&s->current, x->ts, CURRENT_AGE_MS);
	if (!p)
		return;
	if (isnan(x->current_a))
		x->current_a = p->value;
	if (!mode)
		x->mode = p->mode;
}

/* Hook: an hour is complete; gives out the windows that end with it. */
static void close_windows(void *arg, struct series *series, int32_t end_hour)
{
	struct fleet *f = arg;
	struct string_slot *s = f->strings[f->who->string];
	struct feature_input in = {series, f->who, &s->voltage, &s->ripple, &s->thd,
		f->rooms[s->site], end_hour, 0};
	struct rec_feature out;
	bool midnight = end_hour % 24 == 0;
	if (end_hour % f->config.every_h != 0)
		return;
	for (int i = 0; i < WINDOWS_MAX && f->config.windows_h[i]; i++) {
		in.window_h = f->config.windows_h[i];
		if ((in.window_h > HOURLY_PANES && !midnight) ||
			!feature_fill(&in, &out))
			continue;
		out.battery = str_of(ids_name(&f->roster.battery_ids, f->at));
		out.unit = f->who->unit;
		f->config.emit(f->config.arg, &out);
	}
}

static struct series_hooks hooks_for(
	struct fleet *f, uint32_t id, const struct roster_battery *who)
{
	f->at = id;
	f->who = who;
	return (struct series_hooks){f, fill_sample, close_windows};
}

static enum fleet_verdict add_telemetry(struct fleet *f, const struct rec_telemetry *t)
{
	uint32_t id = battery_number(f, t->battery);
	struct battery_slot *b = id == IDS_NONE ? NULL : fleet_battery(f, id);
	if (!b)
		return FLEET_NO_MEMORY;
	struct series *s = b->series;
	struct series_hooks hooks = hooks_for(f, id, &f->roster.batteries[id]);
	if (t->ts < b->since)
		return FLEET_UNIT;
	if (!witness_believe(&f->witness, WITNESS_BATTERY, id, t->ts, series_step(s)))
		return FLEET_CLOCK;
	if (s->band_epoch != f->epoch)
		look_up_band(f, s, id);
	struct sample x = make_sample(t), other;
	enum series_verdict v = series_add(s, &f->series, &hooks, &x, &other);
	if (v == SERIES_LATE)
		return FLEET_LATE;
	if (v == SERIES_DUPLICATE)
		return series_same(&x, &other) ? FLEET_DUPLICATE : FLEET_CONFLICT;
	if (v == SERIES_REPLACED)
		share_voltage(f, id, &other, -1);
	share_voltage(f, id, &x, 1);
	return v == SERIES_REPLACED ? FLEET_CONFLICT : FLEET_USED;
}

static enum fleet_verdict from_history(enum history_verdict v)
{
	return v == HISTORY_NEW         ? FLEET_USED
	       : v == HISTORY_LATE      ? FLEET_LATE
	       : v == HISTORY_DUPLICATE ? FLEET_DUPLICATE
					: FLEET_NO_MEMORY;
}

static void add_mean(struct means *m, int64_t ts, float x, double units)
{
	if (fabsf(x) < 1e6f)
		means_add(m, ts, fixed_point((double)x, units), 0, 1);
}

static enum fleet_verdict add_string(
	struct fleet *f, const struct rec_string_telemetry *t)
{
	uint32_t id = roster_string(&f->roster, t->string);
	struct string_slot *s = id == IDS_NONE ? NULL : fleet_string(f, id);
	if (!s)
		return FLEET_NO_MEMORY;
	if (!witness_believe(&f->witness, WITNESS_STRING, id, t->ts, s->current.step))
		return FLEET_CLOCK;
	bool bad = t->quality & BAD_ALL;
	bool no_current = bad || t->quality & BIT(quality_current_range);
	struct past p = {t->ts, t->mode, no_current ? NAN : t->current_a};
	enum history_verdict v = history_add(&s->current, &p, f->config.lateness_ms);
	if (v == HISTORY_NEW && !bad) {
		add_mean(&s->ripple, t->ts, t->ripple_voltage_rms_v, PANE_V_UNITS);
		add_mean(&s->thd, t->ts, t->thd_pct, PANE_T_UNITS);
	}
	return from_history(v);
}

static enum fleet_verdict add_environment(
	struct fleet *f, const struct rec_environment *e)
{
	struct sensor_slot *s = fleet_sensor(f, e->sensor, STR_NIL);
	if (!s)
		return FLEET_NO_MEMORY;
	uint32_t id = (uint32_t)(s - f->sensors);
	if (!witness_believe(&f->witness, WITNESS_SENSOR, id, e->ts, s->seen.step))
		return FLEET_CLOCK;
	struct past p = {e->ts, ENUM_NIL, e->temperature_c};
	enum history_verdict v = history_add(&s->seen, &p, f->config.lateness_ms);
	if (v == HISTORY_NEW)
		add_mean(f->rooms[s->site], e->ts, e->temperature_c, PANE_T_UNITS);
	return from_history(v);
}

/* The block at a position has changed: its windows end, new ones begin. */
static void renew(struct fleet *f, uint32_t id, const struct roster_battery *before)
{
	if (id >= f->cap_batteries || !f->batteries[id].series)
		return;
	struct series_hooks hooks = hooks_for(f, id, before);
	struct battery_slot *b = &f->batteries[id];
	series_end(b->series, &f->series, &hooks);
	series_init(b->series, &f->series);
	b->since = f->roster.batteries[id].replaced;
}

static enum fleet_verdict learn(struct fleet *f, int kind, const void *rec)
{
	struct roster_battery before = {.unit = 0};
	struct str subject = STR_NIL;
	uint32_t replaced;
	if (kind == KIND_battery)
		subject = ((const struct rec_battery *)rec)->code;
	else if (kind == KIND_event)
		subject = ((const struct rec_event *)rec)->subject;
	uint32_t id = ids_find(&f->roster.battery_ids, subject);
	if (id != IDS_NONE)
		before = f->roster.batteries[id];
	if (roster_learn(&f->roster, kind, rec, &replaced) < 0)
		return FLEET_NO_MEMORY;
	if (kind != KIND_event)
		f->epoch++;
	if (replaced != IDS_NONE && replaced == id)
		renew(f, id, &before);
	return FLEET_USED;
}

bool fleet_wants(int kind)
{
	return kind == KIND_telemetry || kind == KIND_string_telemetry ||
	       kind == KIND_environment || kind == KIND_sensor || roster_wants(kind);
}

enum fleet_verdict fleet_add(struct fleet *f, int kind, const void *rec)
{
	if (kind == KIND_telemetry)
		return add_telemetry(f, rec);
	if (kind == KIND_string_telemetry)
		return add_string(f, rec);
	if (kind == KIND_environment)
		return add_environment(f, rec);
	if (kind == KIND_sensor) {
		const struct rec_sensor *s = rec;
		return fleet_sensor(f, s->code, s->site) ? FLEET_USED : FLEET_NO_MEMORY;
	}
	return learn(f, kind, rec);
}

const char *fleet_reason(enum fleet_verdict v)
{
	static const char *const REASONS[] = {
		[FLEET_USED] = NULL,
		[FLEET_LATE] = "later than the lateness allows",
		[FLEET_DUPLICATE] = "duplicate: already counted",
		[FLEET_CONFLICT] = "two samples of one time: the other values, or "
				   "these, were dropped",
		[FLEET_CLOCK] = "clock fault: over an hour ahead of all other sources",
		[FLEET_UNIT] = "older than the replacement of the battery",
		[FLEET_NO_MEMORY] = "out of memory",
	};
	return REASONS[v];
}

void fleet_end(struct fleet *f)
{
	for (uint32_t id = 0; id < f->roster.battery_ids.n; id++) {
		if (id >= f->cap_batteries || !f->batteries[id].series)
			continue;
		struct series_hooks hooks = hooks_for(f, id, &f->roster.batteries[id]);
		series_end(f->batteries[id].series, &f->series, &hooks);
	}
}

size_t fleet_batteries(const struct fleet *f)
{
	return f->roster.battery_ids.n;
}

size_t fleet_battery_bytes(const struct fleet *f)
{
	return series_size(&f->series) + sizeof(struct battery_slot) +
	       sizeof(struct roster_battery);
}
