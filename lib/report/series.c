#include "report/series.h"

#include <stdlib.h>

enum { PROBE_ROWS = 20000, TS = 0, WHO = 1 /* columns of every series */ };

static int64_t *no_times(size_t n)
{
	int64_t *v = malloc((n + 1) * sizeof(*v));
	for (size_t i = 0; v && i < n; i++)
		v[i] = TIME_NIL;
	return v;
}

static size_t identities(const struct fleet_facts *f, enum layout_id id)
{
	return f->keys.of[layout_file(id)->columns[WHO].of].n;
}

static int rising(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The median of the steps forward in the first rows; 0 when there are none. */
static int find_interval(struct series *s, struct quality *q, struct fleet_facts *f,
	enum layout_id id, struct err *err)
{
	struct table t;
	size_t n = 0;
	int64_t *steps = malloc(PROBE_ROWS * sizeof(*steps));
	int64_t *newest = no_times(identities(f, id));
	int r = steps && newest ? table_open(&t, NULL, &f->keys, q->dir, id, err)
				: err_nomem(err);
	bool opened = steps && newest;
	for (int i = 0; i < PROBE_ROWS && r > 0 && (r = table_next(&t, err)) > 0; i++) {
		uint32_t who = t.key[WHO];
		if (t.time[TS] == TIME_NIL || who == IDS_NONE)
			continue;
		if (newest[who] != TIME_NIL && t.time[TS] > newest[who])
			steps[n++] = t.time[TS] - newest[who];
		newest[who] = t.time[TS];
	}
	if (opened)
		table_close(&t);
	if (n)
		qsort(steps, n, sizeof(*steps), rising);
	s->interval_ms = n ? steps[n / 2] : 0;
	free(steps);
	free(newest);
	return r < 0 ? -1 : 0;
}

int series_open(struct series *s, struct quality *q, struct fleet_facts *f,
	enum layout_id id, bool gaps, struct err *err)
{
	*s = (struct series){0};
	if (gaps && find_interval(s, q, f, id, err) < 0)
		return -1;
	s->newest = no_times(identities(f, id));
	if (!s->newest)
		return err_nomem(err);
	s->open = true;
	int r = table_open(&s->t, q, &f->keys, q->dir, id, err);
	s->ended = r == 0;
	return r < 0 ? -1 : 0;
}

static void check_step(struct series *s)
{
	struct quality *q = s->t.q;
	int64_t *newest = &s->newest[s->who];
	char before[TIME_TEXT_SIZE];
	q->checks[CHECK_ORDER].checked++;
	q->checks[CHECK_GAPS].checked += s->interval_ms > 0;
	if (*newest == TIME_NIL) {
		*newest = s->ts;
		return;
	}
	int64_t step = s->ts - *newest;
	time_format(*newest, before);
	if (step == 0)
		finding(q, CHECK_ORDER, s->t.name, s->t.line, "a second row at %s",
			before);
	if (step < 0)
		finding(q, CHECK_ORDER, s->t.name, s->t.line, "goes back from %s",
			before);
	if (step > 0)
		*newest = s->ts;
	if (!s->interval_ms || step < s->interval_ms + s->interval_ms / 2)
		return;
	int64_t missing = (step + s->interval_ms / 2) / s->interval_ms - 1;
	finding(q, CHECK_GAPS, s->t.name, s->t.line, "%lld samples missing since %s",
		(long long)missing, before);
	q->checks[CHECK_GAPS].found += missing - 1;
	q->checks[CHECK_GAPS].checked += missing;
}

int series_peek(struct series *s, struct err *err)
{
	int r = 1;
	while (!s->full && !s->ended && (r = table_next(&s->t, err)) > 0) {
		s->ts = s->t.time[TS];
		s->who = s->t.key[WHO];
		s->full = s->ts != TIME_NIL && s->who != IDS_NONE;
		if (s->full)
			check_step(s);
	}
	if (r < 0)
		return -1;
	s->ended |= r == 0;
	return s->full;
}

void series_take(struct series *s)
{
	s->full = false;
}

void series_close(struct series *s)
{
	if (s->open)
		table_close(&s->t);
	free(s->newest);
}
