/* Passwords, tokens, sessions, limits, requests: what bridge rests on, without a
 * socket. */
#include "base/timefmt.h"
#include "db/db.h"
#include "web/api.h"
#include "web/bodies.h"
#include "web/password.h"
#include "web/pipeline.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <setjmp.h>
#include <cmocka.h>

static const int64_t NOW = INT64_C(1790000000000);

static struct token_key known_key(void)
{
	struct token_key k;
	for (int i = 0; i < TOKEN_KEY_SIZE; i++)
		k.bytes[i] = (unsigned char)i;
	return k;
}

/* Made by Python's hmac, hashlib and base64 with the same key. */
static const char KNOWN[] =
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
	"eyJhdWQiOiJmbG9hdGxpbmUiLCJzdWIiOiI3Iiwic2lkIjo5LCJpYXQiOjE3OTAwMDAwMDAsImV4cC"
	"I6"
	"MTc5MDAwMTgwMH0.I4PFSMw5Q0-_h-4Cco9qSia6IgyIOdSOfngWwJJSPVQ";

static void token_is_a_jwt(void **state)
{
	struct token_key k = known_key();
	struct claims c = {7, 9, NOW, NOW + ACCESS_MS}, got;
	char token[ACCESS_TOKEN_SIZE];
	access_token_make(&k, &c, token);
	assert_string_equal(token, KNOWN);
	assert_int_equal(access_token_read(&k, str_of(KNOWN), NOW, &got), TOKEN_GOOD);
	assert_int_equal(got.user, 7);
	assert_int_equal(got.session, 9);
	assert_int_equal(got.issued, NOW);
	assert_int_equal(got.expires, NOW + ACCESS_MS);
}

static void token_has_its_time(void **state)
{
	struct token_key k = known_key();
	struct claims got;
	struct str t = str_of(KNOWN);
	assert_int_equal(
		access_token_read(&k, t, NOW + ACCESS_MS - 1, &got), TOKEN_GOOD);
	assert_int_equal(
		access_token_read(&k, t, NOW + ACCESS_MS, &got), TOKEN_EXPIRED);
	assert_int_equal(access_token_read(&k, t, NOW - MINUTE_MS, &got), TOKEN_GOOD);
	assert_int_equal(
		access_token_read(&k, t, NOW - MINUTE_MS - 1, &got), TOKEN_BAD);
}

/* Every other byte in every place, every length, and another key. */
static void token_cannot_be_changed(void **state)
{
	struct token_key k = known_key();
	struct claims got;
	char t[sizeof(KNOWN)];
	for (size_t i = 0; i < sizeof(KNOWN) - 1; i++)
		for (int c = 1; c < 256; c++) {
			memcpy(t, KNOWN, sizeof(KNOWN));
			if (t[i] == (char)c)
				continue;
			t[i] = (char)c;
			assert_int_equal(
				access_token_read(&k, str_of(t), NOW, &got), TOKEN_BAD);
		}
	for (uint32_t n = 0; n < sizeof(KNOWN) - 1; n++)
		assert_int_equal(
			access_token_read(&k, (struct str){KNOWN, n}, NOW, &got),
			TOKEN_BAD);
	k.bytes[31] ^= 1;
	assert_int_equal(access_token_read(&k, str_of(KNOWN), NOW, &got), TOKEN_BAD);
}

static void passwords(void **state)
{
	struct err err = {0};
	char a[PASSWORD_HASH_SIZE], b[PASSWORD_HASH_SIZE];
	assert_int_equal(password_hash("กุญแจหลัก", a, &err), 0);
	assert_int_equal(password_hash("กุญแจหลัก", b, &err), 0);
	assert_string_not_equal(a, b);
	assert_true(strncmp(a, "$argon2id$v=19$m=19456,t=2,p=1$", 31) == 0);
	assert_true(password_matches(a, "กุญแจหลัก"));
	assert_false(password_matches(a, "กุญแจหลก"));
	assert_false(password_matches(NULL, "กุญแจหลัก"));
	/* Characters are counted, not bytes: eight of three bytes each do, seven do
	 * not. */
	assert_int_equal(password_acceptable("กขคงจฉชซ", "nok", &err), 0);
	assert_int_equal(password_acceptable("กขคงจฉช", "nok", &err), -1);
	assert_int_equal(password_acceptable("Password1", "nok", &err), -1);
	assert_int_equal(err.class, ERR_DATA);
}

