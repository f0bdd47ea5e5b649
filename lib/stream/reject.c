#include "stream/reject.h"

#include "base/diag.h"
#include "record/text.h"

int rejects_open(
	struct rejects *r, const char *path, const char *program, struct err *err)
{
	*r = (struct rejects){.path = path, .program = program};
	if (path && !(r->file = fopen(path, "we")))
		return err_errno(err, "cannot open reject file '%s'", path);
	return 0;
}

void rejects_add(struct rejects *r, const char *source, int64_t number, bool line,
	const char *kind, const char *reason, struct str original, bool original_json)
{
	if (r->n++ == 0 && !r->file)
		diag("%s: %s %lld: %s; use --reject FILE to keep such records", source,
			line ? "line" : "record", (long long)number, reason);
	if (!r->file)
		return;
	struct buf *b = &r->line;
	buf_clear(b);
	buf_puts(b, "{\"program\":");
	text_json_string(str_of(r->program), b);
	buf_puts(b, ",\"source\":");
	text_json_string(str_of(source), b);
	buf_printf(b, ",\"%s\":%lld,\"kind\":", line ? "line" : "record",
		(long long)number);
	text_json_string(str_of(kind), b);
	buf_puts(b, ",\"reason\":");
	text_json_string(str_of(reason), b);
	buf_puts(b, ",\"original\":");
	if (original_json)
		buf_append(b, original.s, original.len);
	else
		text_json_string(original, b);
	buf_puts(b, "}\n");
	fwrite(b->data, 1, b->len,
		r->file); /* errors stick to the file: checked on close */
}

void rejects_flush(struct rejects *r)
{
	if (r->file)
		fflush(r->file);
}

int rejects_close(struct rejects *r, struct err *err)
{
	int status = 0;
	if (r->file) {
		bool bad = ferror(r->file) != 0;
		if (fclose(r->file) != 0 || bad)
			status = err_errno(
				err, "cannot write reject file '%s'", r->path);
	}
	r->file = NULL;
	buf_release(&r->line);
	return status;
}
