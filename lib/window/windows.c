#include "window/windows.h"

#include "base/parse.h"
#include "window/feature.h"
#include "window/windows_state.h"

#include <math.h>

/* The current of a string stands for its jars this long. */
#define CURRENT_AGE_MS (5 * MINUTE_MS)

#define BAD_ALL                                                                        \
	(BIT(quality_sentinel) | BIT(quality_stuck) | BIT(quality_duplicate) |         \
		BIT(quality_time_backwards))

_Static_assert(TIMELINE_BYTES_MAX + sizeof(struct battery_slot) +
			       sizeof(struct roster_battery) <=
		       12 * 1024,
	"all that is kept of a battery but its code");

static bool window_known(int64_t h)
{
	return (h >= 1 && h <= HOURLY_PANES) || h == 168 || h == 720;
}

int windows_parse(struct windows_config *c, const char *list, struct err *err)
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
		if (n == WINDOW_LENGTHS_MAX)
			return err_set(err, ERR_USAGE,
				"windows '%s': more than %d windows", list,
				WINDOW_LENGTHS_MAX);
		c->windows_h[n++] = (int)h;
		if (p[len] == '\0')
			break;
		p += len + 1;
	}
	if (n < WINDOW_LENGTHS_MAX)
		c->windows_h[n] = 0;
	return 0;
}

/* Batteries usually come in the same turn: try the one after the last before hashing.
 */
static uint32_t battery_number(struct windows *w, struct str code)
{
	const struct ids *ids = &w->roster.battery_ids;
	uint32_t guess = w->at + 1 < ids->n ? w->at + 1 : 0;
	if (guess < ids->n && ids->lens[guess] == code.len &&
		memcmp(ids->names[guess], code.s, code.len) == 0)
		return guess;
	return roster_battery(&w->roster, code);
}

static void look_up_band(struct windows *w, struct timeline *s, uint32_t id)
{
	const struct roster_model *m =
		roster_model(&w->roster, w->roster.batteries[id].model);
	s->band = (struct band){NAN, NAN, NAN};
	if (m)
		s->band = (struct band){m->float_min_v, m->float_max_v, m->capacity_ah};
	s->band_epoch = w->epoch;
}

/* A value as it came, unless its sample's quality doubts it. */
static float undoubted(float x, bool doubted)
{
	return doubted ? INFINITY : x;
}

static struct sample make_sample(const struct rec_telemetry *t)
{
	int q = t->quality;
	bool bad = q & BAD_ALL;
	return (struct sample){
		.ts = t->ts,
		.mode = t->mode,
		.voltage_v =
			undoubted(t->voltage_v, bad || q & BIT(quality_voltage_range)),
		.temperature_c = undoubted(
			t->temperature_c, bad || q & BIT(quality_temperature_range)),
		.current_a =
			undoubted(t->current_a, bad || q & BIT(quality_current_range)),
		.resistance_mohm = undoubted(
			t->resistance_mohm, bad || q & BIT(quality_resistance_range)),
	};
}

static void share_voltage(struct windows *w, uint32_t id, const struct sample *x, int n)
{
	struct string_slot *s = w->strings[w->roster.batteries[id].string];
	if (voltage_usable(x->voltage_v))
		means_add(&s->voltage, x->ts,
			fixed_point((double)x->voltage_v, PANE_V_UNITS),
			w->batteries[id].jar, n);
}

/* Hook: a sample without a current or mode takes its string's. */
static void fill_sample(void *arg, struct timeline *timeline, struct sample *x)
{
	struct windows *w = arg;
	bool mode = mode_usable((int)x->mode);
	/* A sample that is bad as a whole stays so: it must not look covered. */
	if ((current_usable(x->current_a) && mode) || !sample_usable(x))
		return;
	struct string_slot *s = w->strings[w->who->string];
	const struct past *p = history_at(&s->current, x->ts, CURRENT_AGE_MS);
	if (!p)
		return;
	if (!current_usable(x->current_a))
		x->current_a = p->value;
	if (!mode)
		x->mode = p->mode;
}

/* Hook: an hour is complete; gives out the windows that end with it. */
static void close_windows(void *arg, struct timeline *timeline, int32_t end_hour)
{
	struct windows *w = arg;
	struct string_slot *s = w->strings[w->who->string];
	struct feature_input in = {.timeline = timeline,
		.config = &w->timeline,
		.battery = w->who,
		.string_voltage = &s->voltage,
		.ripple = &s->ripple,
		.thd = &s->thd,
		.float_current = &s->float_current,
		.room = w->rooms[s->site],
		.own_tests = &w->batteries[w->at].tests,
		.string_tests = &s->tests,
		.end_hour = end_hour};
	struct rec_feature out;
	bool midnight = end_hour % 24 == 0;
	float sag = feature_sag(&in);
	if (!isnan(sag))
		timeline->sag_v = sag;
	if (end_hour % w->config.every_h != 0 || end_hour * HOUR_MS > TIME_MAX)
		return;
	for (int i = 0; i < WINDOW_LENGTHS_MAX && w->config.windows_h[i]; i++) {
		in.window_h = w->config.windows_h[i];
		if ((in.window_h > HOURLY_PANES && !midnight) ||
			!feature_fill(&in, &out))
			continue;
		out.battery = str_of(ids_name(&w->roster.battery_ids, w->at));
		out.unit = w->who->unit;
		w->config.emit(w->config.arg, &out);
	}
}