static void sites_of_an_account(void **state)
{
	struct account all = {.sites = ""}, two = {.sites = "DC-A,DC-BKK-01"};
	assert_true(account_sees(&all, "DC-X"));
	assert_true(account_sees(&two, "DC-A"));
	assert_true(account_sees(&two, "DC-BKK-01"));
	assert_false(account_sees(&two, "DC-BKK"));
	assert_false(account_sees(&two, "DC-BKK-011"));
	assert_false(account_sees(&two, ""));
}

static void limit_gives_back_with_time(void **state)
{
	struct limit *l = limit_new(2, 3, 10000);
	for (int i = 0; i < 3; i++)
		assert_int_equal(limit_take(l, "a", NOW), 0);
	int64_t wait = limit_take(l, "a", NOW);
	assert_in_range(wait, 9999, 10001);
	assert_int_equal(limit_take(l, "b", NOW), 0);
	assert_true(limit_take(l, "a", NOW + 9000) > 0);
	assert_int_equal(limit_take(l, "a", NOW + 10001), 0);
	/* A clock that goes back gives nothing away. */
	assert_true(limit_take(l, "a", NOW) > 0);
	/* No room for a third address: the oldest entry makes it. */
	assert_int_equal(limit_take(l, "c", NOW + 10002), 0);
	assert_int_equal(limit_take(l, "c", NOW + 10002), 0);
	limit_free(l);
}

static void limit_takes_a_network_for_one(void **state)
{
	struct limit *l = limit_new(8, 1, 10000);
	assert_int_equal(limit_take(l, "2001:db8:0:1::1", NOW), 0);
	assert_true(limit_take(l, "2001:db8:0:1:ffff::2", NOW) > 0);
	assert_int_equal(limit_take(l, "2001:db8:0:2::1", NOW), 0);
	assert_int_equal(limit_take(l, "::ffff:192.0.2.1", NOW), 0);
	assert_int_equal(limit_take(l, "::ffff:192.0.2.2", NOW), 0);
	assert_int_equal(limit_take(l, "192.0.2.1", NOW), 0);
	assert_int_equal(limit_take(l, "192.0.2.2", NOW), 0);
	limit_free(l);
}

/* 60 bytes of a network, 100 of all. */
static void bodies_have_bounds(void **state)
{
	struct bodies *b = bodies_new(100, 60);
	struct body_share *one = bodies_join(b, "2001:db8:0:1::1");
	assert_ptr_equal(bodies_join(b, "2001:db8:0:1:ffff::2"), one);
	struct body_share *other = bodies_join(b, "2001:db8:0:2::1");
	assert_ptr_not_equal(one, other);
	assert_int_equal(bodies_room(one, 60), BODY_FITS);
	assert_int_equal(bodies_room(one, 61), BODY_NETWORK_FULL);
	assert_int_equal(bodies_room(one, 101), BODY_ALL_FULL);
	assert_true(bodies_take(one, 50));
	assert_false(bodies_take(one, 11));
	assert_true(bodies_take(one, 10));
	assert_int_equal(bodies_room(other, 40), BODY_FITS);
	assert_false(bodies_take(other, 41));
	assert_true(bodies_take(other, 40));
	assert_int_equal(bodies_room(other, 1), BODY_ALL_FULL);
	bodies_leave(one, 50); /* one of its two bodies */
	assert_int_equal(bodies_room(other, 20), BODY_FITS);
	assert_int_equal(bodies_room(other, 21), BODY_NETWORK_FULL);
	assert_true(bodies_take(one, 50));
	bodies_leave(one, 60);
	bodies_leave(other, 40);
	struct body_share *again = bodies_join(b, "192.0.2.1");
	assert_true(bodies_take(again, 60));
	bodies_free(b); /* also what nobody has left */
}

static void await_end(struct pipeline *p)
{
	const struct timespec look = {0, 1000000};
	for (int ended = 0; ended < p->n;) {
		if (pipeline_ended(p) >= 0)
			ended++;
		else
			nanosleep(&look, NULL);
	}
}

