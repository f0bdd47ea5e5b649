/*
 * The charger of one string: float, boost after a discharge, equalise, discharge, rest.
 * CC-CV with a temperature-compensated set-point.
 */
#ifndef BATTERY_CHARGER_H
#define BATTERY_CHARGER_H

#include "battery/series.h"

/* A discharge: its current, and what ends it, whichever comes first. */
struct charger_load {
	double load_a;       /* positive */
	int64_t until;       /* TIME_NIL: no matter when */
	double most_ah;      /* taken out; INFINITY: no matter how much */
	double cutoff_v;     /* of the string: the load is dropped */
	double jar_cutoff_v; /* of any one block; -INFINITY: none */
};

struct charger {
	enum mode_names mode; /* float, boost, discharge, equalize, idle */
	int64_t since;        /* when this mode began */
	int64_t until;        /* TIME_NIL: open end (discharge, equalize, idle) */
	struct charger_load load;
	double load_factor, offset_v; /* done to it: 1 and 0; a block */
	double out_ah;                /* of the present or last discharge */
	int64_t last_discharge_end;   /* TIME_NIL: none in living memory */
};

/* On float since 'now'. */
void charger_init(struct charger *c, int64_t now);
/* Puts a load on the string. */
void charger_discharge(struct charger *c, int64_t now, const struct charger_load *load);
/* Boost voltage until 'until'; only from float (false otherwise). */
bool charger_equalize(struct charger *c, int64_t now, int64_t until);
/* Rests (charger off) until 'until', then boosts. */
void charger_rest(struct charger *c, int64_t now, int64_t until);

/* What holds the string now. */
struct battery_drive charger_drive(
	const struct charger *c, const struct battery_series *s);
/* The longest step that still follows what goes on, ms. */
int64_t charger_step_ms(const struct charger *c, int64_t now);

/*
 * After a step that ended at 'now': changes the mode where it is due. Returns true when
 * a discharge has just ended (c->out_ah, c->since still say which).
 */
bool charger_update(struct charger *c, const struct battery_series *s, int64_t now);

#endif
