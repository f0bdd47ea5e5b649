#include "web/simulation.h"

#include "base/now.h"
#include "db/db.h"
#include "db/query.h"
#include "web/cell.h"
#include "web/feed.h"
#include "web/pipeline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

enum {
	DIR_MAX = 80,     /* sockets of files have short names */
	LOOK_MS = 200,    /* how soon the end of a process is noticed */
	CLOCK_MS = 1000,  /* how often one is asked for its time */
	ANSWER_MS = 2000, /* how long an answer to a command may take */
	GRACE_MS = 2500,  /* for store to write what it has got */
	SLOW = 10,        /* speeds up to which samples come more often */
	FAST = 60,
	HASTY = 3600,
};

/* Enough that the windows of a day and the twin's filters are warm; a site takes some
 * five seconds. */
static const char HISTORY[] = "7d@1h";

struct slot {
	struct simulation v; /* v.id 0: free */
	struct pipeline pipeline;
	struct pipeline_plan plan;
	struct feed *feed;
	char folder[DIR_MAX + 40];
	int64_t asked;
};

struct simulations {
	struct simulations_options o;
	char owner[DIR_MAX + 80], programs[512];
	void *zmq;
	int lock_fd;
	pthread_t thread;
	bool running, closing;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct slot slots[SIMULATIONS_MAX];
};

/* --- folders ---------------------------------------------------------------------- */

/* A simulation's folder has files only. */
static void remove_folder(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *e;
	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(path);
}

/* The last complaint of one of its programs, or that it has ended. */
static void last_words(const struct slot *k, const char *name, char *dst, size_t size)
{
	char path[DIR_MAX + 64], line[MESSAGE_MAX];
	snprintf(path, sizeof(path), "%s/log", k->folder);
	FILE *f = fopen(path, "re");
	size_t n = strlen(name);
	snprintf(dst, size, "%s has ended", name);
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (strncmp(line, name, n) == 0 && line[n] == ':')
			str_copy(dst, size, str_of(line));
	}
	if (f)
		fclose(f);
}

/* --- the database ----------------------------------------------------------------- */

static int take_number(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	*(int64_t *)ctx = cell_int(cells[0]);
	return 0;
}

static int write_down(
	struct simulations *s, struct db *db, struct simulation *v, struct err *err)
{
	if (db_write(db,
		    DB_QUERY("INSERT INTO simulation (run, owner, site, scenario, "
			     "parameters, speed, started_by, started) VALUES ($1, $2, "
			     "$3, $4, $5, $6, $7, $8)",
			    v->run, s->owner, v->site,
			    *v->scenario ? v->scenario : NULL, v->parameters,
			    number(v->speed).text, v->started_by,
			    number(v->started).text),
		    NULL, err) < 0)
		return -1;
	return db_select(db,
		DB_QUERY("SELECT id FROM simulation WHERE run = $1", v->run),
		take_number, &v->id, err);
}

/* Every row of a run, if there is any. */
static int purge(struct db *db, const char *run, int64_t now, const char *message,
	struct err *err)
{
	int64_t there = 0;
	if (db_select(db, DB_QUERY("SELECT count(*) FROM run WHERE name = $1", run),
		    take_number, &there, err) < 0 ||
		(there > 0 && db_purge(db, run, err) < 0))
		return -1;
	return db_write(db,
		DB_QUERY("UPDATE simulation SET stopped = $2, message = $3 WHERE run "
			 "= $1",
			run, number(now).text, *message ? message : NULL),
		NULL, err);
}

struct leftovers {
	char run[64][32];
	int n;
};

static int take_leftover(void *ctx, const char *const *cells, size_t n, struct err *err)
{
	struct leftovers *l = ctx;
	str_copy(l->run[l->n++], sizeof(l->run[0]), str_of(cells[0]));
	return 0;
}

