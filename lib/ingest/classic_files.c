#include "ingest/classic_parts.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char FOREIGN[] = "ignored: a foreign result, no measurement";

bool classic_find(const char *dir, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%.3900s/%s.csv", dir, name);
	if (access(out, F_OK) == 0)
		return true;
	snprintf(out, size, "%.3900s/%s.csv.gz", dir, name);
	return access(out, F_OK) == 0;
}

bool classic_is(const char *dir)
{
	char path[4096];
	return classic_find(dir, "battery", path, sizeof(path)) ||
	       classic_find(dir, "telemetry_jar_raw", path, sizeof(path));
}

static struct classic_file *classic_add_file(
	struct classic *c, const char *path, const char *role)
{
	if (c->nfiles == CLASSIC_FILES_MAX)
		return NULL;
	struct classic_file *f = &c->files[c->nfiles++];
	const char *base = strrchr(path, '/');
	*f = (struct classic_file){.role = role};
	snprintf(f->name, sizeof(f->name), "%s", base ? base + 1 : path);
	return f;
}

int classic_open_file(struct classic *c, const char *name, const char *role,
	struct source **out, struct err *err)
{
	char path[4096], mapping[96];
	*out = NULL;
	if (!classic_find(c->dir, name, path, sizeof(path)))
		return 0;
	snprintf(mapping, sizeof(mapping), "classic/%s", name);
	*out = source_open(path, mapping, &c->env, err);
	if (!*out)
		return -1;
	return classic_add_file(c, path, role)
		       ? 1
		       : err_set(err, ERR_DATA, "too many files");
}

static struct classic_file *file_of(struct classic *c, const struct source *s)
{
	const char *base = strrchr(s->path, '/');
	for (int i = 0; i < c->nfiles; i++)
		if (strcmp(c->files[i].name, base ? base + 1 : s->path) == 0)
			return &c->files[i];
	return NULL;
}

void classic_account(struct classic *c, const struct source *s, int64_t unused)
{
	struct classic_file *f = file_of(c, s);
	if (!f)
		return;
	f->rows = s->nrows;
	f->emitted = s->nemitted - unused;
	f->ignored = unused;
	f->rejected = s->nrejected;
	f->columns_ignored = s->nignored;
}

static bool known(const struct classic *c, const char *name)
{
	for (int i = 0; i < c->nfiles; i++)
		if (strcmp(c->files[i].name, name) == 0)
			return true;
	return false;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);
	return n >= k && strcmp(s + n - k, end) == 0;
}

static int count_rows(const char *path, int64_t *n, struct err *err)
{
	struct text text;
	struct rows *rows = malloc(sizeof(*rows));
	int r = rows ? text_open(&text, path, err) : err_nomem(err);
	if (r == 0) {
		r = rows_open(rows, &text, ',', err);
		*n = -1; /* the header */
		while (r == 0 && (r = rows_next(rows, err)) > 0) {
			r = 0;
			++*n;
		}
		*n = *n < 0 ? 0 : *n;
		rows_close(rows);
		text_close(&text);
	}
	free(rows);
	return r;
}

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int classic_count_ignored(struct classic *c, struct err *err)
{
	struct dirent **list;
	char path[4096];
	int r = 0, n = scandir(c->dir, &list, visible, alphasort);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;
		snprintf(path, sizeof(path), "%.3800s/%.255s", c->dir, name);
		if (r == 0 && !known(c, name)) {
			struct classic_file *f = classic_add_file(c, path, FOREIGN);
			if (f &&
				(ends_with(name, ".csv") || ends_with(name, ".csv.gz")))
				r = count_rows(path, &f->ignored, err);
			if (f)
				f->rows = f->ignored;
		}
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return r;
}

const struct classic_file *classic_file(struct classic *c, int i)
{
	for (int k = 0; k < SERIES; k++)
		if (c->series[k].source)
			classic_account(c, c->series[k].source, 0);
	return i < c->nfiles ? &c->files[i] : NULL;
}
