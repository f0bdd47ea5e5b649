#include "site/plant.h"

#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Plastics soften and valves stay open: the end of thermal runaway [E]. */
static const double RUNAWAY_C = 80;
static const int64_t SITE_STREAM = 1000000007; /* apart from the streams of blocks */

struct happening *plant_happens(struct plant *p, int64_t ts, int what, int64_t site,
	const struct plant_string *s)
{
	if (p->nhappenings == p->cap_happenings) {
		size_t cap = p->cap_happenings ? 2 * p->cap_happenings : 64;
		void *more = realloc(p->happenings, cap * sizeof(*p->happenings));
		if (!more) {
			p->failed = true;
			return &p->lost;
		}
		p->happenings = more;
		p->cap_happenings = cap;
	}
	struct happening *h = &p->happenings[p->nhappenings];
	*h = (struct happening){.ts = ts,
		.start = ts,
		.end_ts = TIME_NIL,
		.what = what,
		.site = site,
		.string = s,
		.jar = -1,
		.value = NAN,
		.order = p->nhappenings++};
	return h;
}

double plant_design_load_a(const struct plant *p, int system)
{
	/* Rectifiers carry less: 40 % of C for one hour and more, UPS 60 % [E]. */
	bool ups = strncmp(p->fleet->systems[system], "UPS", 3) == 0;
	return p->model->capacity_ah * (ups ? 0.6 : 0.4);
}

static void build_site(struct plant *p, int64_t i, int64_t start)
{
	struct plant_site *s = &p->sites[i];
	char code[FLEET_NAME_MAX];
	s->plan = fleet_site(p->fleet, i, code);
	str_copy(s->code, sizeof(s->code), str_of(code));
	s->key = rng_key(rng_key(p->seed, (uint64_t)SITE_STREAM), (uint64_t)i);
	s->utc_offset_ms = (int64_t)(p->fleet->utc_offset_h * (double)HOUR_MS);
	s->commissioned =
		(start - (int64_t)(FLEET_OLDEST_YEARS * 365.25 + 100) * DAY_MS) /
		DAY_MS * DAY_MS;
	s->day = INT64_MIN;
	weather_init(&s->weather, s->plan->climate, rng_key(s->key, 1),
		p->fleet->utc_offset_h);
	room_init(&s->room, rng_key(s->key, 2), start);
	s->outdoors = weather_at(&s->weather, start);
	s->used = true;
}

/* Of a string the book dates, the oldest block is as old. Others are as old as the
 * fleet file says, or any age it allows. */
static int64_t string_installed(const struct plant *p, const struct plant_string *s,
	const struct fleet_jar *book, int64_t start)
{
	int64_t oldest = INT64_MAX;
	for (int i = 0; book && i < s->series.n; i++)
		if (book[i].installed != TIME_NIL && book[i].installed < oldest)
			oldest = book[i].installed;
	if (oldest < start)
		return oldest;
	double years = fleet_age_years(p->fleet, s->code);
	if (isnan(years))
		years = p->fleet->oldest_years * rng_uniform(s->key, 1);
	return (start - (int64_t)(years * 365.25) * DAY_MS) / DAY_MS * DAY_MS;
}

static int build_string(struct plant *p, struct plant_string *s,
	const struct fleet_string *plan, int64_t number, int64_t start)
{
	const struct fleet_book *b = &p->fleet->book;
	const struct fleet_jar *book = b->nstrings ? b->jars + plan->first : NULL;
	int n = plan->jars;

	s->number = number;
	s->site = plan->site;
	s->first = plan->first;
	s->system = plan->system;
	s->position = plan->position;
	s->key = rng_key(rng_key(p->seed, 2 * (uint64_t)SITE_STREAM), (uint64_t)number);
	str_copy(s->code, sizeof(s->code), str_of(plan->code));
	s->jars = calloc((size_t)n, sizeof(*s->jars));
	s->blocks = calloc((size_t)n, sizeof(*s->blocks));
	if (!s->jars || !s->blocks)
		return -1;
	s->series =
		(struct battery_series){.model = p->model, .blocks = s->blocks, .n = n};
	s->installed = string_installed(p, s, book, start);
	s->last_capacity_test = TIME_NIL;
	s->day = INT64_MIN;
	charger_init(&s->charger, start);
	for (int i = 0; i < n; i++) {
		s->jars[i].key = rng_key(p->seed, (uint64_t)(s->first + i));
		s->jars[i].book = book ? book + i : NULL;
		unit_history(p, s, i, start);
	}
	double room = p->sites[s->site].room.temperature_c;
	battery_series_settle(
		&s->series, n * battery_float_v(p->model, room + 1), room);
	return 0;
}

