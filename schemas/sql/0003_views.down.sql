DROP VIEW battery_now;