/* Hook: the ring was too small for the lateness. */
static void count_early(void *arg)
{
	struct windows *w = arg;
	w->early++;
}

static struct timeline_hooks hooks_for(
	struct windows *w, uint32_t id, const struct roster_battery *who)
{
	w->at = id;
	w->who = who;
	return (struct timeline_hooks){w, fill_sample, close_windows, count_early};
}

static enum windows_verdict add_telemetry(
	struct windows *w, const struct rec_telemetry *t)
{
	uint32_t id = battery_number(w, t->battery);
	struct battery_slot *b = id == IDS_NONE ? NULL : windows_battery(w, id);
	if (!b)
		return WINDOWS_NO_MEMORY;
	struct timeline *s = b->timeline;
	struct timeline_hooks hooks = hooks_for(w, id, &w->roster.batteries[id]);
	if (b->renewed && t->ts < w->roster.batteries[id].replaced)
		return WINDOWS_UNIT;
	if (!witness_believe(&w->witness, WITNESS_BATTERY, id, t->ts, timeline_step(s)))
		return WINDOWS_CLOCK;
	if (s->band_epoch != w->epoch)
		look_up_band(w, s, id);
	struct sample x = make_sample(t), other;
	enum timeline_verdict v = timeline_add(s, &w->timeline, &hooks, &x, &other);
	if (v == TIMELINE_LATE)
		return WINDOWS_LATE;
	if (v == TIMELINE_DUPLICATE)
		return timeline_same(&x, &other) ? WINDOWS_DUPLICATE : WINDOWS_CONFLICT;
	if (v == TIMELINE_REPLACED)
		share_voltage(w, id, &other, -1);
	share_voltage(w, id, &x, 1);
	return v == TIMELINE_REPLACED ? WINDOWS_CONFLICT : WINDOWS_USED;
}

static enum windows_verdict from_history(enum history_verdict v)
{
	return v == HISTORY_NEW         ? WINDOWS_USED
	       : v == HISTORY_LATE      ? WINDOWS_LATE
	       : v == HISTORY_DUPLICATE ? WINDOWS_DUPLICATE
					: WINDOWS_NO_MEMORY;
}

static void add_mean(struct means *m, int64_t ts, float x, double units)
{
	if (fabsf(x) < 1e6f)
		means_add(m, ts, fixed_point((double)x, units), 0, 1);
}

static enum windows_verdict add_string(
	struct windows *w, const struct rec_string_telemetry *t)
{
	uint32_t id = roster_string(&w->roster, t->string);
	struct string_slot *s = id == IDS_NONE ? NULL : windows_string(w, id);
	if (!s)
		return WINDOWS_NO_MEMORY;
	if (!witness_believe(&w->witness, WITNESS_STRING, id, t->ts, s->current.step))
		return WINDOWS_CLOCK;
	bool bad = t->quality & BAD_ALL;
	bool no_current = bad || t->quality & BIT(quality_current_range);
	struct past p = {t->ts, t->mode, no_current ? NAN : t->current_a};
	enum history_verdict v = history_add(
		&s->current, &p, w->config.lateness_ms, w->config.max_gap_ms);
	if (v == HISTORY_NEW && !bad) {
		add_mean(&s->ripple, t->ts, t->ripple_voltage_rms_v, PANE_V_UNITS);
		add_mean(&s->thd, t->ts, t->thd_pct, PANE_T_UNITS);
	}
	if (v == HISTORY_NEW && !no_current && t->mode == mode_float)
		add_mean(
			&s->float_current, t->ts, t->float_current_a, PANE_FLOAT_UNITS);
	return from_history(v);
}

static enum windows_verdict add_environment(
	struct windows *w, const struct rec_environment *e)
{
	struct sensor_slot *s = windows_sensor(w, e->sensor, STR_NIL);
	if (!s)
		return WINDOWS_NO_MEMORY;
	uint32_t id = (uint32_t)(s - w->sensors);
	if (!witness_believe(&w->witness, WITNESS_SENSOR, id, e->ts, s->seen.step))
		return WINDOWS_CLOCK;
	struct past p = {e->ts, ENUM_NIL, e->temperature_c};
	enum history_verdict v = history_add(&s->seen, &p, w->config.lateness_ms, 0);
	if (v == HISTORY_NEW && temperature_usable(e->temperature_c))
		add_mean(w->rooms[s->site], e->ts, e->temperature_c, PANE_T_UNITS);
	return from_history(v);
}

