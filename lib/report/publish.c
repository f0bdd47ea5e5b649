#include "report/publish.h"

#include "export/layout.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int write_report(const struct quality *q, const char *dir, struct err *err)
{
	char path[4400];
	struct buf text = {0};
	snprintf(path, sizeof(path), "%.4300s/" LAYOUT_REPORT, dir);
	quality_text(q, &text);
	int r = text.failed ? err_nomem(err) : 0;
	FILE *f = r == 0 ? fopen(path, "wxe") : NULL;
	if (r == 0 && !f)
		r = err_errno(err, "cannot create '%s'", path);
	if (f) {
		if (fwrite(text.data, 1, text.len, f) != text.len || fflush(f) != 0 ||
			fsync(fileno(f)) < 0)
			r = err_errno(err, "cannot write '%s'", path);
		if (fclose(f) != 0 && r == 0)
			r = err_errno(err, "cannot write '%s'", path);
	}
	buf_release(&text);
	return r;
}

int report_publish(struct export *d, enum verdict *verdict, struct err *err)
{
	struct quality *q = malloc(sizeof(*q));
	int r = q ? export_finish(d, err) : err_nomem(err);
	if (r == 0)
		r = quality_check(q, export_folder(d), err);
	if (r == 0) {
		*verdict = quality_verdict(q);
		r = write_report(q, export_folder(d), err);
	}
	if (r == 0)
		r = export_publish(d, err);
	free(q);
	return r;
}
