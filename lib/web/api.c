#include "web/api.h"

/* A table reads as one. */
/* clang-format off */
const struct route API_ROUTES[] = {
	{METHOD_POST, "/auth/login", ROLE_NONE, SCOPE_NONE, api_login, "Log in", LOGIN_PARAMS, "200 401 429", false},
	{METHOD_POST, "/auth/refresh", ROLE_NONE, SCOPE_NONE, api_refresh, "A new access token for a refresh token", REFRESH_PARAMS, "200 401 403", false},
	{METHOD_POST, "/auth/logout", ROLE_VIEWER, SCOPE_NONE, api_logout, "End the session", NULL, "204", false},
	{METHOD_POST, "/auth/change-password", ROLE_VIEWER, SCOPE_NONE, api_change_password, "Change one's own password", PASSWORD_PARAMS, "204 403 429", false},
	{METHOD_GET, "/auth/me", ROLE_VIEWER, SCOPE_NONE, api_me, "Who one is", NULL, "200", false},
	{METHOD_GET, "/auth/users", ROLE_ADMIN, SCOPE_NONE, api_users, "The accounts", USERS_PARAMS, "200", false},
	{METHOD_POST, "/auth/users", ROLE_ADMIN, SCOPE_NONE, api_user_add, "Add an account", NEW_USER_PARAMS, "201 409", false},
	{METHOD_GET, "/auth/users/{id}", ROLE_ADMIN, SCOPE_NONE, api_user, "An account", NULL, "200 404", false},
	{METHOD_PATCH, "/auth/users/{id}", ROLE_ADMIN, SCOPE_NONE, api_user_change, "Change an account", USER_PARAMS, "200 404 409", false},
	{METHOD_DELETE, "/auth/users/{id}", ROLE_ADMIN, SCOPE_NONE, api_user_delete, "Delete an account, not one's own", NULL, "204 404 409", false},
	{METHOD_GET, "/locations", ROLE_VIEWER, SCOPE_NONE, api_locations, "The sites and how they are", PAGE_PARAMS, "200", false},
	{METHOD_GET, "/locations/{id}", ROLE_VIEWER, SCOPE_SITE, api_location, "A site", RUN_PARAMS, "200 404", false},
	{METHOD_GET, "/locations/{id}/batteries", ROLE_VIEWER, SCOPE_SITE, api_location_batteries, "A site's batteries", BATTERIES_PARAMS, "200 404", false},
	{METHOD_GET, "/locations/{id}/systems", ROLE_VIEWER, SCOPE_SITE, api_location_systems, "A site's UPS and rectifier systems", PAGE_PARAMS, "200 404", false},
	{METHOD_GET, "/systems/{id}", ROLE_VIEWER, SCOPE_CODE, api_system, "A system", RUN_PARAMS, "200 404", false},
	{METHOD_GET, "/strings/{id}", ROLE_VIEWER, SCOPE_CODE, api_string, "A string: its jars side by side", RUN_PARAMS, "200 404", false},
	{METHOD_GET, "/batteries", ROLE_VIEWER, SCOPE_NONE, api_batteries, "The batteries and how they are", BATTERIES_PARAMS, "200", false},
	{METHOD_GET, "/batteries/{id}", ROLE_VIEWER, SCOPE_CODE, api_battery, "A battery", RUN_PARAMS, "200 404", false},
	{METHOD_GET, "/batteries/{id}/telemetry", ROLE_VIEWER, SCOPE_CODE, api_battery_telemetry, "Its measurements, for a chart", CHART_PARAMS, "200 404", false},
	{METHOD_GET, "/batteries/{id}/twin", ROLE_VIEWER, SCOPE_CODE, api_battery_twin, "What its twin believed", SERIES_PARAMS, "200 404", false},
	{METHOD_GET, "/batteries/{id}/rul", ROLE_VIEWER, SCOPE_CODE, api_battery_rul, "Its remaining life, as predicted", SERIES_PARAMS, "200 404", false},
	{METHOD_GET, "/batteries/{id}/events", ROLE_VIEWER, SCOPE_CODE, api_battery_events, "What happened to it and around it", EVENTS_PARAMS, "200 404", false},
	{METHOD_GET, "/alerts", ROLE_VIEWER, SCOPE_NONE, api_alerts, "Alerts, newest first", ALERTS_PARAMS, "200", false},
	{METHOD_GET, "/alerts/{id}", ROLE_VIEWER, SCOPE_NONE, api_alert, "An alert", RUN_PARAMS, "200 404", false},
	{METHOD_GET, "/fleet/summary", ROLE_VIEWER, SCOPE_NONE, api_fleet_summary, "The fleet in numbers", RUN_PARAMS, "200", false},
	{METHOD_GET, "/audit", ROLE_ADMIN, SCOPE_NONE, api_audit, "What was changed, by whom", AUDIT_PARAMS, "200", false},
	{METHOD_GET, "/health", ROLE_NONE, SCOPE_NONE, api_health, "Does the process answer", NULL, "200", true},
	{METHOD_GET, "/health/ready", ROLE_NONE, SCOPE_NONE, api_ready, "Does the database answer", NULL, "200", false},
	{METHOD_GET, "/openapi.json", ROLE_NONE, SCOPE_NONE, api_openapi, "This description", NULL, "200", true},
};
/* clang-format on */

const size_t API_NROUTES = sizeof(API_ROUTES) / sizeof(*API_ROUTES);