static int build(
	struct plant *p, int64_t njars, int64_t start, plant_choice *keep, void *user)
{
	const struct fleet *f = p->fleet;
	int64_t all = fleet_strings(f, njars);
	struct fleet_string plan;

	fleet_string(f, all - 1, &plan);
	p->nsites = plan.site + 1;
	p->sites = calloc((size_t)p->nsites, sizeof(*p->sites));
	p->strings = calloc((size_t)all, sizeof(*p->strings));
	if (!p->sites || !p->strings)
		return -1;
	for (int64_t i = 0; i < all; i++) {
		struct plant_string *s = &p->strings[p->nstrings];
		*s = (struct plant_string){0};
		fleet_string(f, i, &plan);
		if (keep && !keep(plan.code, plan.site, i, user))
			continue;
		if (!p->sites[plan.site].used)
			build_site(p, plan.site, start);
		p->nstrings++;
		if (build_string(p, s, &plan, i, start) < 0)
			return -1;
	}
	return 0;
}

struct plant *plant_new(const struct fleet *f, const struct battery_model *m,
	uint64_t seed, int64_t njars, int64_t start, plant_choice *keep, void *user,
	struct err *err)
{
	if (!f->book.nstrings && f->jars_per_string > SERIES_MAX) {
		err_set(err, ERR_USAGE, "more than %d jars in a string", SERIES_MAX);
		return NULL;
	}
	if (fleet_fits(f, m->capacity_ah, err) < 0)
		return NULL;
	struct plant *p = calloc(1, sizeof(*p));
	if (!p) {
		err_nomem(err);
		return NULL;
	}
	p->fleet = f;
	p->model = m;
	p->seed = rng_mix(seed + 1);
	p->njars = njars;
	p->now = start;
	p->required_autonomy_min = 30;
	if (build(p, njars, start, keep, user) < 0) {
		plant_free(p);
		err_nomem(err);
		return NULL;
	}
	return p;
}

void plant_free(struct plant *p)
{
	if (!p)
		return;
	for (int64_t i = 0; p->strings && i < p->nstrings; i++) {
		free(p->strings[i].jars);
		free(p->strings[i].blocks);
	}
	for (int64_t i = 0; p->sites && i < p->nsites; i++)
		free(p->sites[i].path);
	free(p->strings);
	free(p->sites);
	free(p->happenings);
	stage_release(p);
	free(p);
}

static void site_event(struct plant *p, struct plant_site *s, int64_t start,
	int64_t end, enum event_type_names type, double value, const char *note)
{
	struct happening *h = plant_happens(
		p, end == TIME_NIL ? start : end, HAPPENS_EVENT, s - p->sites, NULL);
	h->start = start;
	h->type = type;
	h->status = end == TIME_NIL ? event_status_in_progress : event_status_completed;
	h->end_ts = end;
	h->value = value;
	snprintf(h->note, sizeof(h->note), "%s", note);
}

