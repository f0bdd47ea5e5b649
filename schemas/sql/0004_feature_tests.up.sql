-- What discharges, capacity tests and the float current tell, since version 2 of the
-- feature record.
ALTER TABLE feature ADD COLUMN float_current_ma real;
ALTER TABLE feature ADD COLUMN discharge_imbalance_v real;
ALTER TABLE feature ADD COLUMN capacity_test_pct real;
ALTER TABLE feature ADD COLUMN capacity_test_days real;
