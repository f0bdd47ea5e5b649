#include "learn/drift_alert.h"

#include "base/timefmt.h"

#include <stdio.h>

enum { NAMED = 3 }; /* features the message names */

/* The drifted feature with the largest PSI under that of 'after' (NULL: of all). */
static const struct drift_figure *largest(const struct model *m,
	const struct drift_figure *f, const struct drift_figure *after)
{
	const struct drift_figure *best = NULL;
	for (int i = 0; i < m->nfeatures; i++) {
		bool beyond =
			after && (f[i].psi > after->psi ||
					 (f[i].psi == after->psi && &f[i] <= after));
		if (drifted(&f[i]) && !beyond && (!best || f[i].psi > best->psi))
			best = &f[i];
	}
	return best;
}

static void describe(struct drift_alert *a, const struct model *m,
	const struct drift_figure *f, size_t batteries)
{
	int drifts = 0;
	for (int i = 0; i < m->nfeatures; i++)
		drifts += drifted(&f[i]);
	int n = snprintf(a->text, sizeof(a->text),
		"%d of the %d features of model %s have moved away from its training, "
		"in %zu batteries",
		drifts, m->nfeatures, m->id, batteries);
	const struct drift_figure *at = NULL;
	for (int i = 0; i < NAMED && (at = largest(m, f, at)) && n > 0 &&
			n < (int)sizeof(a->text);
		i++)
		n += snprintf(a->text + n, sizeof(a->text) - (size_t)n,
			"%s %s (PSI %.2f, limit %.2f)", i ? "," : ":", at->feature,
			at->psi, at->limit);
}

static void begin(struct drift_alert *a, const struct model *m, int64_t ts)
{
	struct civil c;
	time_to_civil(ts, &c);
	a->firing = true;
	a->since = ts;
	snprintf(a->id, sizeof(a->id), "drift-%.40s-%04d%02d%02d", m->id, c.year,
		c.month, c.day);
}

static void heading(const struct drift_alert *a, int64_t ts, struct rec_alert *out)
{
	record_clear(kind_info(KIND_alert), out);
	out->alert_id = str_of(a->id);
	out->ts = ts;
	out->subject = str_of("predict");
	out->rule = str_of("model-drift");
	out->severity = severity_warning;
	out->source = alert_source_quality;
	out->since_ts = a->since;
	out->message = str_of(a->text);
}

static void resolve(struct drift_alert *a, int64_t ts, struct rec_alert *out)
{
	heading(a, ts, out);
	out->state = alert_state_resolved;
	out->resolved_ts = ts;
	a->firing = false;
}

bool drift_alert_next(struct drift_alert *a, const struct model *m,
	const struct drift_figure *f, size_t batteries, int64_t ts,
	struct rec_alert *out)
{
	const struct drift_figure *worst = largest(m, f, NULL);
	if (!worst && !a->firing)
		return false;
	if (!worst) {
		snprintf(a->text, sizeof(a->text),
			"the features of model %s are again as in its training", m->id);
		resolve(a, ts, out);
		return true;
	}
	if (!a->firing)
		begin(a, m, ts);
	describe(a, m, f, batteries);
	heading(a, ts, out);
	out->state = alert_state_firing;
	out->value = worst->psi;
	out->threshold = worst->limit;
	return true;
}

bool drift_alert_withdraw(
	struct drift_alert *a, const struct model *m, int64_t ts, struct rec_alert *out)
{
	if (!a->firing)
		return false;
	snprintf(a->text, sizeof(a->text), "model %s is no longer in service", m->id);
	resolve(a, ts, out);
	return true;
}
