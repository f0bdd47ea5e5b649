/*
 * Database URLs and the names of migrations come from outside: they are read without
 * harm, and a scrubbed URL keeps its length.
 */
#include "db/migrate.h"
#include "db/text.h"
#include "db/url.h"

#include <assert.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char shown[512];
	enum db_kind kind;
	const char *rest;
	struct migration_file f;
	struct err err = {0};
	char *url = malloc(size + 1);
	if (!url)
		return 0;
	memcpy(url, data, size);
	url[size] = '\0';
	size_t n = strlen(url);
	text_storable(data, size);
	migration_file_parse(url, &f);
	db_url_kind(url, &kind, &rest, &err);
	db_url_show(url, shown, sizeof(shown), &err);
	db_url_scrub(url);
	assert(strlen(url) == n);
	struct buf out = {0};
	migration_expand("a = b\n", url, &out, &err);
	buf_release(&out);
	free(url);
	return 0;
}
