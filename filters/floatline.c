/*
 * floatline NAME …: runs any of the programs. The one name installed into bin, so that
 * words as common as 'store' never shadow another command.
 */
#include "base/buf.h"
#include "base/diag.h"
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, NAME_LIMIT = 32 };

static const struct program {
	const char *name, *summary;
} PROGRAMS[] = {
	{"simulate", "a physically right fleet: telemetry, events and the truth"},
	{"ingest", "CSV, NDJSON and dataset directories into a stream"},
	{"featurize", "features per battery and window"},
	{"twin", "a digital twin per battery: charge, health, autonomy, life left"},
	{"train", "a model of remaining life from features and the truth"},
	{"predict", "remaining useful life from the model and the twin"},
	{"alert", "alerts with a life cycle, grouped into incidents"},
	{"store", "a stream into SQLite or PostgreSQL; migrations"},
	{"broadcast", "a stream to any number of ZeroMQ subscribers"},
	{"bridge", "the fleet over HTTP: REST, with login"},
	{"decode", "records as NDJSON, CSV or a table"},
	{"encode", "NDJSON or CSV as records"},
	{"report", "whether a dataset directory can be believed"},
	{"ledger", "check that no record of a pipeline was lost"}, {NULL, NULL}};

static const struct program *find(const char *name)
{
	for (const struct program *p = PROGRAMS; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static size_t least(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Edit distance (Levenshtein): insertions, deletions and replacements between a and b.
 */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_LIMIT + 1];
	size_t n = strlen(b);
	if (n > NAME_LIMIT)
		return n;
	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t above = row[j];
			row[j] = least(row[j - 1] + 1, above + 1,
				diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[n];
}

static int unknown(const char *name)
{
	const struct program *best = NULL;
	size_t d = 4; /* farther than this is no typing error */
	for (const struct program *p = PROGRAMS; p->name; p++) {
		size_t dp = distance(p->name, name);
		if (dp < d) {
			d = dp;
			best = p;
		}
	}
	if (best)
		diag("unknown program '%s', did you mean '%s'?", name, best->name);
	else
		diag("unknown program '%s', see floatline --help", name);
	return ERR_USAGE;
}

/* The folder this program was started from, without the slash. */
static int own_folder(char *dst, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", dst, size - 1);
	if (n <= 0)
		return -1;
	dst[n] = '\0';
	char *slash = strrchr(dst, '/');
	if (!slash)
		return -1;
	*slash = '\0';
	return 0;
}

static bool readable(
	char *dst, const char *folder, const char *middle, const char *name, int mode)
{
	int n = snprintf(dst, PATH_SIZE, "%s%s%s", folder, middle, name);
	return n > 0 && n < PATH_SIZE && access(dst, mode) == 0;
}

/*
 * Where a program is: beside us in a build tree, else in libexec next to the bin we are
 * in, else where the build was told. Only a build tree is searched for a plain 'store'.
 */
static bool locate(char *dst, const char *name)
{
	char own[PATH_SIZE];
	if (own_folder(own, sizeof(own)) == 0) {
		if (strstr(own, "/build/") && readable(dst, own, "/", name, X_OK))
			return true;
		if (readable(dst, own, "/../libexec/floatline/", name, X_OK))
			return true;
	}
	return readable(dst, FL_LIBEXECDIR, "/", name, X_OK);
}

static int run(const char *name, char **argv)
{
	char path[PATH_SIZE];
	if (!find(name))
		return unknown(name);
	if (!locate(path, name)) {
		diag("cannot find the program '%s' in %s: install floatline again",
			name, FL_LIBEXECDIR);
		return ERR_IO;
	}
	execv(path, argv);
	diag("cannot run '%s': %s", path, strerror(errno));
	return ERR_IO;
}

/* The page in the tree this program was installed into. */
static bool installed_page(char *dst, const char *page)
{
	char own[PATH_SIZE], name[80];
	snprintf(name, sizeof(name), "%s.1", page);
	return own_folder(own, sizeof(own)) == 0 &&
	       readable(dst, own, "/../share/man/man1/", name, R_OK);
}

/* Its man page: of the build tree, else the installed one; --help where there is no
 * man(1). */
static int help(const char *name)
{
	char page[64], file[PATH_SIZE], path[PATH_SIZE];
	if (!find(name))
		return unknown(name);
	snprintf(page, sizeof(page), "floatline-%s", name);
	snprintf(path, sizeof(path), "man/%s.1", page);
	if (share_path(path, file, sizeof(file), NULL) == 0 ||
		installed_page(file, page))
		execlp("man", "man", "-l", file, (char *)NULL);
	else
		execlp("man", "man", page, (char *)NULL);
	char *argv[] = {path, file, NULL};
	snprintf(path, sizeof(path), "%s", name);
	snprintf(file, sizeof(file), "--help");
	return run(name, argv);
}

static int own_options(int argc, char **argv)
{
	struct buf notes = {0};
	struct err err = {0};
	int first;
	buf_puts(&notes, "programs:\n");
	for (const struct program *p = PROGRAMS; p->name; p++)
		buf_printf(&notes, "  %-10s  %s\n", p->name, p->summary);
	buf_puts(&notes, "\nfloatline help PROGRAM shows its manual page, floatline "
			 "PROGRAM --help its options.\n");
	buf_putc(&notes, '\0');
	const struct opt_usage usage = {"floatline", "PROGRAM [argument ...]",
		"run a program of floatline", notes.failed ? NULL : (char *)notes.data};
	const struct opt none[] = {{0}};
	int r = opt_parse(&usage, none, NULL, argc, argv, &first, &err);
	buf_release(&notes);
	if (r == OPT_EXIT)
		return 0;
	if (r < 0)
		return diag_err(&err);
	diag("which program? see floatline --help");
	return ERR_USAGE;
}

int main(int argc, char **argv)
{
	if (argc < 2 || argv[1][0] == '-')
		return own_options(argc < 2 ? argc : 2, argv);
	if (strcmp(argv[1], "help") == 0) {
		char *show[] = {argv[0], (char[]){"--help"}, NULL};
		return argc > 2 ? help(argv[2]) : own_options(2, show);
	}
	return run(argv[1], argv + 1);
}
