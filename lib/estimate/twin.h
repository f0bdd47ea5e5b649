/*
 * The digital twin of one unit: the filter of ekf.h on the circuit of circuit.h, what
 * may learn when, and the slow states (wear.h, Tafel scale). One struct of fixed size
 * a battery; no allocation. Sign: current > 0 charges.
 *
 * What the data of the moment can tell decides what learns (fact sheet, section 6):
 *
 *	rest, discharge, charge below the gassing voltage
 *			SOC, V1, V2; R0 at current steps; Q during a discharge
 *	surplus		voltage over the full battery's OCV (charge, float, surface
 *charge after it): V1, V2 only: V - OCV is no news of SOC there float		24 h of
 *surplus at low current: SOC = 1 with 1 %, R0 and Q frozen, only the Tafel scale learns
 *
 * Model error is not white: errors of the OCV table and of the polarisation last for
 * tens of minutes. So a sample is judged (gate, NIS) by its own variance, but weighs
 * in the gain only as its share of one correlation time. Zero correlation_s for white.
 */
#ifndef ESTIMATE_TWIN_H
#define ESTIMATE_TWIN_H

#include "estimate/wear.h"
#include "estimate/autonomy.h"
#include "estimate/openloop.h"

#include <stdbool.h>
#include <stdint.h>

/* Shared by all twins. */
struct twin_tuning {
	double sensor_v;       /* std of a voltage sample */
	double polarisation;   /* std of V1 + V2, relative */
	double correlation_s;  /* of both: how long an error lasts */
	double bias_v, bias_s; /* std of the slow error, and how long it lasts */
	double noise_soc, noise_v, noise_lnr0; /* process variances per second */
	double current_gain;                   /* std of the current sensor's gain */
	double table_soc;   /* std of SOC no data removes: the OCV table's */
	int64_t max_gap_ms; /* a longer gap starts the filter anew */
};
extern const struct twin_tuning TWIN_TUNING;

struct twin_sample {
	int64_t ts;
	/* NaN: missing, or not fit to be a measurement */
	double voltage_v, current_a, temperature_c, resistance_mohm;
	double float_a; /* of a milliampere-grade sensor */
};

enum twin_regime { TWIN_REST, TWIN_DISCHARGE, TWIN_CHARGE, TWIN_SURPLUS, TWIN_FLOAT };
enum twin_result {
	TWIN_USED,
	TWIN_BACKWARDS, /* not used: its time is not after the last one's */
};

/* One discharge, for the capacity. */
struct twin_discharge {
	bool on, learns;
	bool told;    /* its capacity, at the cut-off */
	bool counted; /* what it wears, or one since the last sample: from a record */
	float out_ah, soc_start, soc_start_std;
	float lnq, lnq_var; /* when it began */
	float pause_s;
};

struct twin {
	struct ekf ekf;
	struct circuit_step step;
	struct wear wear;
	int64_t ts, low_since, clock_ts, temperature_ts, r0_ts, tafel_ts;
	/* days not yet in 'wear', and weighted as it wants them */
	double pending_days, pending_stress, pending_heat;
	struct twin_discharge discharge;
	float current_a, voltage_v, temperature_c;
	float heat;         /* of ageing, at that temperature */
	float soh, soh_std; /* the last belief, up to five days old */
	float offset_a;     /* of the current sensor */
	float baseline_mohm;
	float ln_i0, ln_i0_var; /* Tafel scale */
	float error_v, error_square, nis;
	float slow_v;     /* of the model's slow branch, open loop */
	float surplus_v;  /* highest V2 of the last minutes on surplus voltage */
	float residual_v; /* what the last update left: NaN after a gap */
	float available, available_a; /* rate fraction, and the current it is of */
	float surface_ah; /* still to be discharged before V says SOC again */
	uint16_t rejected_in_row, backwards_in_row;
	uint8_t offset_n; /* samples that told the sensor's offset, or so many */
	uint8_t regime : 3, reset : 4; /* reset: until reported */
	bool started : 1;
	uint8_t observable;
};

/* What the books say of a unit. Unknown: NaN. */
struct twin_origin {
	double age_days, initial_capacity_ah, initial_resistance_mohm;
	double temperature_c; /* of its life so far */
};

/* A new unit, nothing measured yet. reset: twin_reset_* to report in its first state.
 */
void twin_init(struct twin *w, const struct battery_model *m,
	const struct twin_origin *o, int reset);
/* Takes one sample. current_a NaN is treated as a rest of unknown current. */
enum twin_result twin_step(struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, const struct twin_sample *s);
/* Relative std of a capacity test of a jar [E]. */
#define TWIN_TEST_STD 0.007
/*
 * A test of its string took out out_ah, says a record made at ts: the wear of that
 * discharge, of which samples that are far apart see a part or nothing. Passed over
 * when samples have come since, for then they have told it, and when told again.
 */
void twin_tested(
	struct twin *w, const struct battery_model *m, int64_t ts, double out_ah);
/* A capacity test: measured_ah at 25 degC and the rated rate, relative std. */
void twin_capacity(
	struct twin *w, const struct battery_model *m, double measured_ah, double std);
/* An ohmic resistance read by hand, brought to 25 degC. */
void twin_impedance(struct twin *w, const struct battery_model *m, double mohm);

/* SOC 0..1 with its std. */
void twin_soc(const struct twin *w, const struct battery_model *m,
	const struct twin_tuning *k, double *soc, double *std);
/* Capacity over rated with its std, as believed after the last
 * discharge or test, and not over five days ago. */
void twin_soh(const struct twin *w, double *soh, double *std);

#endif
