#include "rules/signal.h"

#define V_BITS (BIT(quality_voltage_range))
#define T_BITS (BIT(quality_temperature_range))

static const struct signal SIGNALS[] = {
	{SIGNAL_FLOAT_DEVIATION_V, KIND_telemetry, "float_deviation_v", "V",
		V_BITS | T_BITS,
		"voltage less the float set-point at the jar's temperature"},
	{SIGNAL_TEMPERATURE_RISE_K, KIND_telemetry, "temperature_rise_k", "K", T_BITS,
		"case temperature over the room's, as a jar has taken it on"},
	{SIGNAL_RESISTANCE_DRIFT_PCT, KIND_telemetry, "resistance_drift_pct", "%",
		BIT(quality_resistance_range) | T_BITS,
		"resistance at 25 degC, averaged over an hour, over its baseline"},
	{SIGNAL_SILENCE_S, KIND_telemetry, "silence_s", "s", 0,
		"time without a sample, once it exceeds three usual intervals"},
	{SIGNAL_JAR_MEAN_V, KIND_string_telemetry, "jar_mean_v", "V", V_BITS,
		"string voltage over its number of jars"},
	{SIGNAL_JAR_MEAN_25C_V, KIND_string_telemetry, "jar_mean_25c_v", "V", V_BITS,
		"the same, brought to 25 degC by the float compensation"},
	{SIGNAL_RIPPLE_PCT, KIND_string_telemetry, "ripple_pct", "%", V_BITS,
		"ripple voltage, rms, over string voltage"},
	{SIGNAL_FLOAT_CURRENT_MA_PER_AH, KIND_string_telemetry,
		"float_current_ma_per_ah", "mA/Ah", 0,
		"float current over rated capacity"},
	{SIGNAL_STRING_SILENCE_S, KIND_string_telemetry, "silence_s", "s", 0,
		"time without a sample, once it exceeds three usual intervals"},
	{SIGNAL_MEAN_DEVIATION_V, KIND_telemetry, "mean_deviation_v", "V", V_BITS,
		"voltage less the string's voltage over its number of jars"},
	{SIGNAL_RUNAWAY_RATIO, KIND_string_telemetry, "runaway_ratio", "", 0,
		"float current at 25 degC over its mean of days, while a jar is warm"},
	{SIGNAL_OUTAGES_24H, KIND_event, "outages_24h", "", 0,
		"outages of the site that began within 24 hours"},
	{SIGNAL_BEST_RUL_DAYS, KIND_rul, "best_rul_days", "d", 0,
		"rul_days of the best source heard within a week: fused, twin, ml"},
	{SIGNAL_RUL_DROP_PCT, KIND_rul, "rul_drop_pct", "%", 0,
		"how far best_rul_days fell below what a day ago it promised for now"},
	{SIGNAL_IMBALANCE_DRIFT_V, KIND_feature, "imbalance_drift_v", "V", 0,
		"v_imbalance_v of a day less its mean of the first 30 days"},
};

const struct signal *signal_find(int kind, struct str name)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		if ((int)SIGNALS[i].kind == kind && str_is(name, SIGNALS[i].name))
			return &SIGNALS[i];
	return NULL;
}