/* A secret is in the environment of its program, of no other, and in no argument. */
static void secret_is_no_argument(void **state)
{
	struct pipeline_plan plan = {.log = "/dev/null"};
	struct pipeline p;
	struct err err = {0};
	char found[] = "/tmp/web_test.XXXXXX";
	close(mkstemp(found));
	plan_program(&plan, "/usr/bin", "env");
	plan_secret(&plan, "FLOATLINE_DB=%s", "sesame");
	plan_program(&plan, "/bin", "sh");
	plan_word(&plan, "-c");
	plan_word(&plan,
		"grep -x FLOATLINE_DB=sesame && [ -z \"${FLOATLINE_DB+x}\" ] && rm %s",
		found);
	assert_false(plan.full);
	assert_int_equal(plan.nargs[0], 1);
	assert_int_equal(pipeline_start(&p, &plan, &err), 0);
	await_end(&p);
	pipeline_stop(&p, 0);
	assert_int_equal(access(found, F_OK), -1);
}

static const char *value_of(const struct request *r, const char *name)
{
	for (size_t i = 0; i < r->nquery; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	return NULL;
}

static void queries(void **state)
{
	struct request r = {0};
	struct err err = {0};
	assert_int_equal(http_add_query(&r, str_of("a=1=2"), &err), 0);
	assert_int_equal(http_add_query(&r, str_of("b"), &err), 0);
	assert_int_equal(http_add_query(&r, str_of("c="), &err), 0);
	assert_string_equal(value_of(&r, "a"), "1=2");
	assert_string_equal(value_of(&r, "b"), "");
	assert_string_equal(value_of(&r, "c"), "");
	assert_null(value_of(&r, "d"));
	assert_int_equal(http_add_query(&r, (struct str){"x=\0y", 4}, &err), -1);
	assert_int_equal(http_add_query(&r, str_of("x=\xff"), &err), -1);
	for (int i = 3; i < QUERY_MAX; i++)
		assert_int_equal(http_add_query(&r, str_of("n=1"), &err), 0);
	assert_int_equal(http_add_query(&r, str_of("n=1"), &err), -1);
}

static void codings(void **state)
{
	static const struct {
		const char *header;
		bool gzip;
	} CASES[] = {{"", false}, {"gzip", true}, {"GZip", true},
		{"deflate, gzip", true}, {"gzip;q=0", false}, {"gzip; q=0.000", false},
		{"gzip;q=0.001", true}, {"gzip;q=1.0, identity", true},
		{"br;q=1, gzip;q=0, *", false}, {"*", true}, {"*;q=0", false},
		{"identity", false}, {"xgzip", false}, {"gzipx", false},
		{",, gzip ,", true}, {";q=1", false}, {"*;q=0, gzip", true},
		{"gzip;q=0,br;q=0.5", false}};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct request r = {.method = METHOD_GET};
		str_copy(r.accept_encoding, sizeof(r.accept_encoding),
			str_of(CASES[i].header));
		if (http_accepts(&r, "gzip") != CASES[i].gzip)
			fail_msg("'%s'", CASES[i].header);
	}
}

static void cookies(void **state)
{
	struct request r = {.cookie = "ab=1; a=2;  c=3;a=4"};
	char v[8];
	assert_true(http_cookie(&r, "a", v, sizeof(v)));
	assert_string_equal(v, "2");
	assert_true(http_cookie(&r, "c", v, sizeof(v)));
	assert_string_equal(v, "3");
	assert_false(http_cookie(&r, "b", v, sizeof(v)));
	str_copy(r.cookie, sizeof(r.cookie), str_of("a=123456789"));
	assert_false(http_cookie(&r, "a", v, sizeof(v)));
}

struct fixture {
	char file[64];
	struct db *db;
	struct account vera;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err err = {0};
	char url[80], hash[PASSWORD_HASH_SIZE];
	str_copy(f->file, sizeof(f->file), str_of("/tmp/web_test.XXXXXX"));
	int fd = mkstemp(f->file);
	if (fd < 0)
		return -1;
	close(fd);
	snprintf(url, sizeof(url), "sqlite:%s", f->file);
	f->db = db_open(url, 0, &err);
	f->vera = (struct account){
		.username = "vera", .role = ROLE_VIEWER, .active = true};
	if (!f->db || db_ready(f->db, "schemas/sql", &err) < 0 ||
		account_hash(&f->vera, "a long one", hash, &err) < 0 ||
		account_add(f->db, &f->vera, hash, NOW, &err) < 0) {
		print_error("%s\n", err.msg);
		return -1;
	}
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	char side[72];
	db_close(f->db);
	unlink(f->file);
	snprintf(side, sizeof(side), "%s-wal", f->file);
	unlink(side);
	snprintf(side, sizeof(side), "%s-shm", f->file);
	unlink(side);
	free(f);
	return 0;
}

