/*
 * The closing ledger: what became of every record, per kind.
 *
 *	in + added = out + rejected + dropped
 *
 * 'unused' counts records that were passed on although the program could not use them.
 */
#ifndef STREAM_LEDGER_H
#define STREAM_LEDGER_H

#include "base/buf.h"
#include "record/kinds.h"

struct tally {
	int64_t in, out, added, rejected, dropped, unused;
};

struct ledger {
	struct tally kinds[KIND_MAX + 1];
	/* Names of kinds this build does not know are shown as "kind-N". */
};

struct tally ledger_total(const struct ledger *l);
bool ledger_balances(const struct ledger *l);
/* "in 10, out 12, added 2, rejected 0, dropped 0" */
void ledger_text(const struct ledger *l, struct buf *out);
/*
 * One NDJSON object and a newline:
 * {"program":…,"position":2,"chain":["simulate","featurize"],
 * "run":null,"status":0,"interrupted":false,"kinds":{"telemetry":{"in":…,"out":…,…}}}.
 */
void ledger_json(const struct ledger *l, const struct rec_origin *origin,
	const char *program, int status, bool interrupted, struct buf *out);
/* Prometheus counters floatline_records_total{program,kind,direction}. */
void ledger_metrics(const struct ledger *l, const char *program, struct buf *out);

#endif
