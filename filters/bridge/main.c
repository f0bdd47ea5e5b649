/* bridge: the database and the live feed to people, over HTTP. */
#include "bridge.h"

#include "base/diag.h"
#include "base/opt.h"
#include "base/parse.h"
#include "db/migrate.h"
#include "db/url.h"
#include "web/api.h"
#include "web/courier.h"
#include "web/feed.h"
#include "web/meter.h"
#include "web/server.h"
#include "web/simulation.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* An address may try ten log-ins at once, then one each ten seconds. */
enum { LOGIN_ADDRESSES = 4096, LOGIN_BURST = 10, LOGIN_EVERY_MS = 10000 };

/* What the hub remembers: half a minute of 2,000 batteries a second, the last thousands
 * of alerts; who is two seconds behind gets last values only. */
enum { BULK_UPDATES = 65536, URGENT_UPDATES = 8192, CONFLATE_MS = 2000 };
enum { UNKNOWN_LEAST = 20 };

static const struct opt_usage USAGE = {"bridge", "[options] [user COMMAND [NAME]]",
	"serves the fleet over HTTP: the page and REST, with login",
	"  bridge --db sqlite:fleet.db --listen 127.0.0.1:8080\n"
	"  bridge user add somchai --role admin --db sqlite:fleet.db\n"
	"\n"
	"Accounts, instead of serving; a password is asked for, or read from\n"
	"standard input when that is no terminal:\n"
	"  user add NAME      add one, with --role, --sites, --full-name, --email\n"
	"  user list          list them\n"
	"  user passwd NAME   set a new password; their sessions end\n"
	"  user disable NAME  let them in no more; their sessions end\n"
	"  user enable NAME   let them in again\n"
	"  user delete NAME   delete the account\n"};

static void say(const char *text)
{
	diag("%s", text);
}

/* ADDRESS:PORT, or [ADDRESS]:PORT for IPv6. */
static int parse_listen(
	const char *text, char *address, size_t size, int *port, struct err *err)
{
	const char *colon = strrchr(text, ':');
	int64_t n;
	if (!colon || colon == text || parse_i64(str_of(colon + 1), 0, 65535, &n) < 0)
		return err_set(err, ERR_USAGE,
			"--listen takes ADDRESS:PORT, as 127.0.0.1:8080, not '%s'",
			text);
	struct str a = {text, (uint32_t)(colon - text)};
	if (a.len > 2 && a.s[0] == '[' && a.s[a.len - 1] == ']')
		a = (struct str){a.s + 1, a.len - 2};
	if (!str_copy(address, size, a))
		return err_set(err, ERR_USAGE, "the address '%s' is too long", text);
	*port = (int)n;
	return 0;
}

struct stopper {
	struct server *server;
	sigset_t signals;
};

/* TERM and INT are blocked everywhere and waited for here: no handler, no race. */
static void *wait_for_signal(void *arg)
{
	struct stopper *s = arg;
	int which;
	sigwait(&s->signals, &which);
	server_stop(s->server);
	return NULL;
}

static void wake(void *server)
{
	server_wake(server);
}

static int serve_until_signal(struct server *server, struct stopper *s, struct err *err)
{
	pthread_t thread;
	s->server = server;
	if (pthread_create(&thread, NULL, wait_for_signal, s) != 0)
		return err_set(err, ERR_IO, "cannot start threads");
	int r = server_run(server, err);
	/* Where the sockets failed, no signal came: this one ends the wait. */
	pthread_kill(thread, SIGTERM);
	pthread_join(thread, NULL);
	return r;
}

static int check_database(const struct bridge_options *o, struct err *err)
{
	struct db *db = db_open(o->url, DB_CREATE, err);
	int r = db ? db_ready(db, o->migrations, err) : -1;
	db_close(db);
	return r;
}

/* The page that came with floatline, or another. */
static struct assets *open_page(const struct bridge_options *o, struct err *err)
{
	char dir[4096];
	if (o->www)
		return assets_load(o->www, err);
	if (share_path("www/index.html", dir, sizeof(dir), err) < 0)
		return NULL;
	*strrchr(dir, '/') = '\0';
	return assets_load(dir, err);
}

/* The feeds, each with its thread. Returns 0 or -1; those that run are in feeds. */
static int start_feeds(const struct bridge_options *o, struct hub *hub,
	struct server *server, struct feed **feeds, struct err *err)
{
	for (size_t i = 0; i < o->feeds.n; i++) {
		struct feed_options fo = {o->feeds.v[i], hub, wake, server, say};
		feeds[i] = feed_start(&fo, err);
		if (!feeds[i])
			return -1;
	}
	return 0;
}

