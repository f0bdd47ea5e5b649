-- What the last deep discharge told (feature records, version 3).
ALTER TABLE feature ADD COLUMN initial_capacity_pct real;
ALTER TABLE feature ADD COLUMN deep_days real;
ALTER TABLE feature ADD COLUMN deep_age_days real;
ALTER TABLE feature ADD COLUMN deep_out_pct real;
ALTER TABLE feature ADD COLUMN deep_voltage_v real;
ALTER TABLE feature ADD COLUMN deep_current_a real;
ALTER TABLE feature ADD COLUMN deep_r_baseline_pct real;
