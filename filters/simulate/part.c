#include "part.h"

#include <stdio.h>
#include <stdlib.h>

static bool chosen(const char *code, int64_t site, int64_t string, void *user)
{
	const struct choice *c = user;
	return string >= c->from && string < c->to &&
	       c->keep(code, site, string, c->user);
}

static int make_holds(struct part *p)
{
	size_t strings = (size_t)p->plant->nstrings;
	size_t jars = 0;
	for (size_t i = 0; i < strings; i++)
		jars += (size_t)p->plant->strings[i].series.n;
	p->room_holds = calloc((size_t)p->plant->nsites, sizeof(*p->room_holds));
	p->string_holds = calloc(strings, sizeof(*p->string_holds));
	p->jar_holds = calloc(jars, sizeof(*p->jar_holds));
	return p->room_holds && p->string_holds && p->jar_holds ? 0 : -1;
}

int part_open(struct part *p, const struct world *w, const struct choice *c,
	const struct part *before, uint64_t seed, int64_t njars, int64_t start,
	struct err *err)
{
	struct choice copy = *c;
	*p = (struct part){.world = w, .before_site = -1, .before_system = -1};
	if (before) {
		const struct plant *b = before->plant;
		p->before_site = b->strings[b->nstrings - 1].site;
		p->before_system = b->strings[b->nstrings - 1].system;
	}
	p->plant =
		plant_new(&w->fleet, &w->model, seed, njars, start, chosen, &copy, err);
	if (!p->plant)
		return -1;
	return make_holds(p) < 0 ? err_nomem(err) : 0;
}

void part_release(struct part *p)
{
	plant_free(p->plant);
	free(p->room_holds);
	free(p->string_holds);
	free(p->jar_holds);
	*p = (struct part){0};
}

int jars_wanted(const struct plant *p, const struct plant_string *string)
{
	int64_t left = p->njars - string->first;
	return left < string->series.n ? (int)left : string->series.n;
}

bool first_of(const struct part *p, int64_t i, bool of_system)
{
	const struct plant_string *s = &p->plant->strings[i];
	int64_t site = i ? s[-1].site : p->before_site;
	int system = i ? s[-1].system : p->before_system;
	return s->site != site || (of_system && s->system != system);
}

struct str jar_code(const struct plant_string *s, int jar, char *dst)
{
	size_t n = strlen(s->code);
	memcpy(dst, s->code, n);
	memcpy(dst + n, "-J", 2);
	dst[n + 2] = (char)('0' + (jar + 1) / 10);
	dst[n + 3] = (char)('0' + (jar + 1) % 10);
	dst[n + 4] = '\0';
	return (struct str){dst, (uint32_t)n + 4};
}

struct str sensor_code(const struct plant_site *site, char *dst)
{
	snprintf(dst, CODE_SIZE, "%.50s-ENV01", site->code);
	return str_of(dst);
}

static int keep_moment(struct yield *y, const struct happening *h)
{
	size_t i = y->spools[HAPPENED].nruns - 1;
	if (i >= y->cap_moments) {
		size_t cap = y->cap_moments ? 2 * y->cap_moments : 64;
		void *more = realloc(y->moments, cap * sizeof(*y->moments));
		if (!more)
			return -1;
		y->moments = more;
		y->cap_moments = cap;
	}
	y->moments[i] =
		(struct moment){h->ts, h->site, h->string ? h->string->number : -1};
	return 0;
}

/* One run each: they are merged with those of other parts. */
static void happened(struct part *p, struct yield *y)
{
	struct spool *o = &y->spools[HAPPENED];
	for (size_t i = 0; i < p->plant->nhappenings; i++) {
		size_t before = o->nruns;
		tell_happening(p, &p->plant->happenings[i], o);
		if (spool_mark(o) > before &&
			keep_moment(y, &p->plant->happenings[i]) < 0)
			err_nomem(&o->err);
	}
	p->plant->nhappenings = 0;
}

static void compute_step(struct part *p, const struct step *step, struct yield *y)
{
	if (step->ts > p->plant->now && plant_advance(p->plant, step->ts) < 0)
		err_nomem(&y->spools[HAPPENED].err);
	happened(p, y);
	if (step->sample && step->due[SAMPLE_JAR] && p->world->states)
		tell_states(p, &y->spools[STATES]);
	if (step->sample)
		tell_samples(p, step->due, &y->spools[SAMPLED]);
	if (step->truth && tell_truth(p, &y->spools[TRUE_STATE]) < 0)
		err_nomem(&y->spools[TRUE_STATE].err);
}

void part_compute(struct part *p, const struct plan *plan, struct yield *y,
	const atomic_bool *stop)
{
	for (int k = 0; k < SECTIONS; k++) {
		spool_clear(&y->spools[k]);
		y->spools[k].skip = p->world->skip;
	}
	for (int i = 0; i < plan->n && !atomic_load(stop); i++) {
		compute_step(p, &plan->steps[i], y);
		for (int k = 0; k < SECTIONS; k++)
			y->ends[k][i] = spool_mark(&y->spools[k]);
	}
}

void yield_release(struct yield *y)
{
	for (int k = 0; k < SECTIONS; k++)
		spool_release(&y->spools[k]);
	free(y->moments);
	*y = (struct yield){0};
}
