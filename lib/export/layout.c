#include "export/layout.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a) (int)(sizeof(a) / sizeof(*(a)))
#define KEY(n)                                                                         \
	{                                                                              \
		n, LAYOUT_KEY, true, LAYOUT_FILES, 0, 0, NULL                          \
	}
#define SAME(n, file)                                                                  \
	{                                                                              \
		n, LAYOUT_REF, true, file, 0, 0, NULL                                  \
	}
#define REF(n, file)                                                                   \
	{                                                                              \
		n, LAYOUT_REF, false, file, 0, 0, NULL                                 \
	}
#define TEXT(n)                                                                        \
	{                                                                              \
		n, LAYOUT_TEXT, false, LAYOUT_FILES, 0, 0, NULL                        \
	}
#define CODE(n)                                                                        \
	{                                                                              \
		n, LAYOUT_TEXT, true, LAYOUT_FILES, 0, 0, NULL                         \
	}
#define TIME(n)                                                                        \
	{                                                                              \
		n, LAYOUT_TIME, true, LAYOUT_FILES, 0, 0, NULL                         \
	}
#define DATE(n)                                                                        \
	{                                                                              \
		n, LAYOUT_TIME, false, LAYOUT_FILES, 0, 0, NULL                        \
	}
#define NUM(n, lo, hi)                                                                 \
	{                                                                              \
		n, LAYOUT_NUM, false, LAYOUT_FILES, lo, hi, NULL                       \
	}
#define WHOLE(n, lo, hi)                                                               \
	{                                                                              \
		n, LAYOUT_WHOLE, false, LAYOUT_FILES, lo, hi, NULL                     \
	}
#define BOOL(n)                                                                        \
	{                                                                              \
		n, LAYOUT_BOOL, false, LAYOUT_FILES, 0, 0, NULL                        \
	}
#define WORD(n, w)                                                                     \
	{                                                                              \
		n, LAYOUT_WORD, false, LAYOUT_FILES, 0, 0, w                           \
	}
#define WRITTEN DATE("created_at"), DATE("updated_at")

static const struct layout_column LOCATION[] = {KEY("location_id"),
	CODE("location_code"), TEXT("location_name"), TEXT("region"), TEXT("city"),
	NUM("latitude", -90, 90), NUM("longitude", -180, 180), TEXT("timezone"),
	DATE("commissioned_date"), BOOL("is_active"), WRITTEN};

static const struct layout_column MODEL[] = {KEY("model_id"), CODE("model_name"),
	TEXT("manufacturer"), TEXT("chemistry"), NUM("nominal_voltage_v", 1, 48),
	NUM("capacity_ah", 0.1, 10000), NUM("float_voltage_min_v", 1, 60),
	NUM("float_voltage_max_v", 1, 60), NUM("boost_voltage_min_v", 1, 60),
	NUM("boost_voltage_max_v", 1, 60), NUM("max_charge_current_a", 0, 10000),
	NUM("temp_warning_c", 0, 100), NUM("temp_critical_c", 0, 100),
	NUM("expected_life_years", 0, 50), TEXT("datasheet_url")};

static const struct layout_column SYSTEM[] = {KEY("system_id"),
	SAME("location_id", LAYOUT_LOCATION), CODE("system_code"),
	WORD("system_type", " UPS RECTIFIER "), TEXT("system_name"),
	TEXT("manufacturer"), TEXT("model"), NUM("rated_power_kva", 0, 100000),
	DATE("installed_date"), BOOL("is_active"), WRITTEN};

static const struct layout_column STRING[] = {KEY("string_id"),
	SAME("system_id", LAYOUT_SYSTEM), CODE("string_code"),
	WHOLE("string_position", 1, 1000), WHOLE("batteries_count", 1, 1000),
	NUM("nominal_voltage_v", 1, 2000), DATE("installed_date"),
	DATE("last_capacity_test_date"), BOOL("is_active"), WRITTEN};

static const struct layout_column BATTERY[] = {KEY("battery_id"),
	SAME("string_id", LAYOUT_STRING), SAME("model_id", LAYOUT_MODEL),
	CODE("battery_code"), TEXT("serial_number"),
	WHOLE("position_in_string", 1, 1000), DATE("manufacture_date"),
	DATE("installed_date"), DATE("warranty_expiry_date"),
	NUM("initial_capacity_ah", 0.1, 10000),
	NUM("initial_resistance_mohm", 0.01, 1000),
	WORD("status", " active warning critical replaced retired "),
	REF("replacement_of", LAYOUT_BATTERY), DATE("replaced_date"), WRITTEN};

