#include "recording.h"
#include "base/grow.h"

#include <math.h>
#include <stdlib.h>

static const char *const DEFAULT_MODEL = "hx12-120";

static struct recorded *recorded_of(struct recording *r, struct str battery)
{
	uint32_t id = ids_intern(&r->batteries, battery);
	if (id == IDS_NONE)
		return NULL;
	return grow(&r->of, &r->cap, id, sizeof(*r->of)) < 0 ? NULL : &r->of[id];
}

static int find_model(const struct recording *r, struct recorded *b, struct err *err)
{
	const char *name = b->model_name[0] ? b->model_name : DEFAULT_MODEL;
	return battery_model_find(r->model ? r->model : name, &b->model, err);
}

static int take_sample(
	struct recording *r, const struct rec_telemetry *t, struct err *err)
{
	struct recorded *b = recorded_of(r, t->battery);
	if (!b)
		return err_nomem(err);
	if (!b->model.name[0] && find_model(r, b, err))
		return -1;
	struct plausible_sample s = {
		t->ts, t->voltage_v, t->current_a, t->temperature_c, NAN};
	/* What ingest has already found a sensor's code for "none". */
	if (t->quality != BITS_NIL && (t->quality & BIT(quality_sentinel)))
		s.voltage_v = NAN;
	b->faults += plausible_check(&b->plausible, &b->model, &s) != 0;
	int taken =
		trace_add(&b->trace, s.ts, s.voltage_v, s.current_a, s.temperature_c);
	return taken < 0 ? err_nomem(err) : 0;
}

static int take_battery(
	struct recording *r, const struct rec_battery *b, struct err *err)
{
	struct recorded *known = recorded_of(r, b->code);
	if (!known)
		return err_nomem(err);
	if (b->model.len)
		str_copy(known->model_name, sizeof(known->model_name), b->model);
	return 0;
}

int recording_read(struct recording *r, struct flow *f, struct err *err)
{
	struct record rec;
	union rec_any any;
	size_t samples = 0;
	while (flow_next(f, &rec) > 0) {
		bool sample = rec.kind == KIND_telemetry;
		if (!sample && rec.kind != KIND_battery) {
			flow_drop(f, &rec);
			continue;
		}
		if (!flow_decode(f, &rec, &any))
			continue;
		flow_consumed(f, &rec);
		samples += sample;
		if (sample ? take_sample(r, &any.telemetry, err)
			   : take_battery(r, &any.battery, err))
			return -1;
	}
	if (!samples && !flow_failed(f))
		return err_set(err, ERR_DATA, "no telemetry in the stream");
	for (uint32_t i = 0; i < r->batteries.n; i++)
		if (r->of[i].trace.n)
			trace_prepare(&r->of[i].trace, &r->of[i].model);
	return 0;
}

void recording_release(struct recording *r)
{
	for (uint32_t i = 0; i < r->batteries.n && i < r->cap; i++)
		trace_release(&r->of[i].trace);
	free(r->of);
	ids_release(&r->batteries);
}
