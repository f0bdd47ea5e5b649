load helper
# ingest of dataset directories in the classic layout: small ones, made here.

setup() {
	cd "$BATS_TEST_TMPDIR" || return 1
	mkdir set
	cat >set/location.csv <<-'END'
		location_id,location_code,location_name,region,city,latitude,longitude,timezone,commissioned_date,is_active,created_at,updated_at
		l1,DC-X-01,X,north,X,18.5,98.9,Asia/Bangkok,2018-03-15,True,,
	END
	cat >set/battery_model.csv <<-'END'
		model_id,model_name,manufacturer,chemistry,nominal_voltage_v,capacity_ah,float_voltage_min_v,float_voltage_max_v,boost_voltage_min_v,boost_voltage_max_v,max_charge_current_a,temp_warning_c,temp_critical_c,expected_life_years,datasheet_url
		m1,HX12-120,CSB,VRLA,12.0,120.0,13.5,13.8,14.4,14.7,36.0,45.0,50.0,10.0,
		m2,NOBODY-1,N,VRLA,12.0,1.0,13.5,13.8,14.4,14.7,36.0,45.0,50.0,10.0,
	END
	cat >set/battery_system.csv <<-'END'
		system_id,location_id,system_code,system_type,system_name,manufacturer,model,rated_power_kva,installed_date,is_active,created_at,updated_at
		y1,l1,DC-X-01-UPS-01,UPS,n,m,m,1,2018-03-15,True,,
	END
	cat >set/string.csv <<-'END'
		string_id,system_id,string_code,string_position,batteries_count,nominal_voltage_v,installed_date,last_capacity_test_date,is_active,created_at,updated_at
		s1,y1,DC-X-01-UPS-01-S1,1,2,24,2018-03-15,,True,,
	END
	cat >set/battery.csv <<-'END'
		battery_id,string_id,model_id,battery_code,serial_number,position_in_string,manufacture_date,installed_date,warranty_expiry_date,initial_capacity_ah,initial_resistance_mohm,status,replacement_of,replaced_date,created_at,updated_at
		b1,s1,m1,DC-X-01-UPS-01-S1-J01,SN1,1,2017-10-19,2018-03-15,2020-03-14,120,3,active,,,,
		b2,s1,m2,DC-X-01-UPS-01-S1-J02,SN2,2,2017-10-19,2018-03-15,2020-03-14,120,3,active,,,,
	END
	cat >set/environmental_sensor.csv <<-'END'
		sensor_id,location_id,sensor_code,sensor_type,zone,is_active
		e1,l1,DC-X-01-ENV01,combined,Room 1,True
	END
	cat >set/telemetry_jar_raw.csv <<-'END'
		ts,battery_id,voltage_v,temperature_c,resistance_mohm,conductance_s,soc_pct,soh_pct
		2026-08-25 00:00:00,b1,13.6,25,3,333,100,100
		2026-08-25 00:00:00,b2,7.0,25,3,333,100,100
		2026-08-25 00:00:30,b1,7.5,25,3,333,100,100
		2026-08-25 00:05:00,b1,13.6,25,3,333,100,100
		2026-08-25 00:06:00,b9,13.6,25,3,333,100,100
	END
	cat >set/telemetry_string_raw.csv <<-'END'
		ts,string_id,voltage_v,current_a,mode,ripple_voltage_rms_v,ripple_current_rms_a,equalize_flag,generator_test_flag,transfer_event_flag
		2026-08-25 00:00:00,s1,27.2,0.5,float,0.5,0.1,False,True,True
		2026-08-25 00:01:00,s1,270.2,0.6,boost,0.5,0.1,False,False,False
	END
	cat >set/telemetry_string_calc.csv <<-'END'
		ts,string_id,power_w,thd_pct
		2026-08-25 00:00:00,s1,13.6,1.5
		2026-08-25 00:00:20,s1,99,9
		2026-08-25 00:01:00,s1,16.2,1.6
		2026-08-25 00:09:00,s1,99,9
	END
	cat >set/telemetry_env.csv <<-'END'
		ts,sensor_id,temperature_c,humidity_pct,hvac_status
		2026-08-25 00:00:10,e1,24,50,running
	END
	cat >set/maintenance_event.csv <<-'END'
		event_id,battery_id,string_id,location_id,event_type,event_subtype,scheduled_date,completed_date,technician_id,status,work_order_id,notes,photo_urls,ir_scan_url,created_at,updated_at
		v2,b2,,l1,replacement,dry_out,2026-08-25 00:04:00,2026-08-25 00:04:30,t,completed,WO-1,"a, b",[],,,
		v1,,,l1,visual_inspection,,2026-08-25 00:00:05,,t,scheduled,WO-2,,[],,,
	END
	printf 'a,b\n1,"x\ny"\n2,3\n' >set/alert.csv
	echo '{}' >set/battery_states.json
}

