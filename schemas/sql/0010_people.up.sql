-- What people decide about incidents, the devices that post samples, and when somebody
-- last looked at what is new.
CREATE TABLE incident_decision (
	run integer NOT NULL,
	incident_id text NOT NULL,
	root_cause text NOT NULL,
	decided_by text NOT NULL,
	decided_at bigint NOT NULL,
	PRIMARY KEY (run, incident_id)
) @keyed@;
CREATE TABLE device_token (
	id @id@,
	name text NOT NULL UNIQUE,
	sites text, -- codes of sites with commas between; NULL is all
	hash text NOT NULL UNIQUE,
	created bigint NOT NULL,
	last_seen bigint
);
ALTER TABLE app_user ADD COLUMN last_visit bigint;
CREATE INDEX incident_parent ON incident (run, parent_id);
CREATE INDEX alert_incident ON alert (run, incident_id);
