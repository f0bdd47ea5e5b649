DROP INDEX alert_incident;
DROP INDEX incident_parent;
ALTER TABLE app_user DROP COLUMN last_visit;
DROP TABLE device_token;
DROP TABLE incident_decision;