static const struct layout_column SENSOR[] = {KEY("sensor_id"),
	SAME("location_id", LAYOUT_LOCATION), CODE("sensor_code"), TEXT("sensor_type"),
	TEXT("zone"), BOOL("is_active")};

static const struct layout_column EVENT[] = {KEY("event_id"),
	REF("battery_id", LAYOUT_BATTERY), REF("string_id", LAYOUT_STRING),
	REF("location_id", LAYOUT_LOCATION), CODE("event_type"), TEXT("event_subtype"),
	DATE("scheduled_date"), DATE("completed_date"), TEXT("technician_id"),
	WORD("status", " scheduled in_progress completed cancelled canceled "),
	TEXT("work_order_id"), TEXT("notes"), TEXT("photo_urls"), TEXT("ir_scan_url"),
	WRITTEN};

static const struct layout_column CAPACITY[] = {KEY("test_id"),
	SAME("string_id", LAYOUT_STRING), REF("maintenance_event_id", LAYOUT_EVENT),
	TIME("test_date"), TEXT("test_type"), NUM("discharge_rate_a", 0.01, 10000),
	NUM("discharge_duration_min", 0, 100000), NUM("cutoff_voltage_v", 1, 2000),
	NUM("ambient_temp_c", -40, 80), TEXT("raw_data_url"), TEXT("notes")};

static const struct layout_column CAPACITY_CALC[] = {SAME("test_id", LAYOUT_CAPACITY),
	NUM("measured_capacity_ah", 0, 10000), NUM("capacity_pct_of_rated", 0, 150),
	WORD("pass_fail", " pass marginal fail ")};

static const struct layout_column IMPEDANCE[] = {KEY("measurement_id"),
	SAME("battery_id", LAYOUT_BATTERY), REF("maintenance_event_id", LAYOUT_EVENT),
	TIME("measured_at"), NUM("resistance_mohm", 0.01, 1000),
	NUM("conductance_s", 0.1, 100000), NUM("temperature_c", -40, 100),
	TEXT("instrument_model")};

static const struct layout_column IMPEDANCE_CALC[] = {
	SAME("measurement_id", LAYOUT_IMPEDANCE),
	NUM("temp_corrected_resistance_mohm", 0.01, 1000),
	NUM("baseline_pct", 10, 10000)};

static const struct layout_column STRING_RAW[] = {TIME("ts"),
	SAME("string_id", LAYOUT_STRING), NUM("voltage_v", 0, 2000),
	NUM("current_a", -10000, 10000),
	WORD("mode", " float boost discharge equalize idle unknown "),
	NUM("ripple_voltage_rms_v", 0, 100), NUM("ripple_current_rms_a", 0, 1000),
	BOOL("equalize_flag"), BOOL("generator_test_flag"),
	BOOL("transfer_event_flag")};

static const struct layout_column STRING_CALC[] = {TIME("ts"),
	SAME("string_id", LAYOUT_STRING), NUM("power_w", -1e7, 1e7),
	NUM("thd_pct", 0, 100)};

static const struct layout_column ENVIRONMENT[] = {TIME("ts"),
	SAME("sensor_id", LAYOUT_SENSOR), NUM("temperature_c", -40, 80),
	NUM("humidity_pct", 0, 100),
	WORD("hvac_status", " running standby degraded fault ")};

static const struct layout_column JAR_RAW[] = {TIME("ts"),
	SAME("battery_id", LAYOUT_BATTERY), NUM("voltage_v", 0, 20),
	NUM("temperature_c", -40, 130), NUM("resistance_mohm", 0.01, 10000),
	NUM("conductance_s", 0.1, 100000), NUM("soc_pct", 0, 110),
	NUM("soh_pct", 0, 150)};

static const struct layout_column JAR_CALC[] = {TIME("ts"),
	SAME("battery_id", LAYOUT_BATTERY), NUM("soc_pct", 0, 110),
	NUM("soh_pct", 0, 150)};

