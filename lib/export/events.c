/* Events and alerts: one row for their whole life, written at the end. */
#include "export/parts.h"

#include "base/code.h"
#include "record/text.h"

void export_subject(struct export *d, struct out *o, struct str subject)
{
	char key[EXPORT_KEY_SIZE];
	uint32_t battery = ids_find(&d->batteries.codes, subject);
	struct str string = battery == IDS_NONE ? subject : code_string(subject);
	bool has_string = ids_find(&d->strings.codes, string) != IDS_NONE;
	struct str site = code_site(subject);
	if (battery != IDS_NONE)
		out_text(o, d->positions[battery].key);
	else
		out_skip(o, 1);
	if (has_string)
		out_text(o, export_key(key, LAYOUT_STRING, string, 0));
	else
		out_skip(o, 1);
	if (ids_find(&d->sites.codes, site) != IDS_NONE)
		out_text(o, export_key(key, LAYOUT_LOCATION, site, 0));
	else
		out_skip(o, 1);
}

/* A moment without an end is over when it came. */
static int64_t completed_at(const struct rec_event *e)
{
	if (e->end_ts != TIME_NIL || e->status != event_status_completed)
		return e->end_ts;
	return e->ts;
}

static int write_event(struct export *d, const struct rec_event *e, struct err *err)
{
	struct out *o = &d->out[LAYOUT_EVENT];
	out_str(o, e->event_id);
	export_subject(d, o, e->subject);
	out_text(o, export_word(KIND_event, F_event_type, e->type));
	out_skip(o, 1);
	out_time(o, &d->clock, e->scheduled_ts != TIME_NIL ? e->scheduled_ts : e->ts);
	out_time(o, &d->clock, completed_at(e));
	out_str(o, e->actor);
	out_text(o, export_word(KIND_event, F_event_status, e->status));
	out_skip(o, 1);
	out_str(o, e->note);
	return out_row(o, err);
}

int export_events(struct export *d, struct err *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < d->events.codes.n; i++)
		r = write_event(d, book_latest(&d->events, i), err);
	return r;
}

int export_action(struct export *d, const void *rec, struct err *err)
{
	const struct rec_alert_action *a = rec;
	if (a->action != alert_verb_acknowledge)
		return 0;
	int64_t i = book_add(&d->actions, KIND_alert_action, a->subject_id, rec, err);
	return i < 0 ? -1 : 1;
}

static void write_context(struct out *o, const struct rec_alert *a)
{
	struct buf text = {0};
	buf_puts(&text, "{\"value\":");
	text_f64(a->value, &text);
	buf_puts(&text, ",\"threshold\":");
	text_f64(a->threshold, &text);
	buf_putc(&text, '}');
	o->buf.failed |= text.failed;
	out_str(o, (struct str){(const char *)text.data, (uint32_t)text.len});
	buf_release(&text);
}

static int write_alert(struct export *d, const struct rec_alert *a, struct err *err)
{
	struct out *o = &d->out[LAYOUT_ALERT];
	uint32_t seen = ids_find(&d->actions.codes, a->alert_id);
	const struct rec_alert_action *by =
		seen == IDS_NONE ? NULL : book_latest(&d->actions, seen);
	out_str(o, a->alert_id);
	export_subject(d, o, a->subject);
	out_str(o, a->rule);
	out_text(o, export_word(KIND_alert, F_alert_severity, a->severity));
	out_text(o, export_word(KIND_alert, F_alert_source, a->source));
	out_skip(o, 1);
	out_time(o, &d->clock, a->since_ts != TIME_NIL ? a->since_ts : a->ts);
	out_time(o, &d->clock, a->resolved_ts);
	out_text(o, export_word(KIND_alert, F_alert_state, a->state));
	out_str(o, by ? by->actor : STR_NIL);
	out_str(o, a->message);
	write_context(o, a);
	out_str(o, a->incident_id);
	return out_row(o, err);
}

int export_alerts(struct export *d, struct err *err)
{
	int r = 0;
	for (uint32_t i = 0; r == 0 && i < d->alerts.codes.n; i++)
		r = write_alert(d, book_latest(&d->alerts, i), err);
	return r;
}
