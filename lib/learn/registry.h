/*
 * The model registry: a folder of versions, each a model directory named by its id, and
 * two names for them, symbolic links: 'production' (what serves) and 'staging' (what
 * was registered last, the candidate).
 *
 *	REGISTRY/aft-1f00c0ffee00/   model.json, booster.ubj
 *	REGISTRY/production -> aft-1f00c0ffee00
 *	REGISTRY/staging -> aft-2bad2bad2bad
 *	REGISTRY/history             a line a change of production, oldest first:
 *	                             TIME promote|rollback|found FROM TO
 *
 * Versions never change once they are in. A name changes by one rename of a new link
 * over the old one: who looks sees the old version or the new one, and so after a crash
 * at any moment. The history line is written and synced before that rename; a line
 * whose change did not come to pass is taken back by the next writer, as is a line cut
 * short. A production somebody linked by hand is noted as 'found'.
 *
 * Writers exclude each other by a lock on REGISTRY/.lock; readers need none.
 */
#ifndef LEARN_REGISTRY_H
#define LEARN_REGISTRY_H

#include "learn/model.h"

enum { REGISTRY_PATH = 4096 };

#define REGISTRY_PRODUCTION "production"
#define REGISTRY_STAGING "staging"

struct registry;

/*
 * Opens dir; for writing also makes it if it is missing, takes the lock (waiting for
 * it) and clears away what a killed writer left. Returns NULL with ERR_IO.
 */
struct registry *registry_open(const char *dir, bool writing, struct err *err);
void registry_close(struct registry *r);

/* The path of a version, or of production or staging; it need not be there. Returns 0,
 * or -1 when it is too long. */
int registry_path(
	const struct registry *r, const char *name, char *path, struct err *err);
/* The version a name stands for into id; a version stands for itself. Returns 1, 0 when
 * there is no such thing, or -1. */
int registry_resolve(const struct registry *r, const char *name, char id[CODE_MAX + 1],
	struct err *err);

/* Calls 'each' with every version's id, in order of the ids. Returns 0, or -1. */
int registry_each(const struct registry *r, void (*each)(void *to, const char *id),
	void *to, struct err *err);

/* The following need a registry opened for writing. now_ms is for the history. */

/* Where a new version is to be written (model_save), to be adopted then. */
const char *registry_incoming(const struct registry *r);
/* Checks the incoming model, gives it its place and makes it staging. id gets its id. A
 * version that is there already stays as it is. Returns 0, or -1 (ERR_DATA: it does not
 * load). */
int registry_adopt(struct registry *r, char id[CODE_MAX + 1], struct err *err);
/* Copies the model directory 'from' to the place of a new version. Returns 0, or -1. */
int registry_fetch(struct registry *r, const char *from, struct err *err);

/*
 * Makes 'name' (a version or staging) production, if it loads. was and now get the
 * versions before ("" for none) and after. Returns 1, 0 when it is production already,
 * or -1: no such version, damaged, a file failed.
 */
int registry_promote(struct registry *r, const char *name, int64_t now_ms,
	char was[CODE_MAX + 1], char now[CODE_MAX + 1], struct err *err);
/* Makes production what was production before the last promotion not yet taken back.
 * Returns 1, or -1 (ERR_DATA: there is none before, or it does not load). */
int registry_rollback(struct registry *r, int64_t now_ms, char was[CODE_MAX + 1],
	char now[CODE_MAX + 1], struct err *err);

#endif
