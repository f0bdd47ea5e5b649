/* What happened to the plant, as records. */
#include "part.h"

#include "base/ids.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>

/* Battery, string or site; false when the battery was not asked for, or another part
 * speaks for the site. */
static bool subject(
	const struct part *p, const struct happening *h, char *dst, struct str *out)
{
	if (!h->string) {
		*out = str_of(p->plant->sites[h->site].code);
		return h->site != p->before_site;
	} else if (h->jar < 0) {
		*out = str_of(h->string->code);
	} else {
		*out = jar_code(h->string, h->jar, dst);
		return h->jar < jars_wanted(p->plant, h->string);
	}
	return true;
}

/* One id for a happening's beginning and its end. */
static struct str identity(
	const char *prefix, const struct happening *h, struct str who, char *dst)
{
	uint64_t id = rng_key(rng_key(hash_bytes(who.s, who.len), (uint64_t)h->type),
		(uint64_t)h->start);
	snprintf(dst, CODE_SIZE, "%s-%016llx", prefix, (unsigned long long)id);
	return str_of(dst);
}

static void tell_event(const struct happening *h, struct str who, struct spool *o)
{
	char id[CODE_SIZE];
	struct rec_event rec = {.event_id = identity("EV", h, who, id),
		.ts = h->start,
		.end_ts = h->end_ts,
		.scheduled_ts = TIME_NIL,
		.subject = who,
		.type = (int)h->type,
		.status = (int)h->status,
		.value = h->value,
		.note = h->note[0] ? str_of(h->note) : STR_NIL};
	spool_put(o, KIND_event, &rec);
}

static void tell_capacity(const struct part *p, const struct happening *h,
	struct str who, struct spool *o)
{
	const struct test_report *t = &h->test;
	struct rec_capacity_test rec = {.ts = h->ts,
		.subject = who,
		.type = str_of(t->test == TEST_PARTIAL ? "partial_discharge"
						       : "full_discharge"),
		.rate_a = (float)t->rate_a,
		.duration_min = (float)t->minutes,
		.cutoff_v = (float)(p->world->model.cutoff_v *
				    (h->jar < 0 ? h->string->series.n : 1)),
		.ambient_c = (float)t->ambient_c,
		.measured_capacity_ah = (float)h->value,
		.pct_of_rated = (float)t->pct,
		.result = (int)t->result};
	spool_put(o, KIND_capacity_test, &rec);
}

static void tell_impedance(const struct part *p, const struct happening *h,
	struct str who, struct spool *o)
{
	const struct battery_nature *n = &h->string->blocks[h->jar].nature;
	double corrected =
		h->value * (1 + p->world->sensors.resistance_noise / 2 *
					   rng_normal(h->string->jars[h->jar].key,
						   (uint64_t)h->ts));
	struct rec_impedance rec = {.ts = h->ts,
		.battery = who,
		.resistance_mohm =
			(float)(corrected * (1 + p->world->model.r0_per_k *
							    (h->temperature_c - 25))),
		.temperature_c = (float)(round(10 * h->temperature_c) / 10),
		.corrected_mohm = (float)corrected,
		.baseline_pct = (float)(100 * corrected / n->r0_new_mohm),
		.instrument = str_of("AC ohmic tester")};
	spool_put(o, KIND_impedance, &rec);
}

static void tell_window(const struct happening *h, struct str who, struct spool *o)
{
	char id[CODE_SIZE];
	struct rec_maintenance_window rec = {.id = identity("MW", h, who, id),
		.subject = who,
		.from_ts = h->start,
		.until_ts = h->end_ts,
		.title = str_of(h->note)};
	spool_put(o, KIND_maintenance_window, &rec);
}

void tell_happening(const struct part *p, const struct happening *h, struct spool *o)
{
	char code[CODE_SIZE];
	struct str who;

	if (!subject(p, h, code, &who))
		return;
	switch (h->what) {
	case HAPPENS_EVENT:
		tell_event(h, who, o);
		break;
	case HAPPENS_CAPACITY:
		tell_capacity(p, h, who, o);
		break;
	case HAPPENS_IMPEDANCE:
		tell_impedance(p, h, who, o);
		break;
	case HAPPENS_REPLACEMENT:
		tell_battery(p, h->string, h->jar, o);
		break;
	case HAPPENS_WINDOW:
		tell_window(h, who, o);
		break;
	}
}