static const struct layout_column FEATURE[] = {TIME("feature_ts"),
	SAME("battery_id", LAYOUT_BATTERY), WHOLE("feature_window_hours", 1, 100000),
	NUM("v_mean", 0, 20), NUM("v_std", 0, 20), NUM("v_min", 0, 20),
	NUM("v_max", 0, 20), NUM("v_balance_mean", -20, 20), NUM("t_mean", -40, 130),
	NUM("t_max", -40, 130), NUM("t_delta_ambient_mean", -100, 130),
	NUM("r_internal_latest", 0.01, 10000),
	NUM("r_internal_baseline_pct", 1, 100000),
	NUM("discharge_cycles_count", 0, 1e9), NUM("ah_throughput", 0, 1e9),
	NUM("time_below_float_min", 0, 1e9), NUM("time_above_float_max", 0, 1e9),
	NUM("surge_events_count", 0, 1e9), NUM("ripple_rms_mean", 0, 1000),
	NUM("thd_mean", 0, 100)};

static const struct layout_column ALERT[] = {KEY("alert_id"),
	REF("battery_id", LAYOUT_BATTERY), REF("string_id", LAYOUT_STRING),
	REF("location_id", LAYOUT_LOCATION), CODE("alert_type"),
	WORD("severity", " info warning critical "), TEXT("source"), TEXT("model_id"),
	TIME("triggered_at"), DATE("resolved_at"), TEXT("status"),
	TEXT("acknowledged_by"), TEXT("message"), TEXT("context_json"),
	TEXT("incident_id")};

static const struct layout_column RUL[] = {KEY("prediction_id"),
	SAME("battery_id", LAYOUT_BATTERY), TEXT("model_id"), TIME("predicted_at"),
	NUM("rul_days", 0, 40000), NUM("rul_lower_ci_days", 0, 40000),
	NUM("rul_upper_ci_days", 0, 40000), NUM("failure_probability_30d", 0, 1),
	NUM("failure_probability_90d", 0, 1), NUM("confidence_score", 0, 1),
	TEXT("source"), TEXT("feature_snapshot_json"), TEXT("explanation_json")};

#define FILE_OF(name, gzip, required, columns)                                         \
	{                                                                              \
		name, gzip, required, COUNT(columns), columns                          \
	}

static const struct layout_file FILES[LAYOUT_FILES] = {
	[LAYOUT_LOCATION] = FILE_OF("location", false, true, LOCATION),
	[LAYOUT_MODEL] = FILE_OF("battery_model", false, true, MODEL),
	[LAYOUT_SYSTEM] = FILE_OF("battery_system", false, true, SYSTEM),
	[LAYOUT_STRING] = FILE_OF("string", false, true, STRING),
	[LAYOUT_BATTERY] = FILE_OF("battery", false, true, BATTERY),
	[LAYOUT_SENSOR] = FILE_OF("environmental_sensor", false, false, SENSOR),
	[LAYOUT_EVENT] = FILE_OF("maintenance_event", false, false, EVENT),
	[LAYOUT_CAPACITY] = FILE_OF("capacity_test_raw", false, false, CAPACITY),
	[LAYOUT_CAPACITY_CALC] =
		FILE_OF("capacity_test_calc", false, false, CAPACITY_CALC),
	[LAYOUT_IMPEDANCE] =
		FILE_OF("impedance_measurement_raw", false, false, IMPEDANCE),
	[LAYOUT_IMPEDANCE_CALC] =
		FILE_OF("impedance_measurement_calc", false, false, IMPEDANCE_CALC),
	[LAYOUT_STRING_RAW] = FILE_OF("telemetry_string_raw", true, true, STRING_RAW),
	[LAYOUT_STRING_CALC] =
		FILE_OF("telemetry_string_calc", true, false, STRING_CALC),
	[LAYOUT_ENVIRONMENT] = FILE_OF("telemetry_env", true, false, ENVIRONMENT),
	[LAYOUT_JAR_RAW] = FILE_OF("telemetry_jar_raw", true, true, JAR_RAW),
	[LAYOUT_JAR_CALC] = FILE_OF("telemetry_jar_calc", true, false, JAR_CALC),
	[LAYOUT_FEATURE] = FILE_OF("feature_store", true, false, FEATURE),
	[LAYOUT_ALERT] = FILE_OF("alert", false, false, ALERT),
	[LAYOUT_RUL] = FILE_OF("rul_prediction", false, false, RUL),
};

const struct layout_file *layout_file(enum layout_id id)
{
	return &FILES[id];
}

int layout_column(enum layout_id id, const char *name)
{
	for (int i = 0; i < FILES[id].n; i++)
		if (strcmp(FILES[id].columns[i].name, name) == 0)
			return i;
	return -1;
}