static int log_in(
	struct fixture *f, const char *password, int64_t now, struct session *s)
{
	struct err err = {0};
	int r = session_login(f->db, "vera", password, "::1", now, s, &err);
	if (r < 0 || (r == LOGIN_REFUSED && session_refused(f->db, s, now, &err) < 0))
		fail_msg("%s", err.msg);
	return r;
}

static int refresh(struct fixture *f, const char *token, int64_t now, struct session *s)
{
	struct err err = {0};
	int r = session_refresh(f->db, str_of(token), now, s, &err);
	if (r < 0)
		fail_msg("%s", err.msg);
	return r;
}

static bool alive(struct fixture *f, const struct session *s, int64_t now)
{
	struct err err = {0};
	struct account a;
	struct claims c = {f->vera.id, s->id, now, now + 1};
	int r = session_check(f->db, &c, now, &a, &err);
	if (r < 0)
		fail_msg("%s", err.msg);
	return r == 1;
}

struct visit {
	int64_t when;
	int inner; /* what the transaction within returns */
};

static int write_visit(struct db *db, void *ctx, struct err *err)
{
	char sql[80];
	const struct visit *v = ctx;
	snprintf(sql, sizeof(sql), "UPDATE app_user SET last_visit = %lld",
		(long long)v->when);
	return db_write(db, DB_QUERY_PLAIN(sql), NULL, err) < 0 ? -1 : v->inner;
}

static int write_both(struct db *db, void *ctx, struct err *err)
{
	struct visit first = {1, 0};
	if (write_visit(db, &first, err) < 0)
		return -1;
	return db_transaction(db, write_visit, ctx, err);
}

static int take_number(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(long *)ctx = cells[0] ? strtol(cells[0], NULL, 10) : 0;
	return 0;
}

/* One within another is part of it: what fails within is not done at all. */
static void transactions_nest(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	const struct {
		struct visit v;
		int result;
		long visit;
	} CASES[] = {{{7, -1}, -1, 0}, {{8, 0}, 0, 8}, {{9, -1}, -1, 8}};
	for (size_t i = 0; i < sizeof(CASES) / sizeof(*CASES); i++) {
		struct visit v = CASES[i].v;
		long visit = -1;
		assert_int_equal(
			db_transaction(f->db, write_both, &v, &err), CASES[i].result);
		assert_int_equal(
			db_select(f->db,
				DB_QUERY_PLAIN("SELECT last_visit FROM app_user"),
				take_number, &visit, &err),
			0);
		assert_int_equal(visit, CASES[i].visit);
	}
}

static void session_lives_by_its_tokens(void **state)
{
	struct fixture *f = *state;
	struct session s, next, last;
	assert_int_equal(log_in(f, "a long one", NOW, &s), LOGIN_OK);
	assert_int_equal(refresh(f, s.refresh_token, NOW + REFRESH_MS - 1, &next), 1);
	assert_int_equal(next.id, s.id);
	assert_int_equal(next.account.id, f->vera.id);
	assert_int_equal(
		refresh(f, next.refresh_token, NOW + 2 * REFRESH_MS - 1, &last), 0);
	assert_true(alive(f, &s, NOW + 2 * REFRESH_MS));
}

static void session_ends_at_last(void **state)
{
	struct fixture *f = *state;
	struct session s, next;
	assert_int_equal(log_in(f, "a long one", NOW, &s), LOGIN_OK);
	for (int64_t t = 6 * DAY_MS; t < SESSION_MS; t += 6 * DAY_MS) {
		assert_int_equal(refresh(f, s.refresh_token, NOW + t, &next), 1);
		s = next;
	}
	assert_true(alive(f, &s, NOW + SESSION_MS - 1));
	assert_false(alive(f, &s, NOW + SESSION_MS));
	assert_int_equal(refresh(f, s.refresh_token, NOW + SESSION_MS, &next), 0);
}

