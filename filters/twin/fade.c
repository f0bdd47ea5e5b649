/* twin --fit-fade: how a type of battery fades, from capacity tests of some of it. */
#include "base/diag.h"
#include "base/grow.h"
#include "base/timefmt.h"
#include "battery/rate.h"
#include "estimate/fit_fade.h"
#include "modes.h"
#include "site/roster.h"

#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

static const char *const DEFAULT_MODEL = "hx12-120";

/* A unit's record in memory. */
struct tested {
	uint32_t battery; /* where it stood */
	int unit;
	int64_t since; /* installed, or a day before its first test */
	struct fade_cell cell;
	size_t cap;
};

struct lives {
	const char *chosen; /* --model, or NULL: as the stream names it */
	struct roster roster;
	struct tested *of;
	size_t n, cap;
	uint32_t *newest; /* by battery: its unit in 'of', counted from 1 */
	size_t cap_newest;
	char type[CODE_MAX + 1]; /* of all that were tested; "" none is named */
	struct battery_model model;
};

/* The unit that stands there now; NULL when out of memory. */
static struct tested *tested_of(struct lives *l, uint32_t id)
{
	int unit = l->roster.batteries[id].unit;
	if (grow(&l->newest, &l->cap_newest, id, sizeof(*l->newest)) < 0 ||
		grow(&l->of, &l->cap, l->n, sizeof(*l->of)) < 0)
		return NULL;
	uint32_t *at = &l->newest[id];
	if (!*at || l->of[*at - 1].unit != unit) {
		l->of[l->n] =
			(struct tested){.battery = id, .unit = unit, .since = TIME_NIL};
		*at = (uint32_t)++l->n;
	}
	return &l->of[*at - 1];
}

/* Whether it is of the type of those before it, whose model is found with the first. */
static int check_type(struct lives *l, uint32_t id, struct err *err)
{
	const char *type = l->roster.batteries[id].model;
	if (!type[0] && !l->chosen)
		type = DEFAULT_MODEL;
	if (!(l->model.capacity_ah > 0) &&
		battery_model_find(l->chosen ? l->chosen : type, &l->model, err))
		return -1;
	if (!l->type[0])
		str_copy(l->type, sizeof(l->type), str_of(type));
	if (!type[0] || strcasecmp(l->type, type) == 0)
		return 0;
	return err_set(err, ERR_DATA,
		"'%s' is of type '%s', those before it of '%s': a fade is of one type",
		ids_name(&l->roster.battery_ids, id), type, l->type);
}

/* Returns 1 for a test that tells nothing: a string's measures its weakest jar, and
 * does not say which. */
static int take_test(
	struct lives *l, const struct rec_capacity_test *t, struct err *err)
{
	uint32_t id = ids_find(&l->roster.battery_ids, t->subject);
	if (id == IDS_NONE)
		return 1;
	if (check_type(l, id, err) < 0)
		return -1;
	struct tested *b = tested_of(l, id);
	if (!b)
		return err_nomem(err);
	if (l->roster.batteries[id].installed != TIME_NIL)
		b->since = l->roster.batteries[id].installed;
	else if (b->since == TIME_NIL)
		b->since = t->ts - DAY_MS;
	double age = (double)(t->ts - b->since) / DAY_MS;
	double soh = battery_tested_ah(&l->model, t) / l->model.capacity_ah;
	if (!(age > 0 && soh > 0.05 && soh < 2))
		return 1;
	if (grow(&b->cell.tests, &b->cap, b->cell.n, sizeof(*b->cell.tests)) < 0)
		return err_nomem(err);
	b->cell.tests[b->cell.n++] = (struct fade_test){age, soh};
	return 0;
}

static int read_lives(struct lives *l, struct flow *f, struct err *err)
{
	struct record rec;
	union rec_any any;
	while (flow_next(f, &rec) > 0) {
		if (rec.kind != KIND_capacity_test && !roster_wants(rec.kind)) {
			flow_drop(f, &rec);
			continue;
		}
		if (!flow_decode(f, &rec, &any))
			continue;
		flow_consumed(f, &rec);
		if (roster_learn(&l->roster, rec.kind, &any, NULL) < 0)
			return err_nomem(err);
		int r = rec.kind == KIND_capacity_test
				? take_test(l, &any.capacity_test, err)
				: 0;
		if (r < 0)
			return -1;
		if (r > 0)
			flow_unused(f, &rec,
				"no capacity of a battery of the stream, in service");
	}
	return 0;
}

static void print_fade(
	const struct fade_cell *c, size_t n, const struct battery_model *m)
{
	printf("%-24s %5s %8s %10s %8s %15s %8s\n", "battery", "tests", "when new",
		"life", "exponent", "error that lasts", "own");
	for (size_t i = 0; i < n; i++)
		printf("%-24s %5zu %7.1f%% %8.1f d %8.2f %6.2f%% %6.1f d %7.2f%%\n",
			c[i].name, c[i].n, 100 * c[i].c0, c[i].life_days, c[i].exponent,
			100 * c[i].error, c[i].error_days, 100 * c[i].own_std);
	printf("\nof a next one: ln life +- %.2f, ln exponent +- %.2f, when new +- "
	       "%.1f%%\n",
		m->rate_sigma, m->exponent_sigma, 100 * m->capacity_sigma);
}

static int write_fade(
	const struct battery_model *m, size_t n, const char *file, struct err *err)
{
	struct buf b = {0};
	if (!battery_model_sound(m))
		return err_set(err, ERR_DATA,
			"what comes of it is no battery, and is not written");
	buf_printf(&b,
		"# Fade and the error of its measurement from %zu batteries, and how "
		"they differ;\n# the rest is that of the model it began from.\n",
		n);
	battery_model_write(m, &b);
	int bad = modes_write(&b, file, err);
	buf_release(&b);
	return bad;
}

static int fit(struct lives *l, const char *file, struct err *err)
{
	struct battery_model m;
	size_t n = 0;
	struct fade_cell *cells = calloc(l->n + 1, sizeof(*cells));
	if (!cells)
		return err_nomem(err);
	for (size_t i = 0; i < l->n; i++)
		if (l->of[i].cell.n) {
			cells[n] = l->of[i].cell;
			cells[n++].name =
				ids_name(&l->roster.battery_ids, l->of[i].battery);
		}
	int bad = n ? fit_fade(cells, n, &l->model, &m, err)
		    : err_set(err, ERR_DATA, "no capacity test in the stream");
	if (!bad) {
		print_fade(cells, n, &m);
		bad = write_fade(&m, n, file, err);
	}
	free(cells);
	return bad;
}

int twin_fit_fade(const struct flow_options *fo, const char *model, const char *file)
{
	struct err err = {0};
	struct lives l = {.chosen = model};
	struct flow *f = flow_open(fo, FLOW_SINK, "twin", NULL, &err);
	if (!f)
		return diag_err(&err);
	/* Errors come back as values; the default handler would abort. */
	gsl_set_error_handler_off();
	int bad = read_lives(&l, f, &err);
	if (!bad && !flow_failed(f))
		bad = fit(&l, file, &err);
	if (bad)
		flow_fail(f, &err);
	for (size_t i = 0; i < l.n; i++)
		free(l.of[i].cell.tests);
	free(l.of);
	free(l.newest);
	roster_release(&l.roster);
	return modes_flush_report(flow_close(f));
}
