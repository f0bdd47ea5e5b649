/*
 * Sensors: what they read of the plant's state. Noise is a pure function of sensor and
 * time, so a coarser sampling reads the same values at the same times. So are faults;
 * only the value at which a sensor is stuck is remembered.
 */
#ifndef SITE_SENSE_H
#define SITE_SENSE_H

#include "site/fault.h"
#include "site/plant.h"

struct sensors {
	double voltage_noise_v, voltage_step_v, temperature_noise_k, temperature_step_k;
	double resistance_noise, current_full_scale_a, current_noise_fs,
		current_offset_a;
	double float_noise_a, float_range_a, string_voltage_noise, room_noise_k,
		humidity_noise_pct;
	/* by the monitor of a block, the gateway of a string, the room's sensor */
	struct fault_rates jar_faults, string_faults, room_faults;
	/* one standard deviation of an offset that comes with a fault */
	double voltage_fault_v, temperature_fault_k, current_fault_a, float_fault_a,
		humidity_fault_pct;
};

/* What a sensor last read when it got stuck. */
struct sense_hold {
	int64_t from; /* of the fault it belongs to; 0: none yet */
	float value;
};

/* Reads schemas/models/sensors.ini or a file like it. As inifile_load. */
int sensors_load(const char *path, struct sensors *s, struct err *err);

/* From now on no sensor has a fault; noise stays. */
void sensors_never_fail(struct sensors *s);

/*
 * One sample of everything at p->now. Codes in the records are the caller's to set.
 * Each returns false when the sample is lost: there is no record then. A string whose
 * gateway is silent loses its jars' samples as well. 'hold' belongs to the sensor.
 */
bool sense_string(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, struct sense_hold *hold,
	struct rec_string_telemetry *out);
/* current_a: as sense_string read it; the jars have no current sensor of their own. */
bool sense_jar(const struct sensors *s, const struct plant *p,
	const struct plant_string *string, int jar, float current_a,
	struct sense_hold *hold, struct rec_telemetry *out);
bool sense_room(const struct sensors *s, const struct plant *p,
	const struct plant_site *site, struct sense_hold *hold,
	struct rec_environment *out);

#endif
