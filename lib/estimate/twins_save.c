/* The state of all twins as bytes, and back. */
#include "base/walk.h"
#include "estimate/twins_state.h"
#include "site/roster_walk.h"

/* The models are read from their files again, in the same order. */
static void models(struct walk *k, struct twins *f)
{
	uint32_t n = walk_number(k, f->model_ids.n);
	for (uint32_t id = 0; id < n && !k->failed; id++) {
		char name[CODE_MAX + 1];
		struct str s = walk_text(
			k, k->out ? str_of(ids_name(&f->model_ids, id)) : STR_NIL);
		if (k->out)
			continue;
		str_copy(name, sizeof(name), s);
		if (k->failed || twins_model(f, name) != id + 1)
			k->failed = true;
	}
}

static bool sound(const struct twins *f, const struct entry *e)
{
	return e->model <= f->model_ids.n && e->twin.regime <= TWIN_FLOAT &&
	       e->twin.reset < twin_reset_count && e->twin.wear.marks <= WEAR_MARKS &&
	       e->twin.wear.tests <= WEAR_TESTS;
}

static void entry(struct walk *k, struct twins *f, uint32_t id)
{
	bool has = k->out && id < f->cap_entries && f->entries[id].model;
	if (walk_element(
		    k, has, &f->entries, &f->cap_entries, id, sizeof(*f->entries)) &&
		!sound(f, &f->entries[id]))
		k->failed = true;
}

static void string(struct walk *k, struct twins *f, uint32_t id)
{
	bool has = k->out && id < f->cap_strings &&
		   (f->strings[id].ts || f->strings[id].float_ts);
	walk_element(k, has, &f->strings, &f->cap_strings, id, sizeof(*f->strings));
}

static void everything(struct walk *k, struct twins *f)
{
	roster_walk(k, &f->roster);
	models(k, f);
	for (uint32_t id = 0; id < f->roster.battery_ids.n && !k->failed; id++)
		entry(k, f, id);
	for (uint32_t id = 0; id < f->roster.string_ids.n && !k->failed; id++)
		string(k, f, id);
	kin_walk(k, &f->kin, f->roster.string_ids.n);
}

/* What a state must agree with to be taken up. The number rises with every change of
 * what is kept: the sizes do not show each. */
static void heading(struct buf *b, const char *identity)
{
	buf_printf(b, "floatline twins 3, version %s, layout %zu %zu %zu %zu, %s\n",
		FL_VERSION, sizeof(struct entry), sizeof(struct string_current),
		sizeof(struct kin_string), sizeof(struct roster_battery), identity);
}

int twins_save(struct twins *f, const char *identity, struct buf *out)
{
	struct walk k = {.out = out};
	heading(out, identity);
	everything(&k, f);
	return out->failed ? -1 : 0;
}

int twins_load(
	struct twins *f, const char *identity, const struct buf *in, struct err *err)
{
	struct walk k;
	struct buf want = {0};
	heading(&want, identity);
	int r = walk_open(&k, in, &want, err);
	buf_release(&want);
	if (r < 0)
		return -1;
	everything(&k, f);
	return walk_end(&k, err);
}
