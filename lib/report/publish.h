/* The end of writing a dataset: it is read again, judged, and given its name. */
#ifndef REPORT_PUBLISH_H
#define REPORT_PUBLISH_H

#include "export/export.h"
#include "report/quality.h"

/*
 * Finishes the dataset, writes what quality_check says of it into it, and publishes it.
 * Returns 0 with *verdict, or -1.
 */
int report_publish(struct export *d, enum verdict *verdict, struct err *err);

#endif
