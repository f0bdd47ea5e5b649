#include "site/roster_walk.h"

/* How a thing of each kind gets its number again. */
static bool number_battery(struct roster *r, struct str code)
{
	return roster_battery(r, code) != IDS_NONE;
}

static bool number_string(struct roster *r, struct str code)
{
	return roster_string(r, code) != IDS_NONE;
}

static bool number_system(struct roster *r, struct str code)
{
	struct rec_system rec = {.code = code};
	return roster_learn(r, KIND_system, &rec, NULL) == 0;
}

static bool number_model(struct roster *r, struct str name)
{
	struct rec_battery_model rec = {.name = name};
	return roster_learn(r, KIND_battery_model, &rec, NULL) == 0;
}

static void names(struct walk *k, struct roster *r, const struct ids *ids,
	bool (*again)(struct roster *, struct str))
{
	uint32_t n = walk_number(k, ids->n);
	for (uint32_t id = 0; id < n && !k->failed; id++) {
		struct str name =
			walk_text(k, k->out ? str_of(ids_name(ids, id)) : STR_NIL);
		/* In the same order, so the same number; a name twice would not be. */
		if (!k->out && (k->failed || !again(r, name) || ids->n != id + 1))
			k->failed = true;
	}
}

void roster_walk(struct walk *k, struct roster *r)
{
	names(k, r, &r->string_ids, number_string);
	names(k, r, &r->battery_ids, number_battery);
	names(k, r, &r->system_ids, number_system);
	names(k, r, &r->model_ids, number_model);
	if (k->failed)
		return;
	walk_bytes(k, r->strings, r->string_ids.n * sizeof(*r->strings));
	walk_bytes(k, r->batteries, r->battery_ids.n * sizeof(*r->batteries));
	walk_bytes(k, r->systems, r->system_ids.n * sizeof(*r->systems));
	walk_bytes(k, r->models, r->model_ids.n * sizeof(*r->models));
}
