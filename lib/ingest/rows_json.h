/* NDJSON rows, for rows.c alone: one flat object of numbers, strings, booleans. */
#ifndef INGEST_ROWS_JSON_H
#define INGEST_ROWS_JSON_H

#include "ingest/rows.h"

/* Reads the object in line into r->row: one field per r->names, nil where absent or
 * null. Returns 1, or -1 when out of memory. Malformed: a defect. */
int json_row(struct rows *r, struct str line, struct err *err);
/* Its keys as fields, in the order of the text. Returns 1, or -1 with ERR_DATA. */
int json_keys(struct rows *r, struct str line, struct err *err);

#endif
