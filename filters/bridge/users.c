/* bridge user …: accounts from the terminal. The first admin is made here. */
#include "bridge.h"

#include "base/diag.h"
#include "base/now.h"
#include "base/timefmt.h"
#include "web/account.h"
#include "web/audit.h"
#include "web/password.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* One line of stdin, without its end. */
static int read_line(char *line, size_t size, struct err *err)
{
	if (!fgets(line, (int)size, stdin))
		return err_set(err, ERR_USAGE, "no password on standard input");
	size_t n = strcspn(line, "\n");
	if (line[n] != '\n' && n == size - 1)
		return err_set(err, ERR_DATA, "the password is longer than %d bytes",
			PASSWORD_MAX);
	line[n] = '\0';
	return 0;
}

/* Asks at the terminal, which shows nothing of what is typed. */
static int ask(const char *prompt, char *line, size_t size, struct err *err)
{
	struct termios shown, hidden;
	sigset_t held, before;
	if (tcgetattr(STDIN_FILENO, &shown) < 0)
		return err_errno(err, "cannot read from the terminal");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* An interrupt waits until the terminal shows again what is typed. */
	sigemptyset(&held);
	sigaddset(&held, SIGINT);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &before);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
	fprintf(stderr, "%s: ", prompt);
	int r = read_line(line, size, err);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	sigprocmask(SIG_SETMASK, &before, NULL);
	fputc('\n', stderr);
	return r;
}

static int read_password(char *password, size_t size, struct err *err)
{
	char again[PASSWORD_MAX + 2];
	if (!isatty(STDIN_FILENO))
		return read_line(password, size, err);
	if (ask("Password", password, size, err) < 0 ||
		ask("Again", again, sizeof(again), err) < 0)
		return -1;
	int same = strcmp(password, again) == 0;
	sodium_memzero(again, sizeof(again));
	return same ? 0 : err_set(err, ERR_DATA, "the two are not the same");
}

static int note(struct db *db, const char *action, const char *name, struct err *err)
{
	const char *user = getenv("USER");
	return audit_write(db,
		&(struct audit){now_wall_ms(), user ? user : "-", action, name,
			"at the terminal", NULL},
		err);
}

static int add(struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	char password[PASSWORD_MAX + 2], hash[PASSWORD_HASH_SIZE];
	struct account a = {.active = true, .role = role_of(o->role ? o->role : "")};
	if (!o->role)
		return err_set(err, ERR_USAGE,
			"user add needs --role: admin, engineer or viewer");
	bool whole = str_copy(a.username, sizeof(a.username), str_of(name));
	whole &= str_copy(a.full_name, sizeof(a.full_name), str_of(o->full_name));
	whole &= str_copy(a.email, sizeof(a.email), str_of(o->email));
	whole &= str_copy(a.sites, sizeof(a.sites), str_of(o->sites));
	if (!whole)
		return err_set(err, ERR_DATA, "a name, address or list is too long");
	if (account_check(&a, err) < 0 ||
		read_password(password, sizeof(password), err) < 0)
		return -1;
	int r = account_hash(&a, password, hash, err);
	sodium_memzero(password, sizeof(password));
	if (r == 0)
		r = account_add(db, &a, hash, now_wall_ms(), err);
	return r < 0 ? -1 : note(db, "user.add", name, err);
}

static int find(struct db *db, const char *name, struct account *a, struct err *err)
{
	int known = account_by_name(db, name, a, err);
	if (known == 0)
		return err_set(
			err, ERR_DATA, "no user '%s' in '%s'", name, db_name(db));
	return known < 0 ? -1 : 0;
}

static int passwd(struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	char password[PASSWORD_MAX + 2], hash[PASSWORD_HASH_SIZE];
	struct account a;
	if (find(db, name, &a, err) < 0 ||
		read_password(password, sizeof(password), err) < 0)
		return -1;
	int r = account_hash(&a, password, hash, err);
	sodium_memzero(password, sizeof(password));
	if (r == 0)
		r = account_set_password(db, &a, hash, 0, now_wall_ms(), err);
	return r < 0 ? -1 : note(db, "user.passwd", name, err);
}

static int set_active(struct db *db, const char *name, bool active, const char *action,
	struct err *err)
{
	struct account a;
	if (find(db, name, &a, err) < 0)
		return -1;
	a.active = active;
	if (account_update(db, &a, now_wall_ms(), err) < 0)
		return -1;
	return note(db, action, name, err);
}

static int disable(struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	return set_active(db, name, false, "user.disable", err);
}

static int enable(struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	return set_active(db, name, true, "user.enable", err);
}

static int delete (struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	struct account a;
	if (find(db, name, &a, err) < 0 || account_delete(db, a.id, err) < 0)
		return -1;
	return note(db, "user.delete", name, err);
}

static int print_user(void *ctx, const struct account *a, struct err *err)
{
	char when[TIME_TEXT_SIZE];
	bool never = a->last_login == TIME_NIL;
	printf("%-24s %-9s %-9s %-21s %s\n", a->username, role_word(a->role),
		a->active ? "active" : "disabled",
		never ? "never" : time_format(a->last_login, when),
		*a->sites ? a->sites : "all sites");
	return 0;
}

static int list(struct db *db, const struct bridge_options *o, const char *name,
	struct err *err)
{
	return account_each(db, print_user, NULL, err);
}

static const struct {
	const char *word;
	bool named;
	int (*fn)(
		struct db *, const struct bridge_options *, const char *, struct err *);
} COMMANDS[] = {{"add", true, add}, {"list", false, list}, {"passwd", true, passwd},
	{"disable", true, disable}, {"enable", true, enable}, {"delete", true, delete}};

int users_command(const struct bridge_options *o, char **operands, int n)
{
	struct err err = {0};
	size_t c = 0, count = sizeof(COMMANDS) / sizeof(*COMMANDS);
	while (n > 1 && c < count && strcmp(operands[1], COMMANDS[c].word) != 0)
		c++;
	if (n < 2 || c == count)
		err_set(&err, ERR_USAGE,
			"user takes add, list, passwd, disable, enable or delete");
	else if (n != (COMMANDS[c].named ? 3 : 2))
		err_set(&err, ERR_USAGE, "user %s takes %s", COMMANDS[c].word,
			COMMANDS[c].named ? "one name" : "no name");
	if (err.class)
		return diag_err(&err);
	struct db *db = db_open(o->url, DB_CREATE, &err);
	int r = db ? db_ready(db, o->migrations, &err) : -1;
	if (r == 0)
		r = COMMANDS[c].fn(db, o, n > 2 ? operands[2] : NULL, &err);
	db_close(db);
	return r < 0 ? diag_err(&err) : 0;
}
