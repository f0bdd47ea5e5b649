#include "stream/latest.h"

#include "base/ids.h"

#include <stdlib.h>

struct latest_value {
	uint64_t series;
	bool closed;
	const struct schema *schema;
	uint8_t *data;
	size_t len, cap;
};

bool latest_keeps(int kind)
{
	return !kind_is_frame(kind) && kind != KIND_schema && kind != KIND_tick &&
	       kind != KIND_barrier && kind != KIND_alert_action;
}

/* Which series of its topic a record belongs to, and whether it ends it. */
struct place {
	uint64_t series;
	bool closed;
};

static struct place by_id(struct str id, bool closed)
{
	return (struct place){hash_bytes(id.s, id.len), closed};
}

static bool is_over(int status)
{
	return status == event_status_completed || status == event_status_cancelled;
}

static struct place place_of(const struct schema *s, const uint8_t *p, size_t n)
{
	union rec_any any;
	struct err err;
	struct place only = {0, false};
	static const bool several[KIND_MAX + 1] = {[KIND_feature] = true,
		[KIND_rul] = true,
		[KIND_alert] = true,
		[KIND_incident] = true,
		[KIND_event] = true,
		[KIND_maintenance_window] = true,
		[KIND_work_order] = true};
	if (!several[s->kind] || !s->info || record_decode(s, p, n, &any, &err) < 0)
		return only;
	switch (s->kind) {
	case KIND_feature:
		return (struct place){(uint64_t)any.feature.window_h, false};
	case KIND_rul:
		return (struct place){(uint64_t)any.rul.source, false};
	case KIND_alert:
		return by_id(
			any.alert.alert_id, any.alert.state == alert_state_resolved);
	case KIND_incident:
		return by_id(any.incident.incident_id,
			any.incident.state == incident_state_resolved);
	case KIND_event:
		return by_id(any.event.event_id,
			any.event.status < 0 || is_over(any.event.status));
	case KIND_work_order:
		return by_id(any.work_order.id, is_over(any.work_order.status));
	default:
		return by_id(any.maintenance_window.id, false);
	}
}

static void drop(struct latest *l, int i)
{
	free(l->v[i].data);
	memmove(l->v + i, l->v + i + 1, (size_t)(l->n - i - 1) * sizeof(*l->v));
	l->n--;
}

/* The oldest that is over, or -1; how many there are. */
static int oldest_closed(const struct latest *l, int *n)
{
	int first = -1;
	*n = 0;
	for (int i = l->n - 1; i >= 0; i--)
		if (l->v[i].closed) {
			first = i;
			++*n;
		}
	return first;
}

static void make_room(struct latest *l)
{
	int n, i = oldest_closed(l, &n);
	if (l->n >= LATEST_MAX)
		drop(l, i < 0 ? 0 : i);
}

static void forget_closed(struct latest *l)
{
	int n, i = oldest_closed(l, &n);
	if (n > LATEST_CLOSED_MAX)
		drop(l, i);
}

/* The value of the series as the last one, a new one if it has none; NULL when out of
 * memory. */
static struct latest_value *last_place(struct latest *l, uint64_t series)
{
	int i = 0;
	while (i < l->n && l->v[i].series != series)
		i++;
	if (i < l->n) {
		struct latest_value v = l->v[i];
		memmove(l->v + i, l->v + i + 1, (size_t)(l->n - i - 1) * sizeof(v));
		l->v[l->n - 1] = v;
		return &l->v[l->n - 1];
	}
	make_room(l);
	if (l->n == l->cap) {
		int cap = l->cap ? l->cap * 2 : 1;
		struct latest_value *v = realloc(l->v, (size_t)cap * sizeof(*v));
		if (!v)
			return NULL;
		l->v = v;
		l->cap = cap;
	}
	l->v[l->n] = (struct latest_value){.series = series};
	return &l->v[l->n++];
}

int latest_put(struct latest *l, const struct schema *s, const uint8_t *p, size_t n,
	struct err *err)
{
	struct place at = place_of(s, p, n);
	struct latest_value *v = last_place(l, at.series);
	if (!v)
		return err_nomem(err);
	if (n > v->cap) {
		uint8_t *data = realloc(v->data, n);
		if (!data)
			return err_nomem(err);
		v->data = data;
		v->cap = n;
	}
	memcpy(v->data, p, n);
	v->len = n;
	v->schema = s;
	v->closed = at.closed;
	if (v->closed)
		forget_closed(l);
	return 0;
}

size_t latest_size(const struct latest *l)
{
	size_t n = 0;
	for (int i = 0; i < l->n; i++)
		n += l->v[i].len;
	return n;
}

void latest_write(
	const struct latest *l, bool closed, const struct schema *now, struct buf *out)
{
	const struct schema *said = now;
	for (int i = 0; i < l->n; i++) {
		const struct latest_value *v = &l->v[i];
		if (v->closed && !closed)
			continue;
		if (v->schema != said)
			buf_append(out, v->schema->wire, v->schema->wire_len);
		said = v->schema;
		buf_append(out, v->data, v->len);
	}
	if (said != now)
		buf_append(out, now->wire, now->wire_len);
}

void latest_release(struct latest *l)
{
	for (int i = 0; i < l->n; i++)
		free(l->v[i].data);
	free(l->v);
	*l = (struct latest){0};
}
