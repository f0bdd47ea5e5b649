#include "learn/dataset.h"
#include "base/grow.h"

#include <math.h>
#include <stdlib.h>

/* Rows of a battery that a later truth record may still label better. A truth stream
 * at least daily keeps this at one or two; beyond it the oldest keeps what it has. */
enum { PENDING_MAX = 4 };

/* One battery in so many is learned without its twin, and another without the twin's
 * state. */
enum { LEARNED_WITHOUT = 10 };

/* Share of the window that must have samples. */
#define COVERED_LEAST 0.5

struct dataset_battery {
	int32_t unit;
	int64_t slot; /* of the last row kept */
	int64_t truth_ts;
	double truth_rul;
	bool truth_censored;
	struct twin_word twin;
	int npending;
	size_t pending[PENDING_MAX];
};

static struct dataset_battery new_battery(void)
{
	return (struct dataset_battery){
		.slot = INT64_MIN, .truth_ts = TIME_NIL, .twin = twin_word_none()};
}

void dataset_init(struct dataset *d, size_t max_rows, int64_t every_ms)
{
	*d = (struct dataset){.max_rows = max_rows, .every_ms = every_ms};
	feature_set_all(&d->features);
}

static int64_t slot_of(const struct dataset *d, int64_t ts)
{
	int64_t q = ts / d->every_ms;
	return ts % d->every_ms < 0 ? q - 1 : q;
}

static struct dataset_battery *state_of(
	struct dataset *d, struct str code, int32_t unit, uint32_t *id, struct err *err)
{
	size_t known = d->batteries.n;
	*id = ids_intern(&d->batteries, code);
	if (*id == IDS_NONE ||
		grow(&d->state, &d->cap_state, *id, sizeof(*d->state)) < 0) {
		err_nomem(err);
		return NULL;
	}
	struct dataset_battery *b = &d->state[*id];
	if (*id == known)
		*b = new_battery();
	if (b->unit != unit) {
		/* Another block stands there now and shares nothing with the last. */
		*b = new_battery();
		b->unit = unit;
	}
	return b;
}

/* Labels row from a truth at truth_ts if that is near enough and nearer than before. */
static void label(struct dataset_row *row, int64_t truth_ts, double rul, bool censored)
{
	int64_t gap = truth_ts > row->ts ? truth_ts - row->ts : row->ts - truth_ts;
	if (gap > DAY_MS || (row->gap_ms >= 0 && row->gap_ms <= gap))
		return;
	row->gap_ms = gap;
	row->rul_days = rul + (double)(truth_ts - row->ts) / (double)DAY_MS;
	row->censored = censored;
}

static int grow_rows(struct dataset *d, struct err *err)
{
	if (d->n < d->cap)
		return 0;
	size_t cap = d->cap ? d->cap * 2 : 1024;
	struct dataset_row *rows = realloc(d->rows, cap * sizeof(*rows));
	if (!rows)
		return err_nomem(err);
	d->rows = rows;
	float *x = realloc(d->x, cap * (size_t)d->features.n * sizeof(*x));
	if (!x)
		return err_nomem(err);
	d->x = x;
	d->cap = cap;
	return 0;
}

static void move_row(struct dataset *d, size_t to, size_t from)
{
	if (to == from)
		return;
	d->rows[to] = d->rows[from];
	memcpy(dataset_x(d, to), dataset_x(d, from),
		(size_t)d->features.n * sizeof(float));
}

/* Doubles 'every' and keeps the first row of each battery and new period. */
static void thin(struct dataset *d)
{
	size_t kept = 0;
	d->every_ms *= 2;
	for (size_t i = 0; i < d->batteries.n; i++) {
		d->state[i].slot = INT64_MIN;
		d->state[i].npending = 0;
	}
	for (size_t i = 0; i < d->n; i++) {
		struct dataset_row *r = &d->rows[i];
		struct dataset_battery *b = &d->state[r->battery];
		int64_t slot = slot_of(d, r->ts);
		/* Rows of a former unit have no state any more: every second goes. */
		bool former = r->unit != b->unit;
		if (former ? (r->ts / (d->every_ms / 2)) % 2 != 0 : slot == b->slot) {
			d->thinned++;
			continue;
		}
		if (!former) {
			b->slot = slot;
			b->npending = 1;
			b->pending[0] = kept;
		}
		move_row(d, kept++, i);
	}
	d->n = kept;
}

static void add_pending(struct dataset_battery *b, size_t row)
{
	if (b->npending == PENDING_MAX) {
		memmove(b->pending, b->pending + 1,
			(PENDING_MAX - 1) * sizeof(*b->pending));
		b->npending--;
	}
	b->pending[b->npending++] = row;
}

