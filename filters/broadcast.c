/*
 * broadcast: a stream to any number of ZeroMQ subscribers. The topics, sequence numbers
 * the schema records and the snapshot for late subscribers are those of the pub:
 * endpoint (lib/stream); this is the program that reads a pipe and feeds it.
 */
#include "base/buf.h"
#include "base/diag.h"
#include "stream/flow.h"

static const struct opt_usage USAGE = {"broadcast", "[options]",
	"a stream to any number of ZeroMQ subscribers",
	"  simulate --live | broadcast --snapshot 'tcp://*:5557'\n"
	"  decode -i 'sub:tcp://localhost:5556?snapshot=tcp://localhost:5557'\n"};

struct options {
	const char *bind, *snapshot;
	int64_t hwm, subscribers;
};

/* Appends the pub: endpoint that the options describe to the outputs of fo. */
static int add_output(struct flow_options *fo, const struct options *o,
	struct buf *text, struct err *err)
{
	buf_printf(text, "pub:@%s%chwm=%lld", o->bind + (o->bind[0] == '@'),
		strchr(o->bind, '?') ? '&' : '?', (long long)o->hwm);
	if (o->subscribers)
		buf_printf(text, "&subscribers=%lld", (long long)o->subscribers);
	if (o->snapshot)
		buf_printf(
			text, "&snapshot=@%s", o->snapshot + (o->snapshot[0] == '@'));
	buf_putc(text, '\0');
	if (text->failed)
		return err_nomem(err);
	if (fo->outputs.n == STRLIST_MAX)
		return err_set(err, ERR_USAGE, "more than %d outputs", STRLIST_MAX);
	fo->outputs.v[fo->outputs.n++] = (const char *)text->data;
	return 0;
}

static int run(const struct flow_options *fo, struct err *err)
{
	struct record rec;
	struct flow *f = flow_open(fo, FLOW_SINK, "broadcast", NULL, err);
	if (!f)
		return diag_err(err);
	while (flow_next(f, &rec) > 0)
		flow_pass(f, &rec);
	return flow_close(f);
}

int main(int argc, char **argv)
{
	struct options o = {.bind = "tcp://*:5556", .hwm = 100000};
	struct flow_options fo = {0};
	struct buf text = {0};
	struct err err = {0};
	int first;
	const struct opt own[] = {
		{'b', "bind", "ADDRESS", "where subscribers connect (tcp://*:5556)",
			OPT_STR, &o.bind, 0, 0},
		{0, "hwm", "N", "messages kept for a slow subscriber (100000)", OPT_INT,
			&o.hwm, 1, 1e9},
		{0, "snapshot", "ADDRESS", "where late subscribers ask for the state",
			OPT_STR, &o.snapshot, 0, 0},
		{0, "wait-subscribers", "N", "start when so many have subscribed",
			OPT_INT, &o.subscribers, 1, 1e6},
		{0}};
	int r = opt_parse(
		&USAGE, own, flow_options(&fo, FLOW_SINK), argc, argv, &first, &err);
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE,
			"'%s': broadcast reads no files by name, use -i", argv[first]);
	if (r == 0)
		r = add_output(&fo, &o, &text, &err);
	int status = r < 0 ? diag_err(&err) : r == OPT_EXIT ? 0 : run(&fo, &err);
	buf_release(&text);
	return status;
}
