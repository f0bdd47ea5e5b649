/*
 * INI files of fixed keys: a table says which key goes where, with which bounds.
 * Unknown keys, repeated keys and values that are no number are errors, not guesses.
 */
#ifndef BASE_INIFILE_H
#define BASE_INIFILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum inifile_type {
	INIFILE_F64,  /* double within min..max */
	INIFILE_INT,  /* int within min..max */
	INIFILE_TEXT, /* char[size] */
	INIFILE_LIST, /* up to 'size' doubles within min..max; their number goes to int
			 at 'count' */
};

struct inifile_key {
	const char *section, *name; /* section NULL ends the table; at most 128 keys */
	enum inifile_type type;
	bool need;
	size_t offset;   /* into the struct */
	double min, max; /* both 0: any */
	size_t size;     /* TEXT, LIST */
	size_t count;    /* LIST: offset of its length */
};

/*
 * Reads the file at path into 'out' by the table. Keys that are absent and not needed
 * leave their field as it is. Returns 0, or -1: ERR_IO when it cannot be read,
 * ERR_USAGE naming file, line and key (and nothing of 'out' may be used).
 */
int inifile_load(
	const char *path, const struct inifile_key *keys, void *out, struct err *err);

/*
 * One key for readers of files with sections of their own ([site X], [site Y] …): sets
 * the field of 'out' that 'name' of table section 'section' stands for. Returns 0, or
 * -1 with ERR_USAGE (no line: the caller knows it).
 */
int inifile_set(const struct inifile_key *keys, const char *section, const char *name,
	const char *value, void *out, struct err *err);

/* One 'key = value' of a section; returns 0 when it is wrong, else anything. */
typedef int inifile_fn(
	void *user, const char *section, const char *name, const char *value);

/*
 * Calls fn with each key of the file at path, in order, for readers without a table.
 * fault is where fn leaves the reason why the first key was wrong. Returns 0, or -1:
 * ERR_IO when the file cannot be read, ERR_USAGE naming file, line and reason.
 */
int inifile_each(const char *path, inifile_fn *fn, void *user, const struct err *fault,
	struct err *err);

#endif
