ALTER TABLE work_order DROP COLUMN created_by;
ALTER TABLE maintenance_window DROP COLUMN created_by;
