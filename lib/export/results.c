/* Rows that are written as they come: features, predictions and tests. */
#include "export/parts.h"

#include "record/text.h"

#include <math.h>

int export_feature(struct export *d, const void *rec, struct err *err)
{
	const struct rec_feature *f = rec;
	struct out *o = &d->out[LAYOUT_FEATURE];
	const struct position *p = export_position(d, f->battery);
	if (!p)
		return err_nomem(err);
	out_time(o, &d->clock, f->ts);
	out_text(o, p->key);
	out_int(o, f->window_h);
	const float numbers[] = {f->v_mean_v, f->v_std_v, f->v_min_v, f->v_max_v,
		f->v_imbalance_v, f->t_mean_c, f->t_max_c, f->t_rise_k,
		f->r_latest_mohm, f->r_baseline_pct};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		out_f32(o, numbers[i]);
	out_int(o, f->discharge_events == INT_NIL ? LONG_NIL : f->discharge_events);
	out_f32(o, f->ah_in + f->ah_out);
	out_f32(o, f->minutes_below_float);
	out_f32(o, f->minutes_above_float);
	out_int(o, f->surge_events == INT_NIL ? LONG_NIL : f->surge_events);
	out_f32(o, f->ripple_mean_v);
	out_f32(o, f->thd_mean_pct);
	return out_row(o, err);
}

/* {"name":share,…} of a list of factors. */
static void write_factors(struct out *o, const struct pairs *list)
{
	struct buf text = {0};
	buf_putc(&text, '{');
	for (int i = 0; i < list->n; i++) {
		buf_puts(&text, i ? "," : "");
		text_json_string(list->v[i].name, &text);
		buf_putc(&text, ':');
		text_f32(list->v[i].value, &text);
	}
	buf_putc(&text, '}');
	o->buf.failed |= text.failed;
	out_str(o, (struct str){(const char *)text.data, (uint32_t)text.len});
	buf_release(&text);
}

/* The fused estimate stands above the others, whichever came last. */
static void remember_life(struct position *p, const struct rec_rul *r)
{
	if (p->rul_source == rul_source_fused && r->source != rul_source_fused)
		return;
	p->rul_source = r->source;
	p->rul_days = r->rul_days;
}

int export_rul(struct export *d, const void *rec, struct err *err)
{
	const struct rec_rul *r = rec;
	char key[EXPORT_KEY_SIZE];
	struct out *o = &d->out[LAYOUT_RUL];
	struct position *p = export_position(d, r->battery);
	if (!p)
		return err_nomem(err);
	remember_life(p, r);
	out_text(o, export_key(key, LAYOUT_RUL, str_of(p->key),
			    r->ts * rul_source_count + r->source));
	out_text(o, p->key);
	out_str(o, r->model);
	out_time(o, &d->clock, r->ts);
	const float numbers[] = {r->rul_days, r->lower_days, r->upper_days,
		r->p_fail_30d, r->p_fail_90d, r->confidence};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		out_f32(o, numbers[i]);
	out_text(o, export_word(KIND_rul, F_rul_source, r->source));
	out_text(o, "{}");
	write_factors(o, &r->factors);
	return out_row(o, err);
}

int export_impedance(struct export *d, const void *rec, struct err *err)
{
	const struct rec_impedance *m = rec;
	char key[EXPORT_KEY_SIZE];
	struct out *raw = &d->out[LAYOUT_IMPEDANCE];
	struct out *calc = &d->out[LAYOUT_IMPEDANCE_CALC];
	const struct position *p = export_position(d, m->battery);
	if (!p)
		return err_nomem(err);
	export_key(key, LAYOUT_IMPEDANCE, str_of(p->key), m->ts);
	out_text(raw, key);
	out_text(raw, p->key);
	out_skip(raw, 1);
	out_time(raw, &d->clock, m->ts);
	out_f32(raw, m->resistance_mohm);
	out_milli(
		raw, m->resistance_mohm > 0 ? 1000 / (double)m->resistance_mohm : NAN);
	out_f32(raw, m->temperature_c);
	out_str(raw, m->instrument);
	if (out_row(raw, err) < 0)
		return -1;
	out_text(calc, key);
	out_f32(calc, m->corrected_mohm);
	out_f32(calc, m->baseline_pct);
	return out_row(calc, err);
}

int export_capacity(struct export *d, const void *rec, struct err *err)
{
	const struct rec_capacity_test *t = rec;
	char key[EXPORT_KEY_SIZE], string[EXPORT_KEY_SIZE];
	struct out *raw = &d->out[LAYOUT_CAPACITY];
	struct out *calc = &d->out[LAYOUT_CAPACITY_CALC];
	export_key(key, LAYOUT_CAPACITY, t->subject, t->ts);
	out_text(raw, key);
	out_text(raw, export_key(string, LAYOUT_STRING, t->subject, 0));
	out_skip(raw, 1);
	out_time(raw, &d->clock, t->ts);
	out_str(raw, t->type);
	out_f32(raw, t->rate_a);
	out_f32(raw, t->duration_min);
	out_f32(raw, t->cutoff_v);
	out_f32(raw, t->ambient_c);
	if (out_row(raw, err) < 0)
		return -1;
	out_text(calc, key);
	out_f32(calc, t->measured_capacity_ah);
	out_f32(calc, t->pct_of_rated);
	out_text(calc,
		export_word(KIND_capacity_test, F_capacity_test_result, t->result));
	return out_row(calc, err);
}