/* A capacity test of a battery or of a string. */
static enum windows_verdict add_test(
	struct windows *w, const struct rec_capacity_test *t)
{
	struct tests *tests = NULL;
	bool jar = code_split(t->subject).jar.s ||
		   ids_find(&w->roster.battery_ids, t->subject) != IDS_NONE;
	if (!(t->pct_of_rated > 0 && t->pct_of_rated < 1000))
		return WINDOWS_USED; /* says nothing */
	uint32_t id = jar ? roster_battery(&w->roster, t->subject)
			  : roster_string(&w->roster, t->subject);
	if (id != IDS_NONE && jar) {
		struct battery_slot *b = windows_battery(w, id);
		tests = b ? &b->tests : NULL;
	} else if (id != IDS_NONE) {
		struct string_slot *s = windows_string(w, id);
		tests = s ? &s->tests : NULL;
	}
	if (!tests)
		return WINDOWS_NO_MEMORY;
	tests_add(tests, t->ts, t->pct_of_rated);
	return WINDOWS_USED;
}

/* The block at a position has changed: its windows end, new ones begin. */
static void renew(struct windows *w, uint32_t id, const struct roster_battery *before)
{
	if (id >= w->cap_batteries || !w->batteries[id].timeline)
		return;
	struct timeline_hooks hooks = hooks_for(w, id, before);
	struct battery_slot *b = &w->batteries[id];
	timeline_end(b->timeline, &w->timeline, &hooks);
	timeline_init(b->timeline, &w->timeline);
	b->renewed = true;
	tests_init(&b->tests);
}

/* The books put a battery we know into another string. Returns 0, or -1. */
static int move(struct windows *w, uint32_t id)
{
	if (id >= w->cap_batteries || !w->batteries[id].timeline)
		return 0;
	struct string_slot *s = windows_string(w, w->roster.batteries[id].string);
	if (!s)
		return -1;
	w->batteries[id].jar = s->jars++;
	return 0;
}

static enum windows_verdict learn(struct windows *w, int kind, const void *rec)
{
	struct roster_battery before = {.unit = 0};
	struct str subject = STR_NIL;
	uint32_t replaced;
	if (kind == KIND_battery)
		subject = ((const struct rec_battery *)rec)->code;
	else if (kind == KIND_event)
		subject = ((const struct rec_event *)rec)->subject;
	uint32_t id = ids_find(&w->roster.battery_ids, subject);
	if (id != IDS_NONE)
		before = w->roster.batteries[id];
	if (roster_learn(&w->roster, kind, rec, &replaced) < 0)
		return WINDOWS_NO_MEMORY;
	if (kind != KIND_event)
		w->epoch++;
	if (replaced != IDS_NONE && replaced == id)
		renew(w, id, &before);
	if (id != IDS_NONE && w->roster.batteries[id].string != before.string &&
		move(w, id) < 0)
		return WINDOWS_NO_MEMORY;
	return WINDOWS_USED;
}

bool windows_wants(int kind)
{
	return kind == KIND_telemetry || kind == KIND_string_telemetry ||
	       kind == KIND_environment || kind == KIND_sensor ||
	       kind == KIND_capacity_test || roster_wants(kind);
}

enum windows_verdict windows_add(struct windows *w, int kind, const void *rec)
{
	if (kind == KIND_telemetry)
		return add_telemetry(w, rec);
	if (kind == KIND_string_telemetry)
		return add_string(w, rec);
	if (kind == KIND_environment)
		return add_environment(w, rec);
	if (kind == KIND_capacity_test)
		return add_test(w, rec);
	if (kind == KIND_sensor) {
		const struct rec_sensor *s = rec;
		return windows_sensor(w, s->code, s->site) ? WINDOWS_USED
							   : WINDOWS_NO_MEMORY;
	}
	return learn(w, kind, rec);
}

const char *windows_reason(enum windows_verdict v)
{
	static const char *const REASONS[] = {
		[WINDOWS_USED] = NULL,
		[WINDOWS_LATE] = "later than the lateness allows",
		[WINDOWS_DUPLICATE] = "duplicate: already counted",
		[WINDOWS_CONFLICT] = "two samples of one time: the other values, or "
				     "these, were dropped",
		[WINDOWS_CLOCK] =
			"clock fault: over an hour ahead of all other sources, or a "
			"day ahead of the only one",
		[WINDOWS_UNIT] = "older than the replacement of the battery",
		[WINDOWS_NO_MEMORY] = "out of memory",
	};
	return REASONS[v];
}

void windows_end(struct windows *w)
{
	for (uint32_t id = 0; id < w->roster.battery_ids.n; id++) {
		if (id >= w->cap_batteries || !w->batteries[id].timeline)
			continue;
		struct timeline_hooks hooks =
			hooks_for(w, id, &w->roster.batteries[id]);
		timeline_end(w->batteries[id].timeline, &w->timeline, &hooks);
	}
}

size_t windows_batteries(const struct windows *w)
{
	return w->roster.battery_ids.n;
}

uint64_t windows_early(const struct windows *w)
{
	return w->early;
}

size_t windows_battery_bytes(const struct windows *w)
{
	return timeline_size(&w->timeline) + sizeof(struct battery_slot) +
	       sizeof(struct roster_battery);
}
