ALTER TABLE feature DROP COLUMN deep_r_baseline_pct;
ALTER TABLE feature DROP COLUMN deep_current_a;
ALTER TABLE feature DROP COLUMN deep_voltage_v;
ALTER TABLE feature DROP COLUMN deep_out_pct;
ALTER TABLE feature DROP COLUMN deep_age_days;
ALTER TABLE feature DROP COLUMN deep_days;
ALTER TABLE feature DROP COLUMN initial_capacity_pct;