static void report_outages(struct plant *p, struct plant_site *s, int64_t to)
{
	for (; s->outages_begun < s->noutages; s->outages_begun++) {
		const struct outage *o = &s->outages[s->outages_begun];
		if (o->start > to)
			break;
		site_event(
			p, s, o->start, TIME_NIL, event_type_outage, NAN, "mains lost");
	}
	for (; s->outages_ended < s->outages_begun; s->outages_ended++) {
		const struct outage *o = &s->outages[s->outages_ended];
		if (o->end > to)
			break;
		site_event(p, s, o->start, o->end, event_type_outage,
			(double)(o->end - o->start) / (double)MINUTE_MS,
			o->generator_failed ? "mains back; the generator did not start"
					    : "mains back");
	}
}

static void advance_room(struct plant *p, struct plant_site *s, int64_t to)
{
	enum hvac_names before = s->room.hvac;
	int64_t until = s->room.fault_until;

	room_advance(&s->room, &s->weather, to);
	enum hvac_names after = s->room.hvac;
	/* A scenario begins and ends where the step begins, a fault within it. */
	if (!room_failed(before) && room_failed(after)) {
		s->hvac_since =
			s->room.fault_from >= p->now ? s->room.fault_from : p->now;
		site_event(p, s, s->hvac_since, TIME_NIL, event_type_hvac_failure, NAN,
			after == hvac_fault ? "fault" : "degraded");
	}
	if (room_failed(before) && !room_failed(after))
		site_event(p, s, s->hvac_since,
			until >= p->now && until <= to ? until : p->now,
			event_type_hvac_failure, NAN, "repaired");
}

/* The mains of a new day; an outage that lasts past midnight stays on the list. */
static void plan_mains(const struct plant *p, struct plant_site *s, int64_t day)
{
	struct outage fresh[OUTAGES_MAX], last = {.end = INT64_MIN};
	int n = grid_day(
		s->plan->region, rng_key(s->key, 3), s->utc_offset_ms, day, fresh);
	bool lasting = s->outages_ended < s->noutages;

	if (lasting)
		last = s->outages[s->noutages - 1];
	s->noutages = s->outages_begun = s->outages_ended = 0;
	if (lasting) {
		s->outages[s->noutages++] = last;
		s->outages_begun = 1;
	}
	for (int i = 0; i < n && s->noutages < OUTAGES_MAX; i++)
		if (fresh[i].start > last.end && fresh[i].start >= p->now)
			s->outages[s->noutages++] = fresh[i];
}

/* 'to' is within the UTC day of 'now', or its end. */
static void advance_site(struct plant *p, struct plant_site *s, int64_t day, int64_t to)
{
	if (s->day != day) {
		plan_mains(p, s, day);
		upkeep_plan_site(s, day);
		s->day = day;
	}
	advance_room(p, s, to);
	report_outages(p, s, to);
	upkeep_site(p, s, to);
	s->outdoors = weather_at(&s->weather, to);
}

/* Blocks too hot to live: each is at the end of thermal runaway. */
static void burst(struct plant *p, struct plant_string *s, int64_t now)
{
	for (int i = 0; i < s->series.n; i++)
		if (s->blocks[i].temperature_c > RUNAWAY_C && !s->blocks[i].vented)
			upkeep_burst(p, s, i, now);
}

static void step_string(
	struct plant *p, struct plant_string *s, int64_t from, int64_t to)
{
	struct battery_drive d = charger_drive(&s->charger, &s->series);
	int64_t began = s->charger.since;
	bool equalizing = s->charger.mode == mode_equalize;

	battery_series_step(&s->series, &d, p->sites[s->site].room.temperature_c,
		(double)(to - from) / 1000);
	if (s->testing)
		discharge_test_watch(p, s);
	if (s->series.hottest_c > RUNAWAY_C)
		burst(p, s, to);
	if (charger_update(&s->charger, &s->series, to))
		upkeep_discharge_over(p, s, began, to);
	if (equalizing && s->charger.mode != mode_equalize) {
		struct happening *h = plant_happens(p, to, HAPPENS_EVENT, s->site, s);
		h->type = event_type_equalize;
		h->status = event_status_completed;
		h->start = began;
		h->end_ts = to;
	}
}