static void stolen_token_ends_the_session(void **state)
{
	struct fixture *f = *state;
	struct session s, other, next, again;
	assert_int_equal(log_in(f, "a long one", NOW, &s), LOGIN_OK);
	assert_int_equal(log_in(f, "a long one", NOW, &other), LOGIN_OK);
	assert_int_equal(refresh(f, s.refresh_token, NOW + 1, &next), 1);
	assert_int_equal(refresh(f, s.refresh_token, NOW + 2, &again), 0);
	assert_false(alive(f, &s, NOW + 3));
	assert_int_equal(refresh(f, next.refresh_token, NOW + 4, &again), 0);
	assert_true(alive(f, &other, NOW + 5));
}

/* 1, 2, 4 … s after the fifth failure, 900 s at most; a success starts anew. */
static void failures_make_it_wait(void **state)
{
	struct fixture *f = *state;
	struct session s;
	int64_t now = NOW;
	for (int i = 0; i < 4; i++)
		assert_int_equal(log_in(f, "wrong", now, &s), LOGIN_REFUSED);
	for (int64_t wait = 1000; wait <= 2048000; wait *= 2) {
		int64_t want = wait < 900000 ? wait : 900000;
		assert_int_equal(log_in(f, "wrong", now, &s), LOGIN_REFUSED);
		assert_int_equal(
			log_in(f, "a long one", now + want - 1, &s), LOGIN_LOCKED);
		assert_int_equal(s.account.locked_until, now + want);
		now += want;
	}
	assert_int_equal(log_in(f, "a long one", now, &s), LOGIN_OK);
	for (int i = 0; i < 4; i++)
		assert_int_equal(log_in(f, "wrong", now, &s), LOGIN_REFUSED);
	assert_int_equal(log_in(f, "a long one", now, &s), LOGIN_OK);
}

static void old_sessions_are_forgotten(void **state)
{
	struct fixture *f = *state;
	struct session s, next;
	struct err err = {0};
	assert_int_equal(log_in(f, "a long one", NOW, &s), LOGIN_OK);
	assert_int_equal(session_forget(f->db, NOW + SESSION_MS, &err), 0);
	assert_true(alive(f, &s, NOW + 1));
	assert_int_equal(session_forget(f->db, NOW + SESSION_MS + 1, &err), 0);
	assert_false(alive(f, &s, NOW + 1));
	assert_int_equal(refresh(f, s.refresh_token, NOW + 1, &next), 0);
}

/* A path is a route's or it is none; no path is two routes'. */
static void routes_are_distinct(void **state)
{
	for (size_t i = 0; i < API_NROUTES; i++) {
		const struct route *r = &API_ROUTES[i];
		assert_true(r->path[0] == '/' && r->fn && r->summary && r->answers);
		assert_true((strstr(r->path, "{id}") != NULL) ||
			    r->scope == SCOPE_NONE || r->scope == SCOPE_DEVICE);
		for (size_t k = 0; k < i; k++)
			assert_false(API_ROUTES[k].method == r->method &&
				     strcmp(API_ROUTES[k].path, r->path) == 0);
		size_t n = 0;
		while (r->params && r->params[n].name)
			n++;
		assert_in_range(n, 0, PARAMS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(token_is_a_jwt),
		cmocka_unit_test(token_has_its_time),
		cmocka_unit_test(token_cannot_be_changed), cmocka_unit_test(passwords),
		cmocka_unit_test(sites_of_an_account),
		cmocka_unit_test(limit_gives_back_with_time),
		cmocka_unit_test(limit_takes_a_network_for_one),
		cmocka_unit_test(bodies_have_bounds), cmocka_unit_test(queries),
		cmocka_unit_test(cookies), cmocka_unit_test(codings),
		cmocka_unit_test(routes_are_distinct),
		cmocka_unit_test(secret_is_no_argument),
		cmocka_unit_test_setup_teardown(transactions_nest, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			session_lives_by_its_tokens, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			session_ends_at_last, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			stolen_token_ends_the_session, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			failures_make_it_wait, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			old_sessions_are_forgotten, set_up, tear_down)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
