#include "ingest/mapping.h"

#include "base/buf.h"
#include "base/diag.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAPPING_FILE_MAX = 1 << 18 };

int mapping_load(struct mapping *m, const char *path, struct err *err)
{
	FILE *f = fopen(path, "rbe");
	if (!f)
		return err_errno(err, "cannot open mapping '%s'", path);
	char *text = malloc(MAPPING_FILE_MAX + 1);
	size_t n = text ? fread(text, 1, MAPPING_FILE_MAX + 1, f) : 0;
	bool failed = ferror(f);
	int r = -1;
	if (!text)
		err_nomem(err);
	else if (failed)
		err_errno(err, "cannot read mapping '%s'", path);
	else if (n > MAPPING_FILE_MAX || memchr(text, '\0', n))
		err_set(err, ERR_USAGE, "mapping '%s' is no mapping file", path);
	else
		r = 0;
	fclose(f);
	if (r == 0) {
		text[n] = '\0';
		r = mapping_parse(m, path, text, err);
	}
	free(text);
	return r;
}

int mapping_named(struct mapping *m, const char *name, struct err *err)
{
	char path[512], file[300];
	struct err none = {0};
	struct stat st;
	bool file_there = stat(name, &st) == 0 && !S_ISDIR(st.st_mode);
	if (strchr(name, '.') || file_there)
		return mapping_load(m, name, err);
	snprintf(file, sizeof(file), "schemas/mappings/%.200s.ini", name);
	if (share_path(file, path, sizeof(path), &none) < 0)
		return err_set(err, ERR_USAGE,
			"no mapping '%s': neither a file nor one of the bundled ones "
			"(schemas/mappings)",
			name);
	return mapping_load(m, path, err);
}

int mapping_column(const struct mapping *m, struct str c)
{
	if (c.len == 0)
		c = str_of("(unnamed)");
	if (str_is(c, m->time_column) || str_is(c, m->id_column) ||
		str_is(c, m->key_column))
		return 1;
	for (int i = 0; i < m->ntargets; i++)
		if (str_is(c, m->targets[i].column))
			return 1;
	for (int i = 0; i < m->nignored; i++)
		if (str_is(c, m->ignored[i]))
			return 0;
	return -1;
}

static bool has(const struct str *columns, int n, const char *name)
{
	if (!*name)
		return true;
	for (int i = 0; i < n; i++)
		if (str_is(columns[i], name))
			return true;
	return false;
}

static bool fits(const struct mapping *m, const struct str *columns, int n)
{
	for (int i = 0; i < n; i++)
		if (mapping_column(m, columns[i]) < 0)
			return false;
	for (int i = 0; i < m->ntargets; i++)
		if (!has(columns, n, m->targets[i].column))
			return false;
	return has(columns, n, m->time_column) && has(columns, n, m->id_column) &&
	       has(columns, n, m->key_column);
}

static int is_ini(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return n > 4 && strcmp(e->d_name + n - 4, ".ini") == 0;
}

/* Adds the name of each fitting mapping of the folder to 'found'; loads it into m. */
static int search(struct mapping *m, const char *sub, const struct str *columns, int n,
	struct buf *found, struct err *err)
{
	char dir[512], path[1024];
	struct dirent **list;
	int hits = 0;
	struct mapping *try = malloc(sizeof(*try));
	if (!try)
		return err_nomem(err);
	if (share_path(sub, dir, sizeof(dir), err) < 0) {
		free(try);
		return -1;
	}
	int count = scandir(dir, &list, is_ini, alphasort);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), "%.500s/%.300s", dir, list[i]->d_name);
		struct err bad = {0};
		if (mapping_load(try, path, &bad) == 0 && fits(try, columns, n)) {
			buf_printf(found, " %s", list[i]->d_name);
			*m = *try;
			hits++;
		}
		free(list[i]);
	}
	if (count >= 0)
		free(list);
	free(try);
	return hits;
}

int mapping_detect(struct mapping *m, const struct str *columns, int n,
	const char *source, struct err *err)
{
	struct buf found = {0};
	int a = search(m, "schemas/mappings", columns, n, &found, err);
	int b = a < 0 ? -1
		      : search(m, "schemas/mappings/classic", columns, n, &found, err);
	if (b < 0) {
		buf_release(&found);
		return -1;
	}
	int r = 0;
	buf_putc(&found, '\0');
	if (a + b == 0)
		r = err_set(err, ERR_USAGE,
			"'%s': no bundled mapping has these columns; say --mapping "
			"FILE, "
			"and 'ingest --guess %s' writes one to begin with",
			source, source);
	else if (a + b > 1)
		r = err_set(err, ERR_USAGE,
			"'%s': several bundled mappings fit (%s ): say --mapping",
			source, (const char *)found.data);
	buf_release(&found);
	return r;
}