static void advance_string(
	struct plant *p, struct plant_string *s, int64_t day, int64_t to)
{
	int64_t now = p->now;
	if (s->day != day)
		upkeep_plan(p, s, day);
	while (now < to) {
		while (s->next < s->ntasks && s->agenda[s->next].ts <= now) {
			struct task t = s->agenda[s->next++];
			if (t.ts == now)
				upkeep_do(p, s, &t);
		}
		int64_t next = to, longest = now + charger_step_ms(&s->charger, now);
		if (s->next < s->ntasks && s->agenda[s->next].ts < next)
			next = s->agenda[s->next].ts;
		if (s->charger.until != TIME_NIL && s->charger.until > now &&
			s->charger.until < next)
			next = s->charger.until;
		if (longest < next)
			next = longest;
		step_string(p, s, now, next);
		now = next;
	}
}

static int compare(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

int happening_order(const struct happening *a, const struct happening *b)
{
	int64_t of_a = a->string ? a->string->number : -1;
	int64_t of_b = b->string ? b->string->number : -1;
	int r = compare(a->ts, b->ts);
	if (!r)
		r = compare(a->site, b->site);
	return r ? r : compare(of_a, of_b);
}

static int by_order(const void *a, const void *b)
{
	const struct happening *x = a, *y = b;
	int r = happening_order(x, y);
	return r ? r : compare((int64_t)x->order, (int64_t)y->order);
}

int plant_advance(struct plant *p, int64_t to)
{
	p->nhappenings = 0;
	while (p->now < to) {
		int64_t day = time_whole(p->now, DAY_MS);
		stage_perform(p);
		/* strings see the room once a step, and its nights are not its days */
		int64_t hour = (time_whole(p->now, HOUR_MS) + 1) * HOUR_MS;
		int64_t next = stage_next(p, hour < to ? hour : to);
		for (int64_t i = 0; i < p->nsites; i++)
			if (p->sites[i].used)
				advance_site(p, &p->sites[i], day, next);
		for (int64_t i = 0; i < p->nstrings; i++)
			advance_string(p, &p->strings[i], day, next);
		p->now = next;
	}
	if (p->nhappenings > 1)
		qsort(p->happenings, p->nhappenings, sizeof(*p->happenings), by_order);
	return p->failed ? -1 : 0;
}

/* The temperatures the site will have: its own weather and air conditioning, ahead. */
static int foresee(const struct plant *p, struct plant_site *s)
{
	const int64_t sample_ms = HOUR_MS;
	const int samples = (int)(LIFE_STEP_DAYS * DAY_MS / sample_ms);
	struct room room = s->room;
	struct weather weather = s->weather;

	s->path = malloc(sizeof(*s->path));
	if (!s->path)
		return -1;
	s->path->from = room.now;
	for (int k = 0; k < LIFE_STEPS; k++) {
		double stress = 0, mean = 0;
		for (int i = 0; i < samples; i++) {
			stage_set_room(p, s, room.now, &room, &weather);
			room_advance(&room, &weather, room.now + sample_ms);
			stress += ageing_arrhenius(p->model, room.temperature_c);
			mean += room.temperature_c;
		}
		s->path->stress[k] = (float)(stress / samples);
		s->path->room_c[k] = (float)(mean / samples);
	}
	return 0;
}

int plant_life(
	struct plant *p, struct plant_string *s, double *days, enum cause_names *causes)
{
	struct plant_site *site = &p->sites[s->site];
	if (!site->path && foresee(p, site) < 0)
		return -1;
	struct life_upkeep upkeep;
	upkeep_foresee(p, s, &upkeep);
	life_forecast(&s->series, site->path, p->now, &upkeep, days);
	for (int i = 0; i < s->series.n; i++) {
		double hard =
			(double)(s->jars[i].hard_failure - p->now) / (double)DAY_MS;
		causes[i] = s->blocks[i].nature.cause;
		if (hard < days[i]) {
			days[i] = fmax(0, hard);
			causes[i] = s->jars[i].hard_cause;
		}
	}
	return 0;
}
