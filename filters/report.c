/*
 * report: what data is worth. --quality DIR checks a dataset directory in the classic
 * layout and says what in it cannot be believed.
 */
#include "base/diag.h"
#include "base/opt.h"
#include "report/quality.h"

#include <stdio.h>
#include <stdlib.h>

struct options {
	const char *quality, *output;
	bool json;
};

static const struct opt_usage USAGE = {"report", "--quality DIR [options]",
	"whether a dataset can be believed, check by check",
	"  report --quality classic-90d || echo 'not to be trusted'\n"
	"  report --quality classic-90d --json | jq '.checks[] | "
	"select(.verdict == \"fail\")'\n"};

static int write_out(const struct options *o, const struct buf *text, struct err *err)
{
	const char *name = o->output ? o->output : "<stdout>";
	FILE *f = o->output ? fopen(o->output, "we") : stdout;
	if (!f)
		return err_errno(err, "cannot create '%s'", name);
	bool bad = fwrite(text->data, 1, text->len, f) != text->len || fflush(f) != 0;
	int r = bad ? err_errno(err, "cannot write '%s'", name) : 0;
	if (o->output && fclose(f) != 0 && r == 0)
		r = err_errno(err, "cannot write '%s'", name);
	return r;
}

static int report(const struct options *o)
{
	struct err err = {0};
	struct buf text = {0};
	struct quality *q = malloc(sizeof(*q));
	int r = q ? quality_check(q, o->quality, &err) : err_nomem(&err);
	if (r == 0) {
		(o->json ? quality_json : quality_text)(q, &text);
		r = text.failed ? err_nomem(&err) : write_out(o, &text, &err);
	}
	bool bad = r == 0 && quality_verdict(q) == VERDICT_FAIL;
	buf_release(&text);
	free(q);
	if (r < 0)
		return diag_err(&err);
	return bad ? ERR_DATA : 0;
}

int main(int argc, char **argv)
{
	struct options o = {0};
	struct err err = {0};
	int first;
	const struct opt own[] = {{0, "quality", "DIR", "check this dataset directory",
					  OPT_STR, &o.quality, 0, 0},
		{0, "json", NULL, "as JSON", OPT_BOOL, &o.json, 0, 0},
		{'o', "output", "FILE", "write here (default: standard output)",
			OPT_STR, &o.output, 0, 0},
		{0}};
	int r = opt_parse(&USAGE, own, NULL, argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc)
		r = err_set(&err, ERR_USAGE, "unexpected operand '%s'", argv[first]);
	if (r == 0 && !o.quality)
		r = err_set(&err, ERR_USAGE, "say which dataset: --quality DIR");
	return r < 0 ? diag_err(&err) : report(&o);
}
