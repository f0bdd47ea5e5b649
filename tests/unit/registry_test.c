/*
 * The registry: versions, names, promotion and rollback; and the same with kill -9 at
 * each step. This program stands between the library and the kernel: its own fsync,
 * renameat and so on count the steps, and kill the process, a child, when its time has
 * come. A write is killed before and in its middle. What a power cut does to a disk is
 * beyond such a test.
 */
#include "learn/history.h"
#include "learn/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int steps_left; /* 0: never */

static void step(void)
{
	if (steps_left > 0 && --steps_left == 0)
		kill(getpid(), SIGKILL);
}

#define STEP(name, params, ...)                                                        \
	int name params                                                                \
	{                                                                              \
		step();                                                                \
		return (int)syscall(SYS_##name, __VA_ARGS__);                          \
	}
STEP(fsync, (int fd), fd)
STEP(ftruncate, (int fd, off_t len), fd, len)
STEP(symlinkat, (const char *to, int fd, const char *path), to, fd, path)
STEP(renameat, (int a, const char *from, int b, const char *to), a, from, b, to)
STEP(unlinkat, (int fd, const char *path, int flags), fd, path, flags)

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

int rmdir(const char *path)
{
	return unlinkat(AT_FDCWD, path, AT_REMOVEDIR);
}

int mkdir(const char *path, mode_t mode)
{
	step();
	return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

ssize_t write(int fd, const void *p, size_t n)
{
	step();
	if (steps_left == 1)
		syscall(SYS_write, fd, p, n / 2);
	step();
	return (ssize_t)syscall(SYS_write, fd, p, n);
}

static char root[] = "/tmp/floatline-registry-XXXXXX", dir[64];

/* A model of one feature and few trees; 'flavour' makes it another. */
static void save_model(const char *path, int flavour, char id[CODE_MAX + 1])
{
	float x[64], t[64];
	struct model m = {.window_h = 24,
		.floor_days = 7,
		.longest_days = 3000,
		.nfeatures = 1,
		.start = -1,
		.start_days = 300,
		.bound = {-1, -1},
		.tested = -1};
	struct model_report r = {.seed = (uint64_t)flavour};
	struct booster_fit fit;
	struct booster_params p = {4, 4, 2, 1, 0.5, 0.5, 300, 1, 0.8};
	struct buf trees = {0};
	for (int i = 0; i < 64; i++) {
		x[i] = (float)i;
		t[i] = (float)(100 + i * (flavour + 1));
	}
	for (int i = 0; i < CALIB_KINDS; i++)
		m.calibration[i] = (struct calibration){
			0.9, {0, 0}, 1, {{INFINITY, -1, 1, 0.5, 0, 60, 60, false}}};
	struct booster_data d = {x, t, t, 64, 1};
	struct booster *b = booster_train(&d, &d, &p, &fit, NULL);
	assert_int_equal(booster_save(b, &trees, NULL), 0);
	strcpy(m.feature[0].name, "t_mean_c");
	strcpy(m.feature[0].unit, "degC");
	m.feature[0].max = 64;
	m.booster_size = trees.len;
	m.booster_hash = hash_bytes(trees.data, trees.len);
	snprintf(m.id, sizeof(m.id), "aft-%d", flavour);
	assert_int_equal(model_save(path, &m, &r, &trees, NULL, NULL), 0);
	strcpy(id, m.id);
	booster_free(b);
	buf_release(&trees);
}

static struct registry *writer(void)
{
	struct err err = {0};
	struct registry *r = registry_open(dir, true, &err);
	if (!r)
		fail_msg("%s", err.msg);
	return r;
}

static void put(int flavour)
{
	char id[CODE_MAX + 1], got[CODE_MAX + 1];
	struct registry *r = writer();
	save_model(registry_incoming(r), flavour, id);
	assert_int_equal(registry_adopt(r, got, NULL), 0);
	assert_string_equal(id, got);
	registry_close(r);
}

static void is_name(const char *name, const char *want)
{
	char id[CODE_MAX + 1] = "", path[REGISTRY_PATH];
	struct registry *r = registry_open(dir, false, NULL);
	assert_int_equal(registry_resolve(r, name, id, NULL), want[0] != '\0');
	assert_string_equal(id, want);
	if (want[0]) {
		struct model m;
		struct booster *b;
		assert_int_equal(registry_path(r, name, path, NULL), 0);
		b = model_load(path, &m, NULL);
		assert_non_null(b);
		assert_string_equal(m.id, want);
		booster_free(b);
	}
	registry_close(r);
}

/* What production is, which must load. */
static void production(char id[CODE_MAX + 1])
{
	struct registry *r = registry_open(dir, false, NULL);
	assert_int_equal(registry_resolve(r, "production", id, NULL), 1);
	registry_close(r);
	is_name("production", id);
}

static int promote(const char *name)
{
	char was[CODE_MAX + 1], now[CODE_MAX + 1];
	struct err err = {0};
	struct registry *r = writer();
	int done = registry_promote(r, name, 1000, was, now, &err);
	registry_close(r);
	return done;
}

static int roll_back(char now[CODE_MAX + 1])
{
	char was[CODE_MAX + 1];
	struct err err = {0};
	struct registry *r = writer();
	int done = registry_rollback(r, 2000, was, now, &err);
	registry_close(r);
	return done;
}

static void count_one(void *to, const char *id)
{
	(*(int *)to)++;
}

static int versions(void)
{
	int n = 0;
	struct registry *r = registry_open(dir, false, NULL);
	assert_int_equal(registry_each(r, count_one, &n, NULL), 0);
	registry_close(r);
	return n;
}

static bool there(const char *version)
{
	char id[CODE_MAX + 1];
	struct registry *r = registry_open(dir, false, NULL);
	bool is = registry_resolve(r, version, id, NULL) == 1;
	registry_close(r);
	return is;
}

static int fresh_registry(void **state)
{
	static int number;
	snprintf(dir, sizeof(dir), "%s/%d", root, number++);
	return 0;
}

static void test_names(void **state)
{
	char now[CODE_MAX + 1];
	put(0);
	is_name("staging", "aft-0");
	is_name("production", "");
	assert_int_equal(roll_back(now), -1);
	assert_int_equal(promote("staging"), 1);
	is_name("production", "aft-0");
	assert_int_equal(promote("staging"), 0);
	assert_int_equal(roll_back(now), -1); /* there was none before */
	put(1);
	put(2);
	put(2); /* again: nothing new */
	assert_int_equal(versions(), 3);
	is_name("staging", "aft-2");
	is_name("production", "aft-0");
	assert_int_equal(promote("aft-1"), 1);
	assert_int_equal(promote("aft-2"), 1);
	assert_int_equal(roll_back(now), 1);
	assert_string_equal(now, "aft-1");
	assert_int_equal(roll_back(now), 1);
	assert_string_equal(now, "aft-0");
	assert_int_equal(roll_back(now), -1);
	is_name("production", "aft-0");
	assert_int_equal(promote("aft-9"), -1);
	assert_int_equal(promote(".."), -1);
	assert_int_equal(promote("aft-1/../aft-2"), -1);
}

static void test_damaged_is_not_promoted(void **state)
{
	char path[REGISTRY_PATH + 32];
	put(0);
	assert_int_equal(promote("staging"), 1);
	put(1);
	snprintf(path, sizeof(path), "%s/aft-1/booster.ubj", dir);
	assert_int_equal(truncate(path, 100), 0);
	assert_int_equal(promote("staging"), -1);
	is_name("production", "aft-0");
	/* registered anew it is whole again */
	put(1);
	assert_int_equal(promote("staging"), 1);
}

static void test_linked_by_hand(void **state)
{
	char now[CODE_MAX + 1];
	put(0);
	put(1);
	assert_int_equal(promote("aft-0"), 1);
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	unlinkat(fd, "production", 0);
	assert_int_equal(symlinkat("aft-1", fd, "production"), 0);
	assert_int_equal(roll_back(now), 1);
	assert_string_equal(now, "aft-0");
	/* a link to elsewhere is no version */
	unlinkat(fd, "production", 0);
	assert_int_equal(symlinkat("../../etc", fd, "production"), 0);
	struct err err = {0};
	assert_null(registry_open(dir, true, &err));
	assert_non_null(strstr(err.msg, "which is no version"));
	close(fd);
}

static int last_line(void *to, const struct history_line *l)
{
	*(struct history_line *)to = *l;
	return 0;
}

/* The last line of the history tells what production is. */
static void history_agrees(void)
{
	char id[CODE_MAX + 1];
	struct history_line l = {0};
	registry_close(writer()); /* settles it */
	int fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(history_each(fd, last_line, &l, NULL), 0);
	close(fd);
	production(id);
	assert_string_equal(l.to, id);
}

/* Runs op in a child that is killed at step n. True when it came to its end. */
static bool survives(void (*op)(void), int n)
{
	int status;
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		steps_left = n;
		op();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		assert_int_equal(WTERMSIG(status), SIGKILL);
	else
		assert_int_equal(WEXITSTATUS(status), 0);
	return WIFEXITED(status);
}

static void op_promote(void)
{
	promote("aft-2");
}

static void op_roll_back(void)
{
	char now[CODE_MAX + 1];
	roll_back(now);
}

static void op_register(void)
{
	char id[CODE_MAX + 1], from[REGISTRY_PATH];
	struct err err = {0};
	struct registry *r = registry_open(dir, true, &err);
	snprintf(from, sizeof(from), "%s/new", root);
	if (!r || registry_fetch(r, from, &err) < 0 || registry_adopt(r, id, &err) < 0)
		_exit(9);
	registry_close(r);
}

/* aft-0, aft-1 have been production, aft-1 is. */
static void base(void)
{
	for (int i = 0; i < 3; i++)
		put(i);
	assert_int_equal(promote("aft-0"), 1);
	assert_int_equal(promote("aft-1"), 1);
}

static void test_promotion_killed_at_each_step(void **state)
{
	char id[CODE_MAX + 1];
	int n = 0, before = 0, after = 0;
	bool done = false;
	base();
	while (!done) {
		done = survives(op_promote, ++n);
		production(id);
		assert_true(strcmp(id, "aft-1") == 0 || strcmp(id, "aft-2") == 0);
		strcmp(id, "aft-1") == 0 ? before++ : after++;
		history_agrees();
		production(id);
		/* whatever happened: promoted once more it is, and can be taken back */
		assert_true(promote("aft-2") >= 0);
		is_name("production", "aft-2");
		assert_int_equal(roll_back(id), 1);
		assert_string_equal(id, "aft-1");
		assert_int_equal(versions(), 3);
	}
	print_message("killed at %d steps, %d times before and %d after\n", n - 1,
		before, after - 1);
	assert_true(before >= 4 && after >= 2);
}

static void test_rollback_killed_at_each_step(void **state)
{
	char id[CODE_MAX + 1];
	int n = 0;
	bool done = false;
	base();
	while (!done) {
		assert_true(promote("aft-2") >= 0);
		done = survives(op_roll_back, ++n);
		production(id);
		assert_true(strcmp(id, "aft-1") == 0 || strcmp(id, "aft-2") == 0);
		history_agrees();
		if (strcmp(id, "aft-2") == 0)
			assert_int_equal(roll_back(id), 1);
		is_name("production", "aft-1");
		/* the pile beneath is untouched */
		assert_int_equal(roll_back(id), 1);
		assert_string_equal(id, "aft-0");
		assert_int_equal(promote("aft-1"), 1);
	}
	assert_true(n > 6);
}

static void test_registering_killed_at_each_step(void **state)
{
	char id[CODE_MAX + 1], from[REGISTRY_PATH];
	int n = 0;
	bool done = false;
	base();
	snprintf(from, sizeof(from), "%s/new", root);
	save_model(from, 7, id);
	while (!done) {
		done = survives(op_register, ++n);
		is_name("production", "aft-1");
		struct registry *r = registry_open(dir, false, NULL);
		assert_int_equal(registry_resolve(r, "staging", id, NULL), 1);
		registry_close(r);
		is_name("staging", id); /* loads, old or new */
		assert_int_equal(versions(), 3 + there("aft-7"));
		op_register();
		is_name("staging", "aft-7");
		assert_int_equal(versions(), 4);
		/* as before */
		char path[REGISTRY_PATH];
		snprintf(path, sizeof(path), "%s/aft-7", dir);
		model_remove(path);
		put(2);
	}
	assert_true(n > 8);
}

static int make_root(void **state)
{
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	char command[80];
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command);
}

int main(int argc, char **argv)
{
	/* XGBoost's threads do not outlive a fork: it is to have none, which it learns
	 * when it is loaded. */
	if (!getenv("OMP_NUM_THREADS")) {
		setenv("OMP_NUM_THREADS", "1", 1);
		execl("/proc/self/exe", argv[0], (char *)NULL);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_names, fresh_registry),
		cmocka_unit_test_setup(test_damaged_is_not_promoted, fresh_registry),
		cmocka_unit_test_setup(test_linked_by_hand, fresh_registry),
		cmocka_unit_test_setup(
			test_promotion_killed_at_each_step, fresh_registry),
		cmocka_unit_test_setup(
			test_rollback_killed_at_each_step, fresh_registry),
		cmocka_unit_test_setup(
			test_registering_killed_at_each_step, fresh_registry),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
