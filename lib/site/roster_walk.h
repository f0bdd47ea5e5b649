/* The roster in a state that outlives a run. */
#ifndef SITE_ROSTER_WALK_H
#define SITE_ROSTER_WALK_H

#include "base/walk.h"
#include "site/roster.h"

/*
 * Writes the roster, or reads it into an empty one. The records behind it are written
 * as they lie in memory: the state's heading must tell sizeof(struct roster_battery).
 */
void roster_walk(struct walk *k, struct roster *r);

#endif
