#include "report/fleet.h"

#include "record/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_folder(const char *dir, struct err *err)
{
	struct stat st;
	if (strlen(dir) > 4000)
		return err_set(err, ERR_USAGE, "'%.80s' is too long a name", dir);
	if (stat(dir, &st) < 0)
		return err_errno(err, "cannot read '%s'", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_USAGE, "'%s' is not a directory", dir);
	return 0;
}

static bool has_any(const struct quality *q)
{
	const struct check *c = &q->checks[CHECK_FILES];
	return c->found < c->checked;
}

int quality_check(struct quality *q, const char *dir, struct err *err)
{
	if (check_folder(dir, err) < 0)
		return -1;
	memset(q, 0, sizeof(*q));
	snprintf(q->dir, sizeof(q->dir), "%s", dir);
	struct fleet_facts *f = calloc(1, sizeof(*f));
	if (!f)
		return err_nomem(err);
	int r = fleet_read(q, f, err);
	if (r == 0)
		r = samples_read(q, f, err);
	if (r == 0)
		r = transactions_read(q, f, err);
	if (r == 0) {
		states_read(q, f);
		judge(q, f);
		if (!has_any(q))
			r = err_set(err, ERR_USAGE,
				"'%s' has no file of the classic layout", dir);
	}
	fleet_release(f);
	free(f);
	return r;
}

enum verdict quality_verdict(const struct quality *q)
{
	enum verdict worst = VERDICT_PASS;
	for (int i = 0; i < CHECKS; i++)
		if (q->checks[i].verdict != VERDICT_OPEN &&
			q->checks[i].verdict > worst)
			worst = q->checks[i].verdict;
	return worst;
}

static void text_check(const struct check *c, enum check_id id, struct buf *out)
{
	buf_printf(out, "%-4s  %-18s  %s\n", verdict_name(c->verdict), check_name(id),
		check_title(id));
	buf_printf(out, "      %-18s  %" PRId64 " checked, %" PRId64 " found", "",
		c->checked, c->found);
	buf_printf(out, "%s%s\n", *c->summary ? "; " : "", c->summary);
	for (int i = 0; i < c->noffenders; i++) {
		const struct offender *o = &c->first[i];
		buf_printf(out, "        %s", o->file);
		if (o->line > 0)
			buf_printf(out, ":%" PRId64, o->line);
		buf_printf(out, ": %s\n", o->what);
	}
	if (c->found > c->noffenders)
		buf_printf(out, "        … and %" PRId64 " more\n",
			c->found - c->noffenders);
}

void quality_text(const struct quality *q, struct buf *out)
{
	int count[VERDICT_FAIL + 1] = {0};
	for (enum check_id id = 0; id < CHECKS; id++) {
		text_check(&q->checks[id], id, out);
		count[q->checks[id].verdict]++;
	}
	buf_printf(out,
		"%s: %d of %d checks pass, %d warn, %d fail, %d could not be judged "
		"(%" PRId64 " rows)\n",
		verdict_name(quality_verdict(q)), count[VERDICT_PASS], CHECKS,
		count[VERDICT_WARN], count[VERDICT_FAIL], count[VERDICT_OPEN], q->rows);
}

static void member(struct buf *out, const char *name, const char *text)
{
	buf_printf(out, "\"%s\":", name);
	text_json_string(str_of(text), out);
}

static void json_check(const struct check *c, enum check_id id, struct buf *out)
{
	buf_puts(out, "{");
	member(out, "check", check_name(id));
	buf_puts(out, ",");
	member(out, "title", check_title(id));
	buf_puts(out, ",");
	member(out, "verdict", verdict_name(c->verdict));
	buf_printf(out, ",\"checked\":%" PRId64 ",\"found\":%" PRId64 ",", c->checked,
		c->found);
	member(out, "summary", c->summary);
	buf_puts(out, ",\"first\":[");
	for (int i = 0; i < c->noffenders; i++) {
		buf_puts(out, i ? ",{" : "{");
		member(out, "file", c->first[i].file);
		if (c->first[i].line > 0)
			buf_printf(out, ",\"line\":%" PRId64 ",", c->first[i].line);
		else
			buf_puts(out, ",\"line\":null,");
		member(out, "what", c->first[i].what);
		buf_puts(out, "}");
	}
	buf_puts(out, "]}");
}

void quality_json(const struct quality *q, struct buf *out)
{
	buf_puts(out, "{");
	member(out, "verdict", verdict_name(quality_verdict(q)));
	buf_printf(out, ",\"rows\":%" PRId64 ",\"checks\":[\n", q->rows);
	for (enum check_id id = 0; id < CHECKS; id++) {
		json_check(&q->checks[id], id, out);
		buf_puts(out, id + 1 < CHECKS ? ",\n" : "\n");
	}
	buf_puts(out, "]}\n");
}
