/* alert --test: the tests of a rule file. */
#include "watch.h"

#include "base/diag.h"
#include "rules/rule_test.h"

#include <stdio.h>

enum { TEST_FILE_MAX = 1 << 20 };

static void print(void *user, const char *name, const char *why)
{
	int *n = user;
	printf("%s %d %s\n", why ? "not ok" : "ok", ++*n, name);
	if (why)
		printf("# %s\n", why);
}

static int read_text(const char *path, struct buf *out, struct err *err)
{
	FILE *in = fopen(path, "re");
	size_t n = 1;
	if (!in)
		return err_errno(err, "cannot open '%s'", path);
	while (n > 0 && out->len <= TEST_FILE_MAX && buf_reserve(out, 4096) == 0) {
		n = fread(out->data + out->len, 1, 4096, in);
		out->len += n;
	}
	int r = ferror(in)    ? err_errno(err, "cannot read '%s'", path)
		: out->failed ? err_nomem(err)
		: out->len > TEST_FILE_MAX
			? err_set(err, ERR_IO, "'%s' is larger than 1 MiB", path)
			: 0;
	fclose(in);
	return r;
}

int test_rules(const struct watch_options *o, const char *file)
{
	struct err err = {0};
	struct buf text = {0};
	int n = 0, failed = -1;
	struct rule_set *rules = load_rules(o->rules, &err);
	if (rules && read_text(file, &text, &err) == 0)
		failed = rule_tests_run(rules, o->model, (const char *)text.data,
			text.len, file, print, &n, &err);
	buf_release(&text);
	free_rules(rules);
	if (failed < 0)
		return diag_err(&err);
	printf("1..%d\n", n);
	if (fflush(stdout) != 0) {
		err_errno(&err, "cannot write");
		return diag_err(&err);
	}
	return failed > 0 ? ERR_DATA : 0;
}
