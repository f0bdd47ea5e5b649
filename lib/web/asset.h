/*
 * The files of the web page, read once at the start: what is asked for is looked up in
 * a table, never in the file system, so no path leads out of the folder. What gets
 * smaller by it is kept compressed as well, made once at the start: no file beside the
 * files that could be older than they. Read-only after assets_load: any thread may look
 * things up.
 */
#ifndef WEB_ASSET_H
#define WEB_ASSET_H

#include "web/http.h"

struct assets;

/*
 * Reads every regular file below dir, at most ASSETS_BYTES_MAX in all. NULL with err:
 * ERR_IO unreadable, or larger than that.
 */
enum { ASSETS_BYTES_MAX = 16 << 20 };
struct assets *assets_load(const char *dir, struct err *err);
/* Accepts NULL. */
void assets_free(struct assets *a);

/*
 * Answers a request for a file: "/" is index.html. 200, with gzip for who takes it; 304
 * where the client has it already (If-None-Match, by encoding); 404; 405 for another
 * method than GET. a may be NULL: there is no page.
 */
void assets_serve(
	const struct assets *a, const struct request *req, struct response *res);

#endif
