/* twin --evaluate: how good the twin is on the discharges of a record. */
#include "base/diag.h"
#include "base/grow.h"
#include "base/timefmt.h"
#include "estimate/evaluate.h"
#include "modes.h"
#include "recording.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double DISCHARGE_LEAST = 0.2;
static const char *const MARK[EVALUATE_MARKS] = {"25", "50", "75"};

struct tally {
	double *error; /* relative, of the time left */
	size_t marks, cap, covered, discharges;
	double soc_sum, nis_sum, ahead_sum, held_sum, open_sum;
	size_t soc_n, ahead_n, open_n;
};

/* Keeps the relative error of a time left. 0, or -1 when out of memory. */
static int tally_mark(struct tally *s, const struct evaluate_mark *k)
{
	if (grow(&s->error, &s->cap, s->marks, sizeof(*s->error)) < 0)
		return -1;
	s->error[s->marks++] = fabs(k->predicted_h / k->real_h - 1);
	s->covered += k->lower_h <= k->real_h && k->real_h <= k->upper_h;
	return 0;
}

static int tally_add(struct tally *s, const struct evaluation *e)
{
	s->discharges++;
	if (!isnan(e->soc_rmse)) {
		s->soc_sum += e->soc_rmse * e->soc_rmse;
		s->nis_sum += e->nis;
		s->soc_n++;
	}
	if (e->ahead_n) {
		s->ahead_sum += e->ahead_v * e->ahead_v * (double)e->ahead_n;
		s->held_sum += e->held_v * e->held_v * (double)e->ahead_n;
		s->ahead_n += e->ahead_n;
	}
	if (!isnan(e->open_v)) {
		s->open_sum += e->open_v * e->open_v;
		s->open_n++;
	}
	for (int k = 0; e->reaches_cutoff && k < EVALUATE_MARKS; k++)
		if (tally_mark(s, &e->mark[k]))
			return -1;
	return 0;
}

static void print_discharge(const char *battery, const struct evaluation *e)
{
	char ts[TIME_TEXT_SIZE];
	time_format(e->ts, ts);
	printf("%s %.16s  %5.1f h %6.1f Ah", battery, ts, e->hours, e->out_ah);
	printf("  SOC %4.1f %%  NIS %.2f  10 min %3.0f mV (held %.0f)",
		100 * e->soc_rmse, e->nis, 1e3 * e->ahead_v, 1e3 * e->held_v);
	if (isnan(e->open_v))
		printf("  open loop   - mV");
	else
		printf("  open loop %3.0f mV", 1e3 * e->open_v);
	printf("  left");
	for (int k = 0; k < EVALUATE_MARKS; k++) {
		const struct evaluate_mark *m = &e->mark[k];
		bool in = m->lower_h <= m->real_h && m->real_h <= m->upper_h;
		if (e->reaches_cutoff)
			printf(" %s%%:%+.0f%%%s", MARK[k],
				100 * (m->predicted_h / m->real_h - 1), in ? "" : "!");
	}
	putchar('\n');
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void print_tally(struct tally *s)
{
	printf("discharges %zu\n", s->discharges);
	if (s->soc_n)
		printf("SOC after the first hour, rmse      %5.2f %%  mean NIS %.2f\n",
			100 * sqrt(s->soc_sum / (double)s->soc_n),
			s->nis_sum / (double)s->soc_n);
	if (s->ahead_n)
		printf("voltage 10 minutes ahead, rmse      %5.1f mV  last value held "
		       "%.1f mV (%zu)\n",
			1e3 * sqrt(s->ahead_sum / (double)s->ahead_n),
			1e3 * sqrt(s->held_sum / (double)s->ahead_n), s->ahead_n);
	if (s->open_n)
		printf("open loop over a discharge, rmse    %5.1f mV\n",
			1e3 * sqrt(s->open_sum / (double)s->open_n));
	if (s->marks) {
		qsort(s->error, s->marks, sizeof(*s->error), by_size);
		size_t half = s->marks / 2;
		double median = s->marks % 2
					? s->error[half]
					: (s->error[half - 1] + s->error[half]) / 2;
		printf("time to the cut-off, median error   %5.1f %%  90 %% interval "
		       "holds %zu of %zu\n",
			100 * median, s->covered, s->marks);
	}
}

/* A cell of --points; NaN is an empty one. */
static void print_cell(double v, int digits)
{
	putchar(',');
	if (!isnan(v))
		printf("%.*f", digits, v);
}

static void print_point(void *ctx, const struct evaluate_point *p)
{
	const char *const *battery = ctx;
	char ts[TIME_TEXT_SIZE];
	printf("%s,%s", *battery, time_format(p->ts, ts));
	print_cell(p->voltage_v, 4);
	print_cell(p->open_v, 4);
	print_cell(100 * p->real_soc, 2);
	print_cell(100 * p->soc, 2);
	print_cell(100 * p->soc_std, 2);
	putchar('\n');
}

static void evaluate_one(const char *battery, const struct recorded *b,
	const struct trace_span *d, double start_error, bool points,
	struct evaluation *e)
{
	evaluate_discharge(&b->trace, d, &b->model, start_error,
		points ? print_point : NULL, &battery, e);
	if (points)
		putchar('\n');
	else
		print_discharge(battery, e);
}

/* With 'points' the samples, as CSV with an empty line between discharges; else a line
 * for each discharge and the sums. */
static int evaluate(struct recording *r, double start_error, bool points,
	struct tally *s, struct err *err)
{
	struct trace_span d;
	struct evaluation e;
	if (points)
		puts("battery,ts,voltage_v,open_loop_v,reference_soc_pct,soc_pct,"
		     "soc_std_pct");
	for (uint32_t i = 0; i < r->batteries.n; i++) {
		const struct recorded *b = &r->of[i];
		for (size_t at = 0; trace_discharge(
			     &b->trace, &b->model, DISCHARGE_LEAST, &at, &d);) {
			evaluate_one(ids_name(&r->batteries, i), b, &d, start_error,
				points, &e);
			if (tally_add(s, &e))
				return err_nomem(err);
		}
	}
	if (!s->discharges)
		return err_set(err, ERR_DATA,
			"no discharge of at least %g %% of the capacity in the record",
			100 * DISCHARGE_LEAST);
	if (!points)
		print_tally(s);
	return 0;
}

int twin_evaluate(const struct flow_options *fo, const char *model, double start_error,
	bool points)
{
	struct err err = {0};
	struct recording r = {.model = model};
	struct tally s = {0};
	struct flow *f = flow_open(fo, FLOW_SINK, "twin", NULL, &err);
	if (!f)
		return diag_err(&err);
	int bad = recording_read(&r, f, &err);
	if (!bad && !flow_failed(f))
		bad = evaluate(&r, start_error, points, &s, &err);
	if (bad)
		flow_fail(f, &err);
	free(s.error);
	recording_release(&r);
	return modes_flush_report(flow_close(f));
}