static int start_simulations(const struct bridge_options *o, struct service *service,
	struct hub *hub, struct server *server, struct err *err)
{
	struct simulations_options so = {
		o->simulations, o->url, o->models, o->fleet, hub, wake, server, say};
	if (!o->simulations)
		return 0;
	service->simulations = simulations_new(&so, err);
	return service->simulations ? 0 : -1;
}

static int run(const struct bridge_options *o, struct service *service,
	struct server_options *so, struct stopper *stopper, struct err *err)
{
	struct feed *feeds[STRLIST_MAX] = {NULL};
	struct server *server = server_new(so, err);
	if (!server)
		return -1;
	int r = start_feeds(o, so->hub, server, feeds, err);
	if (r == 0)
		r = start_simulations(o, service, so->hub, server, err);
	if (r == 0) {
		diag("listening on %s://%s:%d", o->cert ? "https" : "http", so->address,
			server_port(server));
		r = serve_until_signal(server, stopper, err);
	}
	for (size_t i = 0; i < o->feeds.n; i++)
		feed_stop(feeds[i]);
	/* Their feeds wake the server; its workers may still ask for them. */
	simulations_close(service->simulations);
	server_free(server);
	simulations_free(service->simulations);
	return r;
}

/* With the way into the pipeline open, where there is one. */
static int run_with_courier(const struct bridge_options *o, struct service *service,
	struct server_options *so, struct stopper *stopper, struct err *err)
{
	const struct courier_options co = {o->into, o->url, say};
	if (o->into && !(service->courier = courier_start(&co, err)))
		return -1;
	int r = run(o, service, so, stopper, err);
	courier_stop(service->courier);
	return r;
}

/* Of one address without a token: a tenth of all, but what some people open at once. */
static int unknown_sockets(const struct bridge_options *o)
{
	int64_t tenth = o->sockets / 10;
	if (o->unknown_sockets)
		return (int)o->unknown_sockets;
	return tenth > UNKNOWN_LEAST ? (int)tenth : UNKNOWN_LEAST;
}

static int take_origins(
	const struct bridge_options *o, struct sockets_options *so, struct err *err)
{
	so->most = (int)o->sockets;
	so->most_per_account = (int)o->account_sockets;
	so->most_unknown = unknown_sockets(o);
	if (o->origins.n > ORIGINS_MAX)
		return err_set(err, ERR_USAGE, "more than %d origins", ORIGINS_MAX);
	for (size_t i = 0; i < o->origins.n; i++)
		so->origins[so->norigins++] = o->origins.v[i];
	return 0;
}

static int serve(const struct bridge_options *o, struct err *err)
{
	struct stopper stopper;
	struct service service = {.secure_cookies = !o->plain_cookies,
		.routes = API_ROUTES,
		.nroutes = API_NROUTES,
		.models = o->models,
		.dataset = o->dataset};
	char address[256];
	struct server_options so = {.address = address,
		.cert = o->cert,
		.key = o->key,
		.db_url = o->url,
		.query_ms = o->query_ms,
		.body_ms = o->body_ms,
		.service = &service,
		.log = say};
	const struct hub_options ho = {BULK_UPDATES, URGENT_UPDATES, CONFLATE_MS};
	if (!o->cert != !o->key)
		return err_set(err, ERR_USAGE, "--cert and --key go together");
	if (o->prices && prices_load(o->prices, &service.prices, err) < 0)
		return -1;
	if (parse_listen(o->listen, address, sizeof(address), &so.port, err) < 0 ||
		take_origins(o, &so.sockets, err) < 0 || check_database(o, err) < 0 ||
		token_key_make(&service.key, err) < 0)
		return -1;
	sigemptyset(&stopper.signals);
	sigaddset(&stopper.signals, SIGTERM);
	sigaddset(&stopper.signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stopper.signals, NULL);
	service.limit = limit_new(LOGIN_ADDRESSES, LOGIN_BURST, LOGIN_EVERY_MS);
	struct assets *assets = open_page(o, err);
	so.assets = assets;
	so.hub = service.hub = hub_new(&ho);
	service.meter = meter_new(API_NROUTES);
	int r = !assets ? -1
		: service.limit && so.hub && service.meter
			? run_with_courier(o, &service, &so, &stopper, err)
			: err_nomem(err);
	meter_free(service.meter);
	hub_free(so.hub);
	assets_free(assets);
	limit_free(service.limit);
	return r;
}