@test "a dataset directory becomes one sequence in order of time, every row accounted for" {
	try ingest --ledger ledger --reject bad.json set -o out.fl
	assert_status 0
	ledger_balances ledger
	decode -q <out.fl >out.json
	[ "$(jq -r .kind out.json | head -8 | xargs)" = "site battery_model battery_model system string battery battery sensor" ]
	[ "$(jq -r 'select(.ts) | .kind' out.json | xargs)" = "string_telemetry telemetry telemetry event environment telemetry string_telemetry event telemetry" ]
	assert_stderr 'telemetry_jar_raw.csv: 5 rows = 4 used \+ 1 rejected'
	assert_stderr 'telemetry_string_calc.csv: 4 rows = 2 used \+ 2 rejected'
	assert_stderr 'alert.csv: 2 rows = 0 used \+ 0 rejected \+ 2 ignored'
	assert_stderr 'battery_states.json'
	[ "$(jq -r .reason bad.json | sort | xargs -d '\n' -n 1 | cut -d' ' -f1-2 | sort | xargs)" = "no sample no sample unknown battery_id" ]
}

@test "jars get current and mode of their string, only within a minute, and say when it is older" {
	ingest -q --reject bad.json set -o out.fl
	decode -q --kind telemetry <out.fl >t.json
	[ "$(jq -c '[.current_a, .mode]' t.json | xargs)" = "[0.5,float] [0.5,float] [0.5,float] [null,null]" ]
	jq -se '.[0].quality == [] and (.[2].quality | index("interpolated"))' t.json
}

@test "limits are those of each battery's own model, and of the string in series" {
	ingest -q --reject bad.json set -o out.fl
	decode -q --kind telemetry <out.fl >t.json
	# J02 is of a model nobody knows: no limits, no flags.
	jq -se '.[1].quality == [] and (.[2].quality | index("voltage_range"))' t.json
	decode -q --kind battery_model <out.fl | jq -se '.[0].voltage_hard_max_v == 16 and .[1].voltage_hard_max_v == null'
}

@test "flags, joined power and events" {
	ingest -q --reject bad.json set -o out.fl
	decode -q --kind string_telemetry <out.fl |
		jq -se '.[0].flags == ["generator_test", "transfer"] and .[0].power_w == 13.6 and .[1].thd_pct == 1.6'
	decode -q --kind event <out.fl >e.json
	jq -se '.[0].subject == "DC-X-01" and .[0].type == "inspection" and .[0].status == "scheduled"' e.json
	jq -se '.[1].subject == "DC-X-01-UPS-01-S1-J02" and .[1].ts == "2026-08-24T17:04:30Z"
		and .[1].note == "dry_out; a, b; WO-1"' e.json
	decode -q --kind environment <out.fl | jq -se '.[0].hvac == "running" and .[0].ts == "2026-08-24T17:00:10Z"'
}

@test "the same directory gives the same bytes; compressed files too" {
	ingest -q --reject /dev/null set >1.fl
	gzip set/telemetry_jar_raw.csv set/maintenance_event.csv
	ingest -q --reject /dev/null set >2.fl
	cmp 1.fl 2.fl
}

@test "a directory without samples, or with a strange column, says so" {
	sed -i '1s/soh_pct/surprise/' set/telemetry_jar_raw.csv
	try ingest -q set -o out.fl
	assert_status 2
	assert_stderr "column 'surprise' is not in mapping"
	try ingest -q --battery A-J1 set -o out.fl
	assert_status 2
	assert_stderr "leave --mapping, --battery"
	rm set/telemetry_jar_raw.csv
	try ingest -q set -o out.fl
	assert_status 3
	assert_stderr "no telemetry_jar_raw"
}
