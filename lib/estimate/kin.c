#include "estimate/kin.h"
#include "base/code.h"
#include "base/grow.h"
#include "estimate/twin_parts.h"
#include "estimate/wear_parts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Less is what adding and taking away again leave over. */
static const double LEAST_PRECISION = 1e-9;
/* No rate is known better than to 1 % [E]. */
static const double LEAST_VAR = 1e-4;

/* Whether the model says how alike blocks of a string or site are. */
static bool has_kin(const struct battery_model *m)
{
	return m->rate_sigma_block > 0 &&
	       (m->rate_sigma_string > 0 || m->rate_sigma_site > 0);
}

static void add(struct kin_sum *s, struct kin_sum what, double sign)
{
	s->precision += sign * what.precision;
	s->weighted += sign * what.weighted;
	if (s->precision < LEAST_PRECISION)
		*s = (struct kin_sum){0};
}

/* What is told of x, of x plus something of mean 0 and that variance. */
static struct kin_sum blurred(struct kin_sum s, double var)
{
	double by = 1 + s.precision * var;
	return (struct kin_sum){s.precision / by, s.weighted / by};
}

/* Of what its string and site have in common. */
static struct kin_sum of_unit(const struct battery_model *m, const struct kin_word *w)
{
	double precision = (double)w->precision;
	struct kin_sum own = {precision, precision * (double)w->mean};
	return blurred(own, square(m->rate_sigma_block));
}

/* Of the site, by all units of a string. */
static struct kin_sum of_string(const struct battery_model *m, struct kin_sum units)
{
	return blurred(units, square(m->rate_sigma_string));
}

/* The string's own place in the table, where its units are of that model. */
static struct kin_string *string_of(
	const struct kin *k, const struct battery_model *m, uint16_t model, uint32_t id)
{
	struct kin_string *s = id < k->cap_strings ? &k->strings[id] : NULL;
	return s && s->model == model && has_kin(m) ? s : NULL;
}

struct wear_rate kin_rate(const struct kin *k, const struct battery_model *m,
	uint16_t model, uint32_t string, const struct kin_word *word)
{
	const struct kin_string *s = string_of(k, m, model, string);
	if (!s)
		return (struct wear_rate){0, square(wear_rate_std(m))};
	struct kin_sum units = s->units, others = k->sites[s->site];
	add(&others, of_string(m, units), -1);
	add(&units, of_unit(m, word), -1);
	double site = square(m->rate_sigma_site);
	site /= 1 + others.precision * site; /* what is left to doubt */
	double var = site + square(m->rate_sigma_string);
	double precision = 1 / var + units.precision;
	double mean = (site * others.weighted / var + units.weighted) / precision;
	return (struct wear_rate){mean, 1 / precision + square(m->rate_sigma_block)};
}

/* Finds or makes the string's place, at its site. NULL: of another model, or, with
 * *failed, out of memory. */
static struct kin_string *string_new(struct kin *k, const struct battery_model *m,
	uint16_t model, uint32_t id, struct str code, bool *failed)
{
	char name[2 * CODE_MAX + 2];
	struct str site = code_site(code);
	*failed = grow(&k->strings, &k->cap_strings, id, sizeof(*k->strings)) < 0;
	if (*failed)
		return NULL;
	struct kin_string *s = &k->strings[id];
	if (s->model)
		return string_of(k, m, model, id);
	snprintf(name, sizeof(name), "%.*s %u", (int)site.len, site.s, model);
	uint32_t at = ids_intern(&k->site_ids, str_of(name));
	*failed = at == IDS_NONE ||
		  grow(&k->sites, &k->cap_sites, at, sizeof(*k->sites)) < 0;
	if (*failed)
		return NULL;
	s->site = at;
	s->model = model;
	return s;
}

/* What was learned from one Gaussian to the next. */
static struct kin_word between(struct wear_rate before, struct wear_rate now)
{
	double var = fmax(now.var, LEAST_VAR);
	double precision = 1 / var - 1 / before.var;
	if (!(precision > LEAST_PRECISION))
		return (struct kin_word){0};
	double weighted = now.mean / var - before.mean / before.var;
	return (struct kin_word){(float)precision, (float)(weighted / precision)};
}

int kin_tell(struct kin *k, const struct battery_model *m, uint16_t model,
	uint32_t string, struct str code, struct wear_rate before, struct wear_rate now,
	struct kin_word *word)
{
	bool failed = false;
	if (!has_kin(m))
		return 0;
	struct kin_string *s = string_new(k, m, model, string, code, &failed);
	if (!s)
		return failed ? -1 : 0;
	struct kin_sum *site = &k->sites[s->site];
	add(site, of_string(m, s->units), -1);
	add(&s->units, of_unit(m, word), -1);
	*word = between(before, now);
	add(&s->units, of_unit(m, word), 1);
	add(site, of_string(m, s->units), 1);
	return 0;
}

/* The names of the sites, and what they have been told, in the order of their numbers.
 */
static void walk_sites(struct walk *w, struct kin *k)
{
	uint32_t n = walk_number(w, k->site_ids.n);
	for (uint32_t i = 0; i < n && !w->failed; i++) {
		struct str name = walk_text(
			w, w->out ? str_of(ids_name(&k->site_ids, i)) : STR_NIL);
		if (!w->out && (ids_intern(&k->site_ids, name) != i ||
				       grow(&k->sites, &k->cap_sites, i,
					       sizeof(*k->sites)) < 0)) {
			w->failed = true;
			return;
		}
		walk_bytes(w, &k->sites[i], sizeof(*k->sites));
	}
}

void kin_walk(struct walk *w, struct kin *k, size_t strings)
{
	walk_sites(w, k);
	for (uint32_t i = 0; i < strings && !w->failed; i++) {
		bool has = w->out && i < k->cap_strings && k->strings[i].model;
		if (walk_element(w, has, &k->strings, &k->cap_strings, i,
			    sizeof(*k->strings)) &&
			k->strings[i].site >= k->site_ids.n)
			w->failed = true;
	}
}

void kin_release(struct kin *k)
{
	ids_release(&k->site_ids);
	free(k->sites);
	free(k->strings);
}
