/* What predict did, for the metrics and the closing line. */
#include "predict.h"

#include "base/diag.h"

#include <math.h>
#include <stdio.h>

static const char *const SERVES[FORECAST_ARMS] = {"first", "second"};

static void count(const struct predict *p, const char *name, uint64_t n)
{
	flow_metric(p->flow, name, (double)n);
}

static void drift_metrics(const struct predict *p, int arm)
{
	char name[256];
	const struct model *m = forecast_model(p->forecast, arm);
	const struct drift_figure *f = forecast_drift(p->forecast, arm);
	for (int i = 0; m && f && i < m->nfeatures; i++) {
		if (isnan(f[i].psi))
			continue;
		snprintf(name, sizeof(name),
			"floatline_predict_psi{model=\"%s\",feature=\"%s\"}", m->id,
			f[i].feature);
		flow_metric(p->flow, name, f[i].psi);
		snprintf(name, sizeof(name),
			"floatline_predict_psi_limit{model=\"%s\",feature=\"%s\"}",
			m->id, f[i].feature);
		flow_metric(p->flow, name, f[i].limit);
	}
}

void report_metrics(const struct predict *p)
{
	const struct forecast_counts *c = forecast_counts(p->forecast);
	char name[128];
	for (int i = 0; i < FORECAST_ARMS; i++) {
		snprintf(name, sizeof(name),
			"floatline_predict_learned_total{model=\"%s\"}", SERVES[i]);
		count(p, name, c->learned[i]);
		drift_metrics(p, i);
	}
	for (int i = 0; i < FALLBACK_COUNT; i++) {
		snprintf(name, sizeof(name),
			"floatline_predict_fallback_total{reason=\"%s\"}",
			fallback_name((enum fallback)i));
		count(p, name, c->fallback[i]);
	}
	count(p, "floatline_predict_fused_total", c->fused);
	count(p, "floatline_predict_nothing_total", c->nothing);
	count(p, "floatline_predict_conflict_total", c->conflict);
	count(p, "floatline_predict_out_of_range_total", c->out_of_range);
	count(p, "floatline_predict_starved_total", c->starved);
}

void report_summary(const struct predict *p)
{
	static const char *const why[FALLBACK_COUNT] = {"without a model",
		"without fresh features", "starved of features", "far out of range"};
	const struct forecast_counts *c = forecast_counts(p->forecast);
	uint64_t alone = 0;
	char text[256];
	int n = 0;
	for (int i = 0; i < FALLBACK_COUNT; i++) {
		alone += c->fallback[i];
		if (c->fallback[i])
			n += snprintf(text + n, sizeof(text) - (size_t)n, "%s%llu %s",
				n ? ", " : " (", (unsigned long long)c->fallback[i],
				why[i]);
	}
	diag("%llu fused estimates: %llu the twin's alone%s%s, %llu in conflict, %llu "
	     "out of range, %llu with nothing to say",
		(unsigned long long)c->fused, (unsigned long long)alone, n ? text : "",
		n ? ")" : "", (unsigned long long)c->conflict,
		(unsigned long long)c->out_of_range, (unsigned long long)c->nothing);
}