int dataset_feature(struct dataset *d, const struct rec_feature *r, struct err *err)
{
	uint32_t id;
	d->features_seen++;
	if (r->coverage < (float)COVERED_LEAST) {
		d->uncovered++;
		return 0;
	}
	struct dataset_battery *b = state_of(d, r->battery, r->unit, &id, err);
	if (!b)
		return -1;
	if (b->slot != INT64_MIN && slot_of(d, r->ts) <= b->slot) {
		d->thinned++;
		return 0;
	}
	if (d->n >= d->max_rows && d->every_ms < INT64_MAX / 4)
		thin(d);
	if (d->n >= d->max_rows) {
		d->no_room++;
		return 0;
	}
	if (b->slot != INT64_MIN && slot_of(d, r->ts) <= b->slot) {
		d->thinned++;
		return 0;
	}
	if (grow_rows(d, err) < 0)
		return -1;
	struct dataset_row *row = &d->rows[d->n];
	*row = (struct dataset_row){.ts = r->ts,
		.gap_ms = -1,
		.battery = id,
		.unit = r->unit,
		.age_days = r->age_days};
	struct twin_word word = twin_word_at(&b->twin, r->ts);
	feature_values(&d->features, r, &word, dataset_x(d, d->n));
	b->slot = slot_of(d, r->ts);
	if (b->truth_ts != TIME_NIL)
		label(row, b->truth_ts, b->truth_rul, b->truth_censored);
	if (row->gap_ms != 0)
		add_pending(b, d->n);
	d->n++;
	return 0;
}

int dataset_truth(struct dataset *d, const struct rec_truth *r, struct err *err)
{
	uint32_t id;
	d->truths_seen++;
	if (!isfinite(r->rul_days))
		return 0;
	struct dataset_battery *b =
		state_of(d, r->battery, r->unit == INT_NIL ? 0 : r->unit, &id, err);
	if (!b)
		return -1;
	bool censored = r->censored == 1;
	b->truth_ts = r->ts;
	b->truth_rul = r->rul_days;
	b->truth_censored = censored;
	int kept = 0;
	for (int i = 0; i < b->npending; i++) {
		struct dataset_row *row = &d->rows[b->pending[i]];
		label(row, r->ts, r->rul_days, censored);
		if (row->ts > r->ts)
			b->pending[kept++] = b->pending[i];
	}
	b->npending = kept;
	return 0;
}

/* What a battery is learned without. */
enum without { WITHOUT_TWIN, WITHOUT_STATE };
static bool is_without(struct str battery, enum without what)
{
	return hash_bytes(battery.s, battery.len) % LEARNED_WITHOUT == what;
}

/* What the twin has said of a battery; NULL when out of memory. */
static struct twin_word *word_of(
	struct dataset *d, struct str battery, int32_t unit, struct err *err)
{
	uint32_t id;
	struct dataset_battery *b = state_of(d, battery, unit, &id, err);
	return b ? &b->twin : NULL;
}

int dataset_twin(struct dataset *d, const struct rec_rul *r, struct err *err)
{
	if (is_without(r->battery, WITHOUT_TWIN))
		return 0;
	struct twin_word *w = word_of(d, r->battery, r->unit, err);
	if (w)
		twin_word_rul(w, r);
	return w ? 0 : -1;
}

int dataset_state(struct dataset *d, const struct rec_twin_state *r, struct err *err)
{
	if (is_without(r->battery, WITHOUT_TWIN) ||
		is_without(r->battery, WITHOUT_STATE))
		return 0;
	struct twin_word *w = word_of(d, r->battery, r->unit, err);
	if (w)
		twin_word_state(w, r);
	return w ? 0 : -1;
}

/* Whether row i has a label and is not one more of a unit past its end; 'ended' holds
 * the unit whose end each battery has shown. */
static bool keeps(struct dataset *d, size_t i, int32_t *ended)
{
	const struct dataset_row *r = &d->rows[i];
	if (r->gap_ms < 0) {
		d->unlabelled++;
		return false;
	}
	if (r->censored || r->rul_days > 0)
		return true;
	if (ended[r->battery] == r->unit) {
		d->past_end++;
		return false;
	}
	ended[r->battery] = r->unit;
	return true;
}

static int compact(struct dataset *d, struct ids *used, int32_t *ended, struct err *err)
{
	size_t kept = 0;
	for (size_t i = 0; i < d->n; i++) {
		if (!keeps(d, i, ended))
			continue;
		uint32_t id = ids_intern(
			used, str_of(ids_name(&d->batteries, d->rows[i].battery)));
		if (id == IDS_NONE)
			return err_nomem(err);
		move_row(d, kept, i);
		d->rows[kept++].battery = id;
	}
	d->n = kept;
	return 0;
}

int dataset_finish(struct dataset *d, struct err *err)
{
	struct ids used = {0};
	int32_t *ended = malloc((d->batteries.n + 1) * sizeof(*ended));
	for (size_t i = 0; ended && i < d->batteries.n; i++)
		ended[i] = INT32_MIN;
	int r = ended ? compact(d, &used, ended, err) : err_nomem(err);
	free(ended);
	ids_release(&d->batteries);
	d->batteries = used;
	free(d->state);
	d->state = NULL;
	d->cap_state = 0;
	return r;
}

void dataset_release(struct dataset *d)
{
	ids_release(&d->batteries);
	free(d->state);
	free(d->rows);
	free(d->x);
	*d = (struct dataset){0};
}
