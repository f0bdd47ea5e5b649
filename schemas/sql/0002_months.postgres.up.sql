-- Time series are partitioned by month; the months of 2000 to 2099 get theirs when the
-- first row needs it. What lies before and after (a broken clock) has one each.
-- BRIN: a few pages that find a time in a partition.
CREATE TABLE telemetry_before PARTITION OF telemetry FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE telemetry_after PARTITION OF telemetry FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX telemetry_ts ON telemetry USING brin (ts);
CREATE TABLE string_telemetry_before PARTITION OF string_telemetry FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE string_telemetry_after PARTITION OF string_telemetry FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX string_telemetry_ts ON string_telemetry USING brin (ts);
CREATE TABLE environment_before PARTITION OF environment FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE environment_after PARTITION OF environment FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX environment_ts ON environment USING brin (ts);
CREATE TABLE truth_before PARTITION OF truth FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE truth_after PARTITION OF truth FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX truth_ts ON truth USING brin (ts);
CREATE TABLE feature_before PARTITION OF feature FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE feature_after PARTITION OF feature FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX feature_ts ON feature USING brin (ts);
CREATE TABLE twin_state_before PARTITION OF twin_state FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE twin_state_after PARTITION OF twin_state FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX twin_state_ts ON twin_state USING brin (ts);
CREATE TABLE rul_prediction_before PARTITION OF rul_prediction FOR VALUES FROM (MINVALUE) TO (946684800000);
CREATE TABLE rul_prediction_after PARTITION OF rul_prediction FOR VALUES FROM (4102444800000) TO (MAXVALUE);
CREATE INDEX rul_prediction_ts ON rul_prediction USING brin (ts);
