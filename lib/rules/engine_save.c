/*
 * The state of the engine as bytes, and back. One walk over it serves both ways. The
 * text of the rules comes first: the rest is laid out by them.
 */
#include "rules/engine_impl.h"

#include "base/walk.h"
#include "site/roster_walk.h"

#include <math.h>
#include <stdlib.h>

/* n elements at *array, which is made as large. */
static void array(struct walk *k, void **array, size_t *cap, size_t n, size_t size)
{
	if (k->failed || n == 0 || size == 0)
		return;
	if (!k->out && (n > k->left / size || grow(array, cap, n - 1, size) < 0)) {
		k->failed = true;
		return;
	}
	walk_bytes(k, *array, n * size);
}

/* How many there are, then themselves. */
static void counted(struct walk *k, void **what, size_t *cap, size_t *n, size_t size)
{
	size_t count = walk_number(k, *n);
	array(k, what, cap, count, size);
	if (!k->out && !k->failed)
		*n = count;
}

static void names(struct walk *k, struct engine *e, const struct ids *ids,
	uint32_t (*again)(struct engine *, struct str))
{
	uint32_t n = walk_number(k, ids->n);
	for (uint32_t id = 0; id < n && !k->failed; id++) {
		struct str name =
			walk_text(k, k->out ? str_of(ids_name(ids, id)) : STR_NIL);
		/* In the same order, so the same number; a name twice would not be. */
		if (!k->out && (k->failed || again(e, name) != id))
			k->failed = true;
	}
}

/* Of a model that the stream told of, its numbers. */
static void model_numbers(struct walk *k, struct model_info *m)
{
	const struct kind_info *info = kind_info(KIND_battery_model);
	for (int i = 0; i < info->nfields; i++)
		if (info->fields[i].type == T_F32)
			walk_bytes(k, (char *)&m->rec + info->fields[i].offset,
				sizeof(float));
}

/* The models are read from their files again, in the same order. */
static void models(struct walk *k, struct engine *e)
{
	uint32_t n = walk_number(k, e->models.n);
	for (uint32_t id = 0; id < n && !k->failed; id++) {
		char name[CODE_MAX + 1];
		struct str s = walk_text(
			k, k->out ? str_of(ids_name(&e->models, id)) : STR_NIL);
		str_copy(name, sizeof(name), s);
		if (!k->out && (k->failed || engine_model_number(e, name) != (int)id))
			k->failed = true;
		else
			model_numbers(k, &e->model_infos[id]);
	}
}

/* Of a type that has rules, a life for each subject and rule. */
static void lives(struct walk *k, struct engine *e)
{
	for (int t = 0; t < SUBJECT_TYPES; t++)
		array(k, (void **)&e->lives[t], &e->cap_lives[t],
			engine_subjects(e, (enum subject_type)t),
			sizeof(struct life) * (size_t)e->rules_of_type[t]);
	array(k, (void **)&e->recent, &e->cap_recent, e->n_strings,
		sizeof(struct recent) * (size_t)e->rules_of_type[SUBJECT_BATTERY]);
	size_t places[SCOPES] = {e->n_strings, e->systems.n, e->sites.n};
	for (int i = 0; i < SCOPES; i++)
		array(k, (void **)&e->open_of[i], &e->cap_open_of[i], places[i],
			sizeof(uint32_t) * (size_t)e->rules->n);
}

static void subjects(struct walk *k, struct engine *e)
{
	roster_walk(k, &e->roster);
	names(k, e, &e->others, engine_other);
	names(k, e, &e->sites, engine_site);
	names(k, e, &e->systems, engine_system);
	names(k, e, &e->sensors, engine_sensor);
	models(k, e);
	counted(k, (void **)&e->batteries, &e->cap_batteries, &e->n_batteries,
		sizeof(*e->batteries));
	counted(k, (void **)&e->strings, &e->cap_strings, &e->n_strings,
		sizeof(*e->strings));
	array(k, (void **)&e->other_seen, &e->cap_other_seen, e->others.n,
		sizeof(*e->other_seen));
	array(k, (void **)&e->sensor_site, &e->cap_sensors, e->sensors.n,
		sizeof(*e->sensor_site));
	array(k, (void **)&e->site_states, &e->cap_sites, e->sites.n,
		sizeof(*e->site_states));
	array(k, (void **)&e->system_site, &e->cap_system_site, e->systems.n,
		sizeof(*e->system_site));
	array(k, (void **)&e->system_causes, &e->cap_system_causes, e->systems.n,
		sizeof(*e->system_causes));
}

static void everything(struct walk *k, struct engine *e)
{
	subjects(k, e);
	lives(k, e);
	counted(k, (void **)&e->incidents, &e->cap_incidents, &e->n_incidents,
		sizeof(*e->incidents));
	counted(k, (void **)&e->causes, &e->cap_causes, &e->n_causes,
		sizeof(*e->causes));
	counted(k, (void **)&e->mutes, &e->cap_mutes, &e->n_mutes, sizeof(*e->mutes));
	walk_bytes(k, &e->free_causes, sizeof(e->free_causes));
	walk_bytes(k, &e->incidents_opened, sizeof(e->incidents_opened));
	walk_bytes(k, &e->untold, sizeof(e->untold));
	walk_bytes(k, &e->untold_ts, sizeof(e->untold_ts));
	walk_bytes(k, e->shelves, sizeof(e->shelves));
	walk_bytes(k, &e->n_shelves, sizeof(e->n_shelves));
	walk_bytes(k, &e->next_shelf, sizeof(e->next_shelf));
	walk_bytes(k, &e->mark, sizeof(e->mark));
	walk_bytes(k, &e->scanned, sizeof(e->scanned));
	walk_bytes(k, e->counts, sizeof(e->counts));
}

