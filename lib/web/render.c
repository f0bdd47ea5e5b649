#include "web/emit.h"
#include "web/hub_internal.h"

#include "record/text.h"

static void put_str(struct buf *b, const char *name, struct str s)
{
	char text[TEXT_MAX + 1];
	str_copy(text, sizeof(text), s);
	emit_name(b, name);
	emit_text(b, s.s ? text : NULL);
}

static void put_f32(struct buf *b, const char *name, float v)
{
	emit_name(b, name);
	text_f32(v, b);
}

static void put_f64(struct buf *b, const char *name, double v)
{
	emit_name(b, name);
	text_f64(v, b);
}

static void put_time(struct buf *b, const char *name, int64_t ms)
{
	emit_name(b, name);
	emit_time(b, ms);
}

static void put_int(struct buf *b, const char *name, int32_t v)
{
	emit_name(b, name);
	if (v == INT_NIL)
		emit_text(b, NULL);
	else
		emit_int(b, v);
}

static const struct name_set *words_of(int kind, int field)
{
	return kind_info(kind)->fields[field].names;
}

static void put_word(
	struct buf *b, const char *name, const struct name_set *words, int v)
{
	emit_name(b, name);
	emit_text(b, v >= 0 && v < words->n ? words->words[v] : NULL);
}

static void put_bits(
	struct buf *b, const char *name, const struct name_set *words, int32_t bits)
{
	emit_name(b, name);
	emit_open(b, '[');
	for (int i = 0; i < words->n; i++)
		if (bits & BIT(i))
			emit_text(b, words->words[i]);
	emit_close(b, ']');
}

static void begin(struct buf *b, const char *run)
{
	emit_name(b, "run");
	emit_text(b, run);
}

void render_telemetry(struct buf *b, const char *run, const struct rec_telemetry *t)
{
	begin(b, run);
	put_str(b, "battery", t->battery);
	put_time(b, "ts", t->ts);
	put_f32(b, "voltage_v", t->voltage_v);
	put_f32(b, "current_a", t->current_a);
	put_f32(b, "temperature_c", t->temperature_c);
	put_f32(b, "resistance_mohm", t->resistance_mohm);
	put_word(b, "mode", words_of(KIND_telemetry, F_telemetry_mode), t->mode);
	put_bits(b, "quality", words_of(KIND_telemetry, F_telemetry_quality),
		t->quality);
	emit_close(b, '}');
}

void render_state(struct buf *b, const char *run, const char *code, int64_t ts,
	const struct subject *s)
{
	bool jar = code_split(str_of(code)).jar.s || s->is_member;
	begin(b, run);
	emit_name(b, jar ? "battery" : "subject");
	emit_text(b, code);
	put_time(b, "ts", ts);
	put_word(b, "status", words_of(KIND_status, F_status_status), s->status);
	emit_name(b, "reasons");
	if (s->reasons.len)
		buf_append(b, s->reasons.data, s->reasons.len);
	else
		emit_text(b, NULL);
	put_f32(b, "soc_pct", s->soc_pct);
	put_f32(b, "soh_pct", s->soh_pct);
	put_f32(b, "autonomy_min", s->autonomy_min);
	emit_close(b, '}');
}

void render_rul(struct buf *b, const char *run, const struct rec_rul *r)
{
	begin(b, run);
	put_str(b, "battery", r->battery);
	put_time(b, "ts", r->ts);
	put_word(b, "source", words_of(KIND_rul, F_rul_source), r->source);
	put_f32(b, "rul_days", r->rul_days);
	put_f32(b, "lower_days", r->lower_days);
	put_f32(b, "upper_days", r->upper_days);
	put_bits(b, "flags", words_of(KIND_rul, F_rul_flags), r->flags);
	emit_close(b, '}');
}

void render_mean(struct buf *b, const char *run, const char *code, int n, float v,
	float t_mean, float t_max, int64_t ts)
{
	begin(b, run);
	emit_name(b, "location");
	emit_text(b, code);
	put_time(b, "ts", ts);
	put_int(b, "batteries", n);
	put_f32(b, "voltage_mean_v", v);
	put_f32(b, "temperature_mean_c", t_mean);
	put_f32(b, "temperature_max_c", t_max);
	emit_close(b, '}');
}

void render_alert(struct buf *b, const char *run, const struct rec_alert *a)
{
	begin(b, run);
	put_str(b, "id", a->alert_id);
	put_str(b, "incident_id", a->incident_id);
	put_time(b, "ts", a->ts);
	put_str(b, "subject", a->subject);
	put_str(b, "rule", a->rule);
	put_word(b, "severity", words_of(KIND_alert, F_alert_severity), a->severity);
	put_word(b, "state", words_of(KIND_alert, F_alert_state), a->state);
	put_word(b, "source", words_of(KIND_alert, F_alert_source), a->source);
	put_f64(b, "value", a->value);
	put_f64(b, "threshold", a->threshold);
	put_str(b, "message", a->message);
	put_time(b, "since", a->since_ts);
	put_time(b, "resolved", a->resolved_ts);
	emit_close(b, '}');
}

void render_incident(struct buf *b, const char *run, const struct rec_incident *i)
{
	begin(b, run);
	put_str(b, "id", i->incident_id);
	put_str(b, "parent_id", i->parent_id);
	put_time(b, "ts", i->ts);
	put_str(b, "subject", i->subject);
	put_str(b, "cause", i->cause);
	put_str(b, "title", i->title);
	put_word(b, "severity", words_of(KIND_incident, F_incident_severity),
		i->severity);
	put_word(b, "state", words_of(KIND_incident, F_incident_state), i->state);
	put_int(b, "alert_count", i->alert_count);
	put_time(b, "first", i->first_ts);
	put_time(b, "last", i->last_ts);
	emit_close(b, '}');
}

void render_action(struct buf *b, const char *run, const struct rec_alert_action *a)
{
	begin(b, run);
	put_str(b, "alert_id", a->subject_id);
	put_word(b, "action", words_of(KIND_alert_action, F_alert_action_action),
		a->action);
	put_str(b, "actor", a->actor);
	put_str(b, "note", a->note);
	put_time(b, "until", a->until_ts);
	put_time(b, "ts", a->ts);
	emit_close(b, '}');
}

void render_reasons(struct buf *b, const struct strs *reasons)
{
	buf_putc(b, '[');
	for (int i = 0; i < reasons->n; i++) {
		if (i)
			buf_putc(b, ',');
		text_json_string(reasons->v[i], b);
	}
	buf_putc(b, ']');
}

void render_message(struct buf *b, uint64_t seq, const struct payload *p)
{
	static const char *const TYPES[] = {[UPDATE_TELEMETRY] = "telemetry_update",
		[UPDATE_STATE] = "battery_status_update",
		[UPDATE_RUL] = "rul_update",
		[UPDATE_SITE] = "telemetry_update",
		[UPDATE_ALERT] = "alert",
		[UPDATE_INCIDENT] = "incident",
		[UPDATE_ACTION] = "action"};
	buf_printf(b, "{\"type\":\"%s\",\"seq\":%llu,", TYPES[p->type],
		(unsigned long long)seq);
	buf_append(b, p->text, p->len);
}
