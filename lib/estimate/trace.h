/*
 * A recorded run of one battery in memory: what a model is identified from and a twin
 * is measured against. Cut into segments where the record has gaps, and every point
 * belongs to a phase.
 */
#ifndef ESTIMATE_TRACE_H
#define ESTIMATE_TRACE_H

#include "estimate/openloop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_phase {
	TRACE_REST,
	TRACE_DISCHARGE,
	TRACE_CHARGE, /* below the gassing voltage, 2.40 V a cell */
	TRACE_FULL,   /* above it, and until the next discharge: the circuit has no
			 equation for this voltage */
	TRACE_PHASES
};

struct trace_point {
	int64_t ts;
	double voltage_v, current_a, temperature_c; /* no NaN */
	double mean_a; /* over the interval before it; set by trace_prepare */
	uint8_t phase;
	bool starts; /* first of a segment */
	bool blind;  /* no voltage was measured: that of the one before */
};

struct trace {
	struct trace_point *points;
	size_t n, cap;
};

/* Adds a sample. 0, 1 when it is not used (no current, no voltage yet, time not
 * forward), -1 when out of memory. A missing temperature is the one before, or 25 degC.
 */
int trace_add(struct trace *t, int64_t ts, double voltage_v, double current_a,
	double temperature_c);
void trace_release(struct trace *t);
/* Sets mean currents (circuit_mean_a), segments and phases. */
void trace_prepare(struct trace *t, const struct battery_model *m);
/*
 * Keeps, after every step of the current, points at about equal distances of the
 * logarithm of time, at most 5 minutes apart, and wherever the voltage has moved by
 * 20 mV: an hour then weighs as its information does, and a fit takes a second. Charge
 * is kept exactly.
 */
void trace_thin(struct trace *t, const struct battery_model *m);

/* A discharge: points from..to - 1, 'from' the last one before the load. */
struct trace_span {
	size_t from, to;
	double out_ah;
	bool from_full, to_cutoff;
};
/* The next discharge of at least 'least' of the capacity at or after *at, which moves
 * on. A load off for up to half an hour ends none. */
bool trace_discharge(const struct trace *t, const struct battery_model *m, double least,
	size_t *at, struct trace_span *out);
/* The temperature its charge was drawn at, mean. A discharge of half a day starts at
 * the room's of the evening: its capacity is not that one's. */
double trace_mean_celsius(const struct trace *t, const struct trace_span *d);

/* At the end of a boost charge: under C/50 at the gassing voltage the battery is full.
 */
bool trace_tail(const struct battery_model *m, const struct trace_point *p);

/*
 * Voltage at rest before the load that comes after point i: the highest of the last
 * quarter of an hour without current. A sample that catches the load coming shows a
 * part of its drop beside a current of 0 [M, BBOXX].
 */
double trace_rest_v(const struct trace *t, const struct battery_model *m, size_t i);

/* SOC at p, soc being what the charge counted says: while full it is at most full_soc
 * (trace_replay), and that at the tail. */
double trace_soc(const struct battery_model *m, const struct trace_point *p,
	double full_soc, double soc);

/*
 * Runs the circuit from 'start' (the state at point from) open loop to point to - 1,
 * voltages to v[from + 1 .. to - 1]. Within a TRACE_FULL phase SOC stays at most
 * full_soc, and is that at the tail; the surface charge is set from the last voltage
 * before the load. full_soc is how full "full" was: 1, but for a battery that was not
 * recharged quite as far as the model's, which a discharge to the cut-off then tells.
 */
void trace_replay(const struct trace *t, size_t from, size_t to,
	const struct battery_model *m, double full_soc, struct openloop *start,
	double *v);

#endif
