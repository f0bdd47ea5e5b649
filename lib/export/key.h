/*
 * Foreign identities of the classic layout: UUIDs made from the codes, so that the same
 * fleet has the same ones in every dataset (RFC 9562 version 8: bits of our own, two
 * hashes of the code).
 */
#ifndef EXPORT_KEY_H
#define EXPORT_KEY_H

#include "base/str.h"
#include "export/layout.h"

enum { EXPORT_KEY_SIZE = 37 };

/* The key of what 'code' and 'number' (a unit, a time) name in that file, into dst.
 * Returns dst. */
char *export_key(char dst[EXPORT_KEY_SIZE], enum layout_id file, struct str code,
	int64_t number);

#endif
