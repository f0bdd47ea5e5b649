/*
 * The book of a fleet: a CSV with a row for every battery, whose code says where it
 * stands (DC-BKK-01-UPS-02-S3-J07). Columns, by name: 'code' or 'battery_code' is
 * needed; 'installed' or 'installed_date' (ISO 8601), 'initial_capacity_ah' and
 * 'initial_resistance_mohm' are taken where they are there; any others are not looked
 * at. So the battery.csv of a dataset is one, and what 'decode --kind battery --csv'
 * prints. Rows of the same code are units of one position, of which the last stands.
 */
#ifndef INGEST_FLEET_BOOK_H
#define INGEST_FLEET_BOOK_H

#include "ingest/text.h"
#include "site/fleet.h"

/* Whether a file of that name is taken for a book: it ends in .csv or .csv.gz. */
bool fleet_book_is(const char *path);

/*
 * Puts the book in place of the layout of f, whose sites it names, or clones of them.
 * fleet_unload frees it. Returns 0, or -1: ERR_IO when it cannot be read, ERR_USAGE
 * naming file, line and what is wrong.
 */
int fleet_book_read(struct fleet *f, const char *path, struct err *err);
/* The same from t, which stays open. */
int fleet_book_text(struct fleet *f, struct text *t, struct err *err);

#endif
