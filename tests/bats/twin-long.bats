load helper

# The unit test makes 10^7 steps; a battery read every second makes 10^8 in three years.
# bats test_tags=slow
@test "the twin's covariance stays positive definite over 10^8 steps" {
	test_program=$BIN/../tests/unit/ekf_test
	[ -x "$test_program" ] || skip "the unit tests are not built"
	EKF_STEPS=100000000 "$test_program"
}
