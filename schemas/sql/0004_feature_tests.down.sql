ALTER TABLE feature DROP COLUMN float_current_ma;
ALTER TABLE feature DROP COLUMN discharge_imbalance_v;
ALTER TABLE feature DROP COLUMN capacity_test_pct;
ALTER TABLE feature DROP COLUMN capacity_test_days;
