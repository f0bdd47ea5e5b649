-- Who planned a window and ordered work: the audit log knows it of those there are.
ALTER TABLE maintenance_window ADD COLUMN created_by text;
ALTER TABLE work_order ADD COLUMN created_by text;
CREATE INDEX audit_log_entity ON audit_log (entity);
UPDATE maintenance_window SET created_by = (SELECT min(a.username) FROM audit_log a
	WHERE a.action = 'maintenance_window.add' AND a.entity = maintenance_window.id);
UPDATE work_order SET created_by = (SELECT min(a.username) FROM audit_log a
	WHERE a.action = 'work_order.add' AND a.entity = work_order.id);
DROP INDEX audit_log_entity;
