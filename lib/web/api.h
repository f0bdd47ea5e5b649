/* The calls of the interface, and the table of all of them. */
#ifndef WEB_API_H
#define WEB_API_H

#include "web/route.h"

extern const struct route API_ROUTES[];
extern const size_t API_NROUTES;

/* An account as JSON, without its secrets. */
void emit_account(struct buf *b, const struct account *a);

handler_fn api_login, api_refresh, api_logout, api_change_password, api_me;
extern const struct param LOGIN_PARAMS[], REFRESH_PARAMS[], PASSWORD_PARAMS[];

handler_fn api_users, api_user, api_user_add, api_user_change, api_user_delete;
extern const struct param NEW_USER_PARAMS[], USER_PARAMS[], USERS_PARAMS[];

handler_fn api_locations, api_location, api_location_batteries, api_location_systems,
	api_batteries, api_battery, api_string, api_system, api_fleet_summary;
extern const struct param BATTERIES_PARAMS[], PAGE_PARAMS[], LOCATIONS_PARAMS[],
	RUN_PARAMS[];

handler_fn api_battery_telemetry, api_battery_twin, api_battery_rul, api_battery_events;
extern const struct param CHART_PARAMS[], SERIES_PARAMS[], EVENTS_PARAMS[],
	LIFE_PARAMS[];

handler_fn api_battery_features, api_location_events, api_location_environment,
	api_location_life, api_telemetry_stats, api_telemetry_range;
extern const struct param FEATURES_PARAMS[], DATE_RANGE_PARAMS[];

handler_fn api_fleet_trend, api_fleet_forecast, api_fleet_compare;
extern const struct param TREND_PARAMS[], FORECAST_PARAMS[], COMPARE_PARAMS[];

handler_fn api_predict, api_predict_batch, api_twin_simulate;
extern const struct param PREDICT_PARAMS[], PREDICT_BATCH_PARAMS[], SIMULATE_PARAMS[];

handler_fn api_export_batteries, api_export_alerts, api_export_forecast,
	api_export_telemetry;
extern const struct param EXPORT_PARAMS[], EXPORT_TELEMETRY_PARAMS[];

handler_fn api_reports, api_report_monthly, api_report_quality;
extern const struct param MONTHLY_PARAMS[];

handler_fn api_models, api_model, api_model_drift, api_model_promote,
	api_model_rollback;

handler_fn api_alerts, api_alert, api_alert_stats;
extern const struct param ALERTS_PARAMS[], ALERT_STATS_PARAMS[];

handler_fn api_alert_acknowledge, api_alert_resolve, api_alert_shelve, api_alert_assign,
	api_incidents, api_incident, api_incident_change;
extern const struct param NOTE_PARAMS[], SHELVE_PARAMS[], ASSIGN_PARAMS[],
	INCIDENTS_PARAMS[], INCIDENT_CHANGE_PARAMS[];

handler_fn api_windows, api_window_add, api_work_orders, api_work_order_add,
	api_work_order_change, api_battery_replace;
extern const struct param WINDOWS_PARAMS[], NEW_WINDOW_PARAMS[], WORK_ORDERS_PARAMS[],
	NEW_WORK_ORDER_PARAMS[], WORK_ORDER_PARAMS[], REPLACE_PARAMS[];

handler_fn api_devices, api_device_add, api_device_delete, api_telemetry,
	api_telemetry_bulk;
extern const struct param DEVICES_PARAMS[], NEW_DEVICE_PARAMS[], SAMPLE_PARAMS[],
	SAMPLES_PARAMS[];

handler_fn api_my_changes, api_my_visit;

handler_fn api_scenarios, api_scenarios_apply, api_scenarios_clear,
	api_simulation_status, api_simulation_start, api_simulation_stop;
extern const struct param APPLY_PARAMS[], CLEAR_PARAMS[], SIMULATION_PARAMS[],
	SIMULATION_ID_PARAMS[];

handler_fn api_metrics, api_audit, api_health, api_ready, api_openapi;
extern const struct param AUDIT_PARAMS[];

/* Parameters that many calls share. */
#define RUN_PARAM                                                                      \
	{                                                                              \
		"run", PARAM_TEXT, "the run; production unless given", false, 0, 127,  \
			NULL, ""                                                       \
	}
#define SKIP_PARAM                                                                     \
	{                                                                              \
		"skip", PARAM_INT, "leave out so many", false, 0, 1e9, NULL, "0"       \
	}
#define LIMIT_PARAM                                                                    \
	{                                                                              \
		"limit", PARAM_INT, "give at most so many", false, 1, LIMIT_MAX, NULL, \
			"100"                                                          \
	}

/* Writes down that 'actor' did this, from where the call came. ERR_IO. */
int call_audit(struct call *c, const char *actor, const char *action,
	const char *entity, struct err *err);
/* The same of the caller, with words about it (or NULL). */
int call_audit_of(struct call *c, const char *action, const char *entity,
	const char *details, struct err *err);

/*
 * Makes a change and writes it down, both or none. fn returns 1; 0 when there was
 * nothing to change, which nobody writes down; -1. Returns what fn did, or -1.
 */
typedef int change_fn(struct call *c, void *ctx, struct err *err);
int call_change(struct call *c, const char *action, const char *entity,
	const char *details, change_fn *fn, void *ctx, struct err *err);

/*
 * Is what the path names there, in the call's run (production when it takes none)? 200;
 * 404 with the refusal made; -1. 'table' is site, battery_system, string or battery.
 */
int call_exists(struct call *c, const char *table, struct err *err);

/* Writes openapi.json of a table of routes (OpenAPI 3.0.3). */
void openapi_write(const struct route *routes, size_t n, struct buf *b);

#endif