/* What a state must agree with to be taken up. */
static void heading(struct buf *b, const char *identity)
{
	buf_printf(b,
		"floatline alert 2, version %s, layout %zu %zu %zu %zu %zu %zu, %s\n",
		FL_VERSION, sizeof(struct life), sizeof(struct battery_state),
		sizeof(struct string_state), sizeof(struct incident),
		sizeof(struct cause), sizeof(struct roster_battery), identity);
}

int engine_save(struct engine *e, const char *identity, struct buf *out)
{
	struct walk k = {.out = out};
	heading(out, identity);
	walk_text(&k, (struct str){e->rules->text, (uint32_t)e->rules->text_len});
	everything(&k, e);
	return out->failed ? -1 : 0;
}

static bool index_ok(uint32_t i, size_t n)
{
	return i < n || i == IDS_NONE;
}

/* A damaged byte must not be read as a bool before it is known to be one. */
static bool flag_ok(const bool *b)
{
	uint8_t byte;
	memcpy(&byte, b, 1);
	return byte <= 1;
}

static bool health_ok(const struct health *h)
{
	return flag_ok(&h->soh_unsure) && flag_ok(&h->rul_unsure) && h->soh_rank >= 0 &&
	       h->soh_rank < health_count && h->rul_rank >= 0 &&
	       h->rul_rank < health_count && h->status >= 0 && h->status < health_count;
}

static bool life_ok(const struct engine *e, const struct life *l)
{
	return l->phase <= LIFE_FIRING && l->level < LEVEL_COUNT &&
	       flag_ok(&l->on[0]) && flag_ok(&l->on[1]) && flag_ok(&l->claimed) &&
	       l->incident <= e->n_incidents;
}

static bool lives_ok(const struct engine *e)
{
	for (int t = 0; t < SUBJECT_TYPES; t++) {
		size_t n = engine_subjects(e, (enum subject_type)t) *
			   (size_t)e->rules_of_type[t];
		for (size_t i = 0; i < n; i++)
			if (!life_ok(e, &e->lives[t][i]))
				return false;
	}
	return true;
}

static bool incidents_ok(const struct engine *e)
{
	size_t places[SCOPES] = {e->n_strings, e->systems.n, e->sites.n};
	for (size_t i = 0; i < e->n_incidents; i++) {
		const struct incident *n = &e->incidents[i];
		if (!flag_ok(&n->told) || !flag_ok(&n->untold))
			return false;
		if (n->open == 0 && n->causes == 0 && !n->untold)
			continue;
		if ((int)n->place.scope < 0 || n->place.scope >= SCOPES ||
			n->place.id >= places[n->place.scope] || n->rule < 0 ||
			n->rule >= e->rules->n || n->parent > e->n_incidents)
			return false;
	}
	for (size_t i = 0; i < e->n_causes; i++) {
		const struct cause *c = &e->causes[i];
		if (c->rule < -1 || c->rule >= e->rules->n ||
			c->incident > e->n_incidents || c->next > e->n_causes)
			return false;
	}
	return e->free_causes <= e->n_causes;
}

static bool sound(const struct engine *e)
{
	if (e->n_batteries > e->roster.battery_ids.n ||
		e->n_strings > e->roster.string_ids.n)
		return false;
	for (size_t i = 0; i < e->n_batteries; i++)
		if (!health_ok(&e->batteries[i].health) ||
			!index_ok(e->batteries[i].string, e->n_strings) ||
			e->batteries[i].model >= (int32_t)e->models.n)
			return false;
	for (size_t i = 0; i < e->n_strings; i++) {
		const struct string_state *g = &e->strings[i];
		if (!health_ok(&g->health) || !index_ok(g->site, e->sites.n) ||
			!index_ok(g->system, e->systems.n) ||
			!index_ok(g->member, e->n_batteries) ||
			!index_ok(g->next_of_site, e->n_strings) ||
			g->causes > e->n_causes)
			return false;
	}
	for (int i = 0; i < SHELVES_MAX; i++)
		if (e->shelves[i].id[ID_SIZE - 1])
			return false;
	return e->n_shelves >= 0 && e->n_shelves <= SHELVES_MAX && lives_ok(e) &&
	       incidents_ok(e);
}

/* Under the rules of the state. */
static int load(
	struct engine *e, struct walk *k, const struct rule_set *rules, struct err *err)
{
	engine_index(e, rules);
	everything(k, e);
	k->failed = k->failed || !sound(e);
	return walk_end(k, err);
}

int engine_load(
	struct engine *e, const char *identity, const struct buf *in, struct err *err)
{
	struct walk k;
	const struct rule_set *now = e->rules;
	struct buf want = {0};
	heading(&want, identity);
	int r = walk_open(&k, in, &want, err);
	buf_release(&want);
	if (r < 0)
		return -1;
	struct str text = walk_text(&k, STR_NIL);
	if (k.failed)
		return walk_end(&k, err);
	struct rule_set *then = calloc(1, sizeof(*then));
	r = then ? rule_set_parse(then, text.s, text.len, "the rules of the state", err)
		 : err_nomem(err);
	if (r == 0)
		r = load(e, &k, then, err);
	if (r == 0)
		r = engine_reload(e, now, err);
	if (r < 0)
		e->rules = now;
	if (then)
		rule_set_release(then);
	free(then);
	return r;
}
