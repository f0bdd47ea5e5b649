/*
 * The state of all windows as bytes, and back. One walk over it serves both ways, so
 * that what is written is what is read. The bytes are those of this build on this
 * machine; a state of another build or of other options is refused.
 */
#include "window/windows_state.h"

#include "site/roster_walk.h"

#include <stdlib.h>

static struct str name_of(const struct walk *k, const struct ids *ids, uint32_t id)
{
	return k->out ? str_of(ids_name(ids, id)) : STR_NIL;
}

/* How a thing the roster does not number gets its number again. */
static bool number_site(struct windows *w, struct str code)
{
	return windows_site(w, code) != IDS_NONE;
}

static bool number_sensor(struct windows *w, struct str code)
{
	/* Its true site follows with its slot. */
	return w->sites.n > 0 &&
	       windows_sensor(w, code, str_of(ids_name(&w->sites, 0))) != NULL;
}

static void names(struct walk *k, struct windows *w, const struct ids *ids,
	bool (*again)(struct windows *, struct str))
{
	uint32_t n = walk_number(k, ids->n);
	for (uint32_t id = 0; id < n && !k->failed; id++) {
		struct str name = walk_text(k, name_of(k, ids, id));
		if (!k->out && (k->failed || !again(w, name)))
			k->failed = true;
	}
}

static void history(struct walk *k, struct history *h)
{
	uint32_t n = walk_number(k, h->n);
	if (!k->out) {
		if (k->failed || n > HISTORY_MAX) {
			k->failed = true;
			return;
		}
		h->v = n ? malloc(n * sizeof(*h->v)) : NULL;
		k->failed |= n && !h->v;
		h->head = 0;
		h->n = h->cap = h->v ? n : 0;
	}
	walk_bytes(k, &h->newest, sizeof(h->newest));
	walk_bytes(k, &h->step, sizeof(h->step));
	if (n > 0)
		walk_bytes(k, h->v + h->head, n * sizeof(*h->v));
}

static void battery(struct walk *k, struct windows *w, uint32_t id)
{
	bool has = k->out && id < w->cap_batteries && w->batteries[id].timeline;
	if (!walk_number(k, has))
		return;
	struct battery_slot *b = windows_battery(w, id);
	if (!b) {
		k->failed = true;
		return;
	}
	b->jar = walk_number(k, b->jar);
	b->renewed = walk_number(k, b->renewed);
	walk_bytes(k, &b->tests, sizeof(b->tests));
	size_t fixed = timeline_fixed_size(&w->timeline);
	walk_bytes(k, b->timeline, fixed);
	if (k->failed || !timeline_sound(b->timeline, &w->timeline)) {
		timeline_init(b->timeline, &w->timeline);
		k->failed = true;
		return;
	}
	walk_bytes(k, (uint8_t *)b->timeline + fixed,
		timeline_used_size(b->timeline, &w->timeline) - fixed);
}

static void string(struct walk *k, struct windows *w, uint32_t id)
{
	bool has = k->out && id < w->cap_strings && w->strings[id];
	if (!walk_number(k, has))
		return;
	struct string_slot *s = windows_string(w, id);
	if (!s) {
		k->failed = true;
		return;
	}
	s->site = walk_number(k, s->site);
	k->failed |= s->site >= w->sites.n;
	walk_bytes(k, &s->voltage, sizeof(s->voltage));
	walk_bytes(k, &s->ripple, sizeof(s->ripple));
	walk_bytes(k, &s->thd, sizeof(s->thd));
	walk_bytes(k, &s->float_current, sizeof(s->float_current));
	walk_bytes(k, &s->tests, sizeof(s->tests));
	walk_bytes(k, &s->jars, sizeof(s->jars));
	history(k, &s->current);
}

static void sensor(struct walk *k, struct windows *w, uint32_t id)
{
	uint32_t site = walk_number(k, w->sensors[id].site);
	if (k->failed || site >= w->sites.n) {
		k->failed = true;
		return;
	}
	w->sensors[id].site = site;
	history(k, &w->sensors[id].seen);
}

static void everything(struct walk *k, struct windows *w)
{
	names(k, w, &w->sites, number_site);
	roster_walk(k, &w->roster);
	names(k, w, &w->sensor_ids, number_sensor);
	for (uint32_t id = 0; id < w->roster.battery_ids.n && !k->failed; id++)
		battery(k, w, id);
	for (uint32_t id = 0; id < w->roster.string_ids.n && !k->failed; id++)
		string(k, w, id);
	for (uint32_t id = 0; id < w->sites.n && !k->failed; id++)
		walk_bytes(k, w->rooms[id], sizeof(*w->rooms[id]));
	for (uint32_t id = 0; id < w->sensor_ids.n && !k->failed; id++)
		sensor(k, w, id);
	walk_bytes(k, &w->epoch, sizeof(w->epoch));
	walk_bytes(k, &w->at, sizeof(w->at));
	walk_bytes(k, &w->witness, sizeof(w->witness));
}

/* What a state must agree with to be taken up. */
static void heading(struct buf *b, const struct windows *w, const char *identity)
{
	buf_printf(b, "floatline windows 3, version %s, layout %zu %zu %zu, %s\n",
		FL_VERSION, timeline_size(&w->timeline), sizeof(struct means),
		sizeof(struct roster_battery), identity);
}

int windows_save(struct windows *w, const char *identity, struct buf *out)
{
	struct walk k = {.out = out};
	heading(out, w, identity);
	everything(&k, w);
	return out->failed ? -1 : 0;
}

int windows_load(
	struct windows *w, const char *identity, const struct buf *in, struct err *err)
{
	struct walk k;
	struct buf want = {0};
	heading(&want, w, identity);
	int r = walk_open(&k, in, &want, err);
	buf_release(&want);
	if (r < 0)
		return -1;
	everything(&k, w);
	return walk_end(&k, err);
}
