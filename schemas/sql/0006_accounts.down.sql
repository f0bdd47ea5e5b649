DROP TABLE audit_log;
DROP TABLE refresh_token;
DROP TABLE refresh_session;
DROP TABLE app_user;
