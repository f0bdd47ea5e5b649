/* The alert of a model whose features have drifted: one for as long as any has. */
#ifndef LEARN_DRIFT_ALERT_H
#define LEARN_DRIFT_ALERT_H

#include "learn/drift.h"

enum { DRIFT_TEXT_SIZE = 512 };

struct drift_alert {
	bool firing;
	int64_t since;
	/* What the record points to. */
	char id[CODE_MAX + 1], text[DRIFT_TEXT_SIZE];
};

/*
 * After a period judged at ts: f[m->nfeatures] of so many batteries. Returns true and
 * fills the record (valid until the next call) when there is something to say: features
 * have drifted (severity warning, source quality, subject "predict"), or do no more.
 */
bool drift_alert_next(struct drift_alert *a, const struct model *m,
	const struct drift_figure *f, size_t batteries, int64_t ts,
	struct rec_alert *out);
/* The model goes out of service: resolves what fires. True when that is to be said. */
bool drift_alert_withdraw(struct drift_alert *a, const struct model *m, int64_t ts,
	struct rec_alert *out);

#endif
