#include "stream/flow.h"

static int add_inputs(struct opt *t, struct flow_options *fo)
{
	int n = 0;
	t[n++] = (struct opt){'i', "input", "ENDPOINT",
		"read records here (repeatable; default -)", OPT_LIST, &fo->inputs, 0,
		0};
	t[n++] = (struct opt){0, "allow-truncated", NULL,
		"take a stream without its end record as whole", OPT_BOOL,
		&fo->allow_truncated, 0, 0};
	return n;
}

static int add_outputs(struct opt *t, struct flow_options *fo, bool sink)
{
	int n = 0;
	t[n++] = (struct opt){'o', "output", "ENDPOINT",
		sink ? "pass records on to here (repeatable)"
		     : "write records here (repeatable; default -)",
		OPT_LIST, &fo->outputs, 0, 0};
	t[n++] = (struct opt){0, "only", "KIND,...", "write only these kinds", OPT_STR,
		&fo->only, 0, 0};
	t[n++] = (struct opt){0, "drop", "KIND,...", "do not write these kinds",
		OPT_STR, &fo->drop, 0, 0};
	t[n++] = (struct opt){0, "flush-ms", "MS",
		"write out at least this often (default 50)", OPT_INT, &fo->flush_ms, 0,
		3600000};
	return n;
}

const struct opt *flow_options(struct flow_options *fo, enum flow_role role)
{
	*fo = (struct flow_options){
		.max_rejects = -1, .flush_ms = 50, .drain_timeout_ms = 10000};
	struct opt *t = fo->table;
	int n = role == FLOW_SOURCE ? 0 : add_inputs(t, fo);
	n += add_outputs(t + n, fo, role == FLOW_SINK);
	t[n++] = (struct opt){'n', "count", "N",
		role == FLOW_SOURCE ? "stop after writing N records"
				    : "stop after reading N records",
		OPT_INT, &fo->count, 1, 9e15};
	t[n++] = (struct opt){0, "reject", "FILE",
		"keep what cannot be used here, as NDJSON", OPT_STR, &fo->reject, 0, 0};
	t[n++] = (struct opt){0, "max-rejects", "N",
		"fail when more than N are rejected", OPT_INT, &fo->max_rejects, 0,
		9e15};
	t[n++] = (struct opt){0, "ledger", "FILE",
		"append the closing ledger to this file", OPT_STR, &fo->ledger, 0, 0};
	t[n++] = (struct opt){0, "metrics", "FILE",
		"write Prometheus metrics to this file", OPT_STR, &fo->metrics, 0, 0};
	t[n++] = (struct opt){0, "drain-timeout", "DURATION",
		"after a signal, end within (default 10s)", OPT_MS,
		&fo->drain_timeout_ms, 0, 0};
	t[n++] = (struct opt){0, "progress", NULL, "tell the progress on stderr",
		OPT_BOOL, &fo->progress, 0, 0};
	t[n++] = (struct opt){'q', "quiet", NULL, "no closing line on stderr", OPT_BOOL,
		&fo->quiet, 0, 0};
	t[n] = (struct opt){0};
	return fo->table;
}
