/*
 * A mapping for an unknown CSV file: a beginning for a person to correct, with its
 * doubts as comments. What is printed works as it is.
 */
#ifndef INGEST_GUESS_H
#define INGEST_GUESS_H

#include "base/buf.h"
#include "base/err.h"

/* Appends the mapping of the CSV file at path to 'out'. Returns 0, or -1: ERR_IO;
 * ERR_DATA when it is no CSV with a header. */
int guess_mapping(const char *path, struct buf *out, struct err *err);

#endif