int main(int argc, char **argv)
{
	char dir[4096];
	struct bridge_options o = {.listen = "127.0.0.1:8080",
		.migrations = dir,
		.sockets = 2000,
		.account_sockets = 20,
		.query_ms = 30000,
		.body_ms = 60000};
	struct err err = {0};
	int first, status = 0;
	struct opt own[] = {
		{0, "db", "URL",
			"database; $" DB_ENVIRONMENT " or " DB_DEFAULT " unless given",
			OPT_STR, &o.db, 0, 0},
		{0, "listen", "ADDRESS:PORT", "serve here; 127.0.0.1:8080 unless given",
			OPT_STR, &o.listen, 0, 0},
		{0, "cert", "FILE", "certificate for https, PEM", OPT_STR, &o.cert, 0,
			0},
		{0, "key", "FILE", "its private key, PEM", OPT_STR, &o.key, 0, 0},
		{0, "www", "DIR", "the page's files, instead of floatline's own",
			OPT_STR, &o.www, 0, 0},
		{0, "feed", "ENDPOINT", "the live feed (repeatable), for WebSockets",
			OPT_LIST, &o.feeds, 0, 0},
		{0, "origin", "URL",
			"pages from there may open WebSockets (repeatable)", OPT_LIST,
			&o.origins, 0, 0},
		{0, "sockets", "N", "WebSockets at once (2000)", OPT_INT, &o.sockets, 1,
			1000000},
		{0, "account-sockets", "N", "of one account (20)", OPT_INT,
			&o.account_sockets, 1, 1000000},
		{0, "unknown-sockets", "N",
			"of one address that have shown no token (a tenth of "
			"--sockets, at least 20)",
			OPT_INT, &o.unknown_sockets, 1, 1000000},
		{0, "query-limit", "DURATION",
			"no reading of the database takes longer (30s; 0: any time)",
			OPT_MS, &o.query_ms, 0, 0},
		{0, "body-limit", "DURATION",
			"a request's body is there by then, or cut off (60s; 0: any "
			"time)",
			OPT_MS, &o.body_ms, 0, 0},
		{0, "into", "ENDPOINT",
			"push: what people and devices tell, into the pipeline",
			OPT_STR, &o.into, 0, 0},
		{0, "plain-cookies", NULL, "cookies over http, for a trusted network",
			OPT_BOOL, &o.plain_cookies, 0, 0},
		{0, "models", "DIR", "model registry, for the calls of models", OPT_STR,
			&o.models, 0, 0},
		{0, "simulations", "DIR",
			"run simulations, with their files in this folder", OPT_STR,
			&o.simulations, 0, 0},
		{0, "fleet", "FILE",
			"of this fleet file or CSV (default: nine Thai sites)", OPT_STR,
			&o.fleet, 0, 0},
		{0, "dataset", "DIR", "dataset, for the report of its quality", OPT_STR,
			&o.dataset, 0, 0},
		{0, "prices", "FILE",
			"what replacing costs, INI, for the monthly report", OPT_STR,
			&o.prices, 0, 0},
		{0, "role", "ROLE", "user add: admin, engineer or viewer", OPT_STR,
			&o.role, 0, 0},
		{0, "sites", "CODE,...", "user add: sees these sites only", OPT_STR,
			&o.sites, 0, 0},
		{0, "full-name", "TEXT", "user add: name for people", OPT_STR,
			&o.full_name, 0, 0},
		{0, "email", "ADDRESS", "user add: address", OPT_STR, &o.email, 0, 0},
		{0}};
	int r = opt_parse(&USAGE, own, NULL, argc, argv, &first, &err);
	if (r == OPT_EXIT)
		return 0;
	if (r == 0 && first < argc && strcmp(argv[first], "user") != 0)
		r = err_set(
			&err, ERR_USAGE, "no command '%s', see --help", argv[first]);
	if (r < 0)
		return diag_err(&err);
	o.url = db_url_take(o.db, argc, argv);
	if (!o.url || migrations_dir(dir, sizeof(dir), &err) < 0)
		status = diag_err(&err);
	else if (first < argc)
		status = users_command(&o, argv + first, argc - first);
	else if (serve(&o, &err) < 0)
		status = diag_err(&err);
	free(o.url);
	return status;
}