static int purge_leftovers(struct simulations *s, struct err *err)
{
	struct leftovers l;
	char path[DIR_MAX + 64];
	struct db *db = db_open(s->o.db_url, 0, err);
	int r = db ? 0 : -1;
	do {
		l.n = 0;
		if (r == 0)
			r = db_select(db,
				DB_QUERY("SELECT run FROM simulation WHERE owner = $1 "
					 "AND stopped IS NULL LIMIT 64",
					s->owner),
				take_leftover, &l, err);
		for (int i = 0; r == 0 && i < l.n; i++) {
			snprintf(path, sizeof(path), "%s/%s", s->o.dir, l.run[i]);
			r = purge(db, l.run[i], now_wall_ms(),
				"ended with the bridge that ran it", err);
			if (r == 0)
				remove_folder(path);
		}
	} while (r == 0 && l.n > 0);
	db_close(db);
	return r;
}

/* --- command lines ---------------------------------------------------------------- */

/* How often things are measured: a site's samples some ten times a second of the clock
 * at most, but no more seldom than an alert that is pending outlives (LIFE_GAP_MS). */
static const char *interval_of(int64_t speed)
{
	return speed <= SLOW    ? "10s"
	       : speed <= FAST  ? "1m"
	       : speed <= HASTY ? "5m"
				: "15m";
}

static int plan_simulate(struct simulations *s, struct slot *k, json_t *const *commands,
	int ncommands, struct err *err)
{
	struct pipeline_plan *p = &k->plan;
	plan_program(p, s->programs, "simulate");
	plan_word(p, "--live");
	if (s->o.fleet)
		plan_word(p, "--fleet=%s", s->o.fleet);
	plan_word(p, "--site=%s", k->v.site);
	plan_word(p, "--seed=%d", SIMULATION_SEED);
	plan_word(p, "--speed=%lld", (long long)k->v.speed);
	plan_word(p, "--interval=%s", interval_of(k->v.speed));
	plan_word(p, "--backfill=%s", HISTORY);
	plan_word(p, "--run=%s", k->v.run);
	plan_word(p, "--control=ipc://%s/control", k->folder);
	for (int i = 0; i < ncommands; i++) {
		struct buf text = {0};
		drill_option(commands[i], &text);
		if (text.failed)
			return err_nomem(err);
		plan_word(p, "--scenario=%s", (char *)text.data);
		buf_release(&text);
	}
	return 0;
}

static void plan_predict(struct simulations *s, struct pipeline_plan *p)
{
	char production[512];
	plan_program(p, s->programs, "predict");
	if (!s->o.models)
		return;
	snprintf(production, sizeof(production), "%s/production", s->o.models);
	if (access(production, F_OK) == 0)
		plan_word(p, "--registry=%s", s->o.models);
}

static int plan_all(struct simulations *s, struct slot *k, json_t *const *commands,
	int ncommands, struct err *err)
{
	struct pipeline_plan *p = &k->plan;
	*p = (struct pipeline_plan){0};
	if (plan_simulate(s, k, commands, ncommands, err) < 0)
		return -1;
	plan_program(p, s->programs, "featurize");
	plan_program(p, s->programs, "twin");
	plan_word(p, "--rul-every=1h");
	plan_predict(s, p);
	plan_program(p, s->programs, "alert");
	plan_program(p, s->programs, "broadcast");
	plan_word(p, "--bind=ipc://%s/feed", k->folder);
	plan_word(p, "--wait-subscribers=1");
	plan_word(p, "--output=-");
	plan_program(p, s->programs, "store");
	plan_secret(p, DB_ENVIRONMENT "=%s", s->o.db_url);
	return 0;
}

/* --- the thread that looks after them --------------------------------------------- */

static json_t *exchange(
	struct simulations *s, const char *folder, const json_t *command)
{
	char endpoint[DIR_MAX + 64], text[4096];
	const int wait = ANSWER_MS, none = 0;
	char *asked = json_dumps(command, JSON_COMPACT);
	void *socket = zmq_socket(s->zmq, ZMQ_REQ);
	int n = -1;
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", folder);
	if (socket && asked) {
		zmq_setsockopt(socket, ZMQ_LINGER, &none, sizeof(none));
		zmq_setsockopt(socket, ZMQ_SNDTIMEO, &wait, sizeof(wait));
		zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait, sizeof(wait));
		if (zmq_connect(socket, endpoint) == 0 &&
			zmq_send(socket, asked, strlen(asked), 0) >= 0)
			n = zmq_recv(socket, text, sizeof(text), 0);
	}
	if (socket)
		zmq_close(socket);
	free(asked);
	if (n < 0 || n > (int)sizeof(text))
		return NULL;
	json_t *answer = json_loadb(text, (size_t)n, 0, NULL);
	if (json_is_object(answer))
		return answer;
	json_decref(answer);
	return NULL;
}

