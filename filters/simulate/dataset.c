/* The run as a dataset directory, beside the stream. */
#include "simulate.h"

#include "base/diag.h"
#include "report/publish.h"

#include <unistd.h>

int dataset_begin(struct simulation *s, const struct options *o, struct err *err)
{
	s->truth_streamed = o->truth;
	if (!o->dataset)
		return 0;
	s->dataset = export_open(o->dataset, err);
	s->world.states = s->dataset != NULL;
	return s->dataset ? 0 : -1;
}

void dataset_add(
	struct simulation *s, int kind, int64_t n, const uint8_t *p, size_t len)
{
	struct err err = {0};
	if (s->dataset && !flow_failed(s->flow) &&
		export_run(s->dataset, kind, n, p, len, &err) < 0)
		flow_fail(s->flow, &err);
}

bool dataset_end(struct simulation *s, const struct options *o, bool quiet)
{
	struct err err = {0};
	enum verdict verdict;
	if (!s->dataset || flow_failed(s->flow))
		return true;
	if (flow_interrupted(s->flow)) {
		diag("interrupted: the dataset '%s' was not written", o->dataset);
		return false;
	}
	if (report_publish(s->dataset, &verdict, &err) < 0)
		flow_fail(s->flow, &err);
	else if (!quiet)
		diag("dataset '%s' is written; its data quality report says %s",
			o->dataset, verdict_name(verdict));
	return true;
}

void dataset_beside(const struct options *o, struct flow_options *fo)
{
	fo->beside = o->dataset != NULL;
	if (o->dataset && fo->outputs.n == 0 && isatty(STDOUT_FILENO))
		fo->outputs.v[fo->outputs.n++] = "/dev/null";
}
