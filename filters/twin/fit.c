/* twin --fit: a battery model from a recorded run. */
#include "base/diag.h"
#include "estimate/fit.h"
#include "modes.h"
#include "recording.h"

#include <errno.h>
#include <gsl/gsl_errno.h>
#include <stdio.h>
#include <string.h>

static void print_error(const char *phase, const struct fit_error *e)
{
	if (e->n)
		printf("%-30s %6.1f mV  %zu samples\n", phase, 1e3 * fit_rms_v(e),
			e->n);
	else
		printf("%-30s      - mV  not in the record\n", phase);
}

static void print_doubts(const struct fit_parameter *p)
{
	const char *comma = "  ";
	if (p->doubts & FIT_UNSEEN) {
		printf("%sthe record hardly shows it", comma);
		comma = ", ";
	}
	if (p->doubts & FIT_FAR) {
		printf("%sfar from the starting model", comma);
		comma = ", ";
	}
	if (p->doubts & FIT_CORRELATED)
		printf("%sonly together with %s", comma, p->with);
	putchar('\n');
}

static void print_fit(const struct fit *r, const struct recorded *b)
{
	printf("record: %.1f h, %zu samples, %zu with a value no battery gives, %d "
	       "complete discharge%s\n",
		r->hours, b->trace.n, b->faults, r->complete,
		r->complete == 1 ? "" : "s");
	if (r->complete)
		printf("capacity: %.1f Ah taken out from full to the cut-off; %.1f Ah "
		       "at "
		       "the 10 h rate and 25 degC\n",
			r->complete_ah, r->model.capacity_ah);
	if (!r->converged)
		puts("the fit has not settled: doubt all of it");
	puts("\nerror of the voltage, open loop");
	print_error("charge below 2.40 V a cell", &r->charge);
	print_error("discharge above 10 % charge", &r->discharge);
	print_error("discharge below it", &r->knee);
	print_error("rest after discharge", &r->rest);
	printf("\n%-16s %-5s %10s %10s %10s  doubts\n", "parameter", "unit", "start",
		"fitted", "std");
	for (int j = 0; j < r->n; j++) {
		const struct fit_parameter *p = &r->parameters[j];
		printf("%-16s %-5s %10.4g %10.4g %10.2g", p->name, p->unit, p->start,
			p->value, p->std);
		print_doubts(p);
	}
}

static void head(const struct fit *r, struct buf *out)
{
	buf_printf(out,
		"# Circuit, OCV and capacity identified from a record of %.1f h, %d "
		"complete discharges;\n# the rest is that of the model it began "
		"from. Open loop: charge %.1f mV, discharge\n# %.1f mV, rest %.1f "
		"mV. Doubtful:",
		r->hours, r->complete, 1e3 * fit_rms_v(&r->charge),
		1e3 * fit_rms_v(&r->discharge), 1e3 * fit_rms_v(&r->rest));
	int doubtful = 0;
	for (int j = 0; j < r->n; j++)
		if (r->parameters[j].doubts) {
			buf_printf(out, "%s%s", doubtful % 8 == 0 ? "\n# " : " ",
				r->parameters[j].name);
			doubtful++;
		}
	buf_puts(out, doubtful ? "\n" : " none\n");
}

int modes_write(const struct buf *b, const char *file, struct err *err)
{
	FILE *f = b->failed ? NULL : fopen(file, "w");
	int bad = b->failed ? err_nomem(err) : 0;
	if (!bad && (!f || fwrite(b->data, 1, b->len, f) != b->len))
		bad = err_errno(err, "cannot write '%s'", file);
	if (f && fclose(f) && !bad)
		bad = err_errno(err, "cannot write '%s'", file);
	return bad;
}

static int write_model(const struct fit *r, const char *file, struct err *err)
{
	struct buf b = {0};
	head(r, &b);
	battery_model_write(&r->model, &b);
	int bad = modes_write(&b, file, err);
	buf_release(&b);
	return bad;
}

static int fit(struct recording *r, const char *file, struct err *err)
{
	struct fit out;
	struct recorded *only = NULL;
	for (uint32_t i = 0; i < r->batteries.n; i++) {
		if (!r->of[i].trace.n)
			continue;
		if (only)
			return err_set(err, ERR_DATA,
				"the record has several batteries, '%s' one of them: "
				"a fit is of one",
				ids_name(&r->batteries, i));
		only = &r->of[i];
	}
	if (!only)
		return err_set(err, ERR_DATA,
			"no sample has both a voltage and a current that can be");
	if (fit_model(&only->trace, &only->model, &out, err))
		return -1;
	print_fit(&out, only);
	if (!battery_model_sound(&out.model))
		return err_set(err, ERR_DATA,
			"what comes of it is no battery, and is not written: begin "
			"with a "
			"model of a rating nearer to what the record shows than %g Ah",
			only->model.capacity_ah);
	return write_model(&out, file, err);
}

int modes_flush_report(int status)
{
	struct err err = {0};
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	err_set(&err, ERR_IO, "cannot write the report: %s", strerror(errno));
	return diag_err(&err);
}

int twin_fit(const struct flow_options *fo, const char *model, const char *file)
{
	struct err err = {0};
	struct recording r = {.model = model};
	struct flow *f = flow_open(fo, FLOW_SINK, "twin", NULL, &err);
	if (!f)
		return diag_err(&err);
	/* Errors come back as values; the default handler would abort. */
	gsl_set_error_handler_off();
	int bad = recording_read(&r, f, &err);
	if (!bad && !flow_failed(f))
		bad = fit(&r, file, &err);
	if (bad)
		flow_fail(f, &err);
	recording_release(&r);
	return modes_flush_report(flow_close(f));
}