static void end_processes(struct slot *k)
{
	pipeline_stop(&k->pipeline, k->v.state == SIMULATION_FAILED ? 0 : GRACE_MS);
	feed_stop(k->feed);
	k->feed = NULL;
}

static void fail(struct simulations *s, struct slot *k, const char *why)
{
	char text[MESSAGE_MAX + 80];
	str_copy(k->v.message, sizeof(k->v.message), str_of(why));
	k->v.state = SIMULATION_FAILED;
	snprintf(text, sizeof(text), "simulation '%s' has failed: %s", k->v.run,
		k->v.message);
	s->o.log(text);
	end_processes(k);
}

static void launch(struct simulations *s, struct slot *k)
{
	char endpoint[DIR_MAX + 64], log[DIR_MAX + 64];
	struct err err = {0};
	snprintf(endpoint, sizeof(endpoint), "sub:ipc://%s/feed", k->folder);
	snprintf(log, sizeof(log), "%s/log", k->folder);
	struct feed_options fo = {endpoint, s->o.hub, s->o.wake, s->o.ctx, s->o.log};
	k->plan.log = log;
	k->v.state = SIMULATION_RUNNING;
	if (mkdir(k->folder, 0700) < 0)
		err_errno(&err, "cannot make the folder '%s'", k->folder);
	else if (pipeline_start(&k->pipeline, &k->plan, &err) == 0)
		k->feed = feed_start(&fo, &err);
	if (err.class)
		fail(s, k, err.msg);
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

/* A pipeline without an end: whichever program has ended, has failed. */
static void watch(struct simulations *s, struct slot *k)
{
	char why[MESSAGE_MAX];
	int i = pipeline_ended(&k->pipeline);
	if (i < 0)
		return;
	last_words(k, name_of(k->plan.argv[i][0]), why, sizeof(why));
	fail(s, k, why);
}

/* Asks one for its time, the lock let go meanwhile. */
static void ask_time(struct simulations *s, struct slot *k, int64_t now)
{
	char folder[sizeof(k->folder)];
	int64_t id = k->v.id, ts;
	k->asked = now;
	str_copy(folder, sizeof(folder), str_of(k->folder));
	pthread_mutex_unlock(&s->lock);
	json_t *status = json_pack("{s:s}", "command", "status");
	json_t *a = exchange(s, folder, status);
	const char *text = json_string_value(json_object_get(a, "now"));
	pthread_mutex_lock(&s->lock);
	if (k->v.id == id && text && time_parse_iso(str_of(text), 0, &ts) == 0) {
		k->v.clock = ts;
		k->v.live = json_is_true(json_object_get(a, "live"));
	}
	json_decref(a);
	json_decref(status);
}

static void look_after(struct simulations *s, struct slot *k)
{
	int64_t now = now_steady_ms();
	if (k->v.id && k->v.state == SIMULATION_STARTING) {
		launch(s, k);
		pthread_cond_broadcast(&s->changed);
	} else if (k->v.id && k->v.state == SIMULATION_RUNNING) {
		watch(s, k);
		if (k->v.state == SIMULATION_RUNNING && now - k->asked >= CLOCK_MS)
			ask_time(s, k, now);
	}
}

static void *run(void *arg)
{
	struct simulations *s = arg;
	pthread_mutex_lock(&s->lock);
	while (!s->closing) {
		for (int i = 0; i < SIMULATIONS_MAX; i++)
			look_after(s, &s->slots[i]);
		now_cond_wait(&s->changed, &s->lock, LOOK_MS);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* --- the calls -------------------------------------------------------------------- */

/* The lock is held. */
static struct slot *find(struct simulations *s, int64_t id)
{
	for (int i = 0; i < SIMULATIONS_MAX; i++)
		if (s->slots[i].v.id == id)
			return &s->slots[i];
	return NULL;
}

static void name_run(struct simulation *v)
{
	unsigned char random[6];
	char hex[2 * sizeof(random) + 1];
	randombytes_buf(random, sizeof(random));
	sodium_bin2hex(hex, sizeof(hex), random, sizeof(random));
	snprintf(v->run, sizeof(v->run), "sim-%s", hex);
}

/* Hands it to the thread and waits until it runs. The lock is held. */
static int begin(struct simulations *s, struct slot *k, struct simulation *v,
	json_t *const *commands, int ncommands, struct err *err)
{
	k->v = *v;
	k->asked = 0;
	snprintf(k->folder, sizeof(k->folder), "%s/%s", s->o.dir, v->run);
	if (plan_all(s, k, commands, ncommands, err) < 0) {
		k->v.id = 0;
		return -1;
	}
	k->v.state = SIMULATION_STARTING;
	pthread_cond_broadcast(&s->changed);
	while (k->v.id == v->id && k->v.state == SIMULATION_STARTING && !s->closing)
		pthread_cond_wait(&s->changed, &s->lock);
	*v = k->v;
	return 201;
}

int simulations_start(struct simulations *s, struct db *db, struct simulation *v,
	json_t *const *commands, int ncommands, struct err *err)
{
	v->clock = TIME_NIL;
	v->live = false;
	v->message[0] = '\0';
	v->state = SIMULATION_STOPPING; /* nobody's business before it is written */
	name_run(v);
	pthread_mutex_lock(&s->lock);
	struct slot *k = s->closing ? NULL : find(s, 0);
	if (k)
		k->v.id = -1;
	pthread_mutex_unlock(&s->lock);
	if (!k)
		return 409;
	int r = write_down(s, db, v, err);
	pthread_mutex_lock(&s->lock);
	if (r < 0)
		k->v.id = 0;
	else
		r = begin(s, k, v, commands, ncommands, err);
	pthread_mutex_unlock(&s->lock);
	return r;
}

/* What is left of one that nobody else touches: state SIMULATION_STOPPING. */
static int clear_away(struct simulations *s, struct slot *k, struct db *db, int64_t now,
	struct err *err)
{
	end_processes(k);
	hub_forget(s->o.hub, k->v.run);
	s->o.wake(s->o.ctx);
	if (purge(db, k->v.run, now, k->v.message, err) < 0)
		return -1;
	remove_folder(k->folder);
	return 200;
}

int simulations_stop(
	struct simulations *s, struct db *db, int64_t id, int64_t now, struct err *err)
{
	pthread_mutex_lock(&s->lock);
	struct slot *k = find(s, id);
	bool ours =
		k && id > 0 && !s->closing &&
		(k->v.state == SIMULATION_RUNNING || k->v.state == SIMULATION_FAILED);
	if (ours)
		k->v.state = SIMULATION_STOPPING;
	pthread_mutex_unlock(&s->lock);
	if (!ours)
		return 404;
	int r = clear_away(s, k, db, now, err);
	pthread_mutex_lock(&s->lock);
	if (r < 0) {
		k->v.state = SIMULATION_FAILED;
		str_copy(k->v.message, sizeof(k->v.message), str_of(err->msg));
	} else {
		k->v.id = 0;
	}
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return r;
}

bool simulations_get(struct simulations *s, int64_t id, struct simulation *v)
{
	pthread_mutex_lock(&s->lock);
	struct slot *k = id > 0 ? find(s, id) : NULL;
	if (k)
		*v = k->v;
	pthread_mutex_unlock(&s->lock);
	return k != NULL;
}

int simulations_all(struct simulations *s, struct simulation v[SIMULATIONS_MAX])
{
	int n = 0;
	pthread_mutex_lock(&s->lock);
	for (int i = 0; i < SIMULATIONS_MAX; i++) {
		const struct simulation *from = &s->slots[i].v;
		int at = n;
		if (from->id <= 0)
			continue;
		for (; at > 0 && v[at - 1].id > from->id; at--)
			v[at] = v[at - 1];
		v[at] = *from;
		n++;
	}
	pthread_mutex_unlock(&s->lock);
	return n;
}

json_t *simulations_ask(struct simulations *s, int64_t id, const json_t *command)
{
	char folder[DIR_MAX + 40] = "";
	pthread_mutex_lock(&s->lock);
	struct slot *k = id > 0 ? find(s, id) : NULL;
	if (k && k->v.state == SIMULATION_RUNNING)
		str_copy(folder, sizeof(folder), str_of(k->folder));
	pthread_mutex_unlock(&s->lock);
	return *folder ? exchange(s, folder, command) : NULL;
}

/* --- beginning and end ------------------------------------------------------------ */

/* The folder, ours alone while we run, and where the programs are: beside us. */
static int take_places(struct simulations *s, struct err *err)
{
	char host[64] = "", path[DIR_MAX + 16];
	if (strlen(s->o.dir) >= DIR_MAX || s->o.dir[0] != '/')
		return err_set(err, ERR_IO,
			"'%s' is not an absolute path below %d bytes, which sockets "
			"need",
			s->o.dir, DIR_MAX);
	if (mkdir(s->o.dir, 0700) < 0 && errno != EEXIST)
		return err_errno(err, "cannot make the folder '%s'", s->o.dir);
	snprintf(path, sizeof(path), "%s/.lock", s->o.dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_errno(err, "cannot open '%s'", path);
	if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0)
		return err_errno(err, "another bridge has the folder '%s'", s->o.dir);
	gethostname(host, sizeof(host) - 1);
	snprintf(s->owner, sizeof(s->owner), "%s:%s", host, s->o.dir);
	ssize_t n = readlink("/proc/self/exe", s->programs, sizeof(s->programs) - 1);
	if (n <= 0)
		return err_errno(err, "cannot tell where the programs are");
	s->programs[n] = '\0';
	*strrchr(s->programs, '/') = '\0';
	return 0;
}

static int start_thread(struct simulations *s, struct err *err)
{
	s->zmq = zmq_ctx_new();
	if (!s->zmq || pthread_create(&s->thread, NULL, run, s) != 0)
		return err_set(err, ERR_IO, "cannot start threads");
	s->running = true;
	return 0;
}

struct simulations *simulations_new(
	const struct simulations_options *o, struct err *err)
{
	struct simulations *s = calloc(1, sizeof(*s));
	if (!s) {
		err_nomem(err);
		return NULL;
	}
	s->o = *o;
	s->lock_fd = -1;
	pthread_mutex_init(&s->lock, NULL);
	now_cond_init(&s->changed);
	if (take_places(s, err) == 0 && purge_leftovers(s, err) == 0 &&
		start_thread(s, err) == 0)
		return s;
	simulations_free(s);
	return NULL;
}

static void clear_slot(struct simulations *s, struct slot *k, struct db *db)
{
	struct err err = {0};
	if (k->v.id <= 0)
		return;
	k->v.state = SIMULATION_STOPPING;
	if (!db)
		end_processes(k);
	else if (clear_away(s, k, db, now_wall_ms(), &err) < 0)
		s->o.log(err.msg);
	k->v.id = 0;
}

/* One that is being started or stopped by a call is that call's. */
static bool busy(const struct simulations *s)
{
	for (int i = 0; i < SIMULATIONS_MAX; i++)
		if (s->slots[i].v.id == -1 ||
			(s->slots[i].v.id &&
				s->slots[i].v.state == SIMULATION_STOPPING))
			return true;
	return false;
}

void simulations_close(struct simulations *s)
{
	struct err err = {0};
	if (!s || !s->running)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = true;
	pthread_cond_broadcast(&s->changed);
	while (busy(s))
		now_cond_wait(&s->changed, &s->lock, LOOK_MS);
	pthread_mutex_unlock(&s->lock);
	struct db *db = db_open(s->o.db_url, 0, &err);
	if (!db)
		s->o.log(err.msg);
	for (int i = 0; i < SIMULATIONS_MAX; i++)
		clear_slot(s, &s->slots[i], db);
	db_close(db);
	pthread_join(s->thread, NULL);
	s->running = false;
}

void simulations_free(struct simulations *s)
{
	if (!s)
		return;
	simulations_close(s);
	if (s->zmq)
		zmq_ctx_term(s->zmq);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
