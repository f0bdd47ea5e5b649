-- Who may use the dashboard and its interface, and what they did. Not part of a run.
CREATE TABLE app_user (
	id @id@,
	username text NOT NULL UNIQUE,
	full_name text,
	email text,
	role text NOT NULL CHECK (role IN ('admin', 'engineer', 'viewer')),
	sites text, -- codes of sites with commas between; NULL is all
	password_hash text NOT NULL,
	active boolean NOT NULL,
	failed_logins integer NOT NULL,
	locked_until bigint,
	last_login bigint,
	created bigint NOT NULL
);
-- A login, until its last refresh token has expired or it has ended.
CREATE TABLE refresh_session (
	id @id@,
	app_user integer NOT NULL REFERENCES app_user (id) ON DELETE CASCADE,
	started bigint NOT NULL,
	expires bigint NOT NULL,
	ended bigint,
	address text
);
CREATE INDEX refresh_session_user ON refresh_session (app_user);
-- Each token is good once; a used one that comes again ends its session.
CREATE TABLE refresh_token (
	hash text PRIMARY KEY,
	session integer NOT NULL REFERENCES refresh_session (id) ON DELETE CASCADE,
	expires bigint NOT NULL,
	used bigint
);
CREATE INDEX refresh_token_session ON refresh_token (session);
CREATE TABLE audit_log (
	id @id@,
	ts bigint NOT NULL,
	username text NOT NULL,
	action text NOT NULL,
	entity text,
	details text,
	address text
);
CREATE INDEX audit_log_ts ON audit_log (ts);
