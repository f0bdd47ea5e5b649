#include "web/pipeline.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_MS = 10 };

/* Keeps a text of the plan, where it fits. */
__attribute__((format(printf, 2, 0))) static char *keep(
	struct pipeline_plan *plan, const char *fmt, va_list args)
{
	size_t left = sizeof(plan->text) - plan->used;
	char *at = plan->text + plan->used;
	int n = vsnprintf(at, left, fmt, args);
	plan->full |= n < 0 || (size_t)n >= left;
	if (!plan->full)
		plan->used += (size_t)n + 1;
	return at;
}

void plan_word(struct pipeline_plan *plan, const char *fmt, ...)
{
	int i = plan->n - 1;
	va_list args;
	va_start(args, fmt);
	char *word = keep(plan, fmt, args);
	va_end(args);
	plan->full |= plan->nargs[i] == PIPELINE_ARGS;
	if (!plan->full)
		plan->argv[i][plan->nargs[i]++] = word;
}

void plan_secret(struct pipeline_plan *plan, const char *fmt, ...)
{
	va_list args;
	va_start(args, fmt);
	plan->secret[plan->n - 1] = keep(plan, fmt, args);
	va_end(args);
}

void plan_program(struct pipeline_plan *plan, const char *folder, const char *name)
{
	plan->full |= plan->n == PIPELINE_MAX;
	if (plan->full)
		return;
	plan->n++;
	plan_word(plan, "%s/%s", folder, name);
}

static void complain(const char *what, const char *path)
{
	ssize_t n = write(2, what, strlen(what));
	n = n < 0 ? n : write(2, path, strlen(path));
	n = n < 0 ? n : write(2, "'\n", 2);
	(void)n;
}

/* The child, until it is the program. Nothing here may allocate or lock: other threads
 * may have held locks when we were copied. */
static void become(
	char *const *argv, char *const *env, int in, int out, int log, pid_t parent)
{
	sigset_t none;
	sigemptyset(&none);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent && dup2(in, 0) == 0 && dup2(out, 1) == 1 &&
		dup2(log, 2) == 2 && close_range(3, ~0U, 0) == 0) {
		signal(SIGPIPE, SIG_DFL);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(argv[0], argv, env);
		complain("cannot run '", argv[0]);
	}
	/* No exit(): what our parent registered for its end is not ours to do. */
	kill(getpid(), SIGKILL);
}

/* Our environment and one variable more, which goes before one of the same name. NULL
 * when out of memory; the caller frees the list, not what is in it. */
static char **environment_with(char *secret)
{
	size_t n = 0;
	while (environ[n])
		n++;
	char **env = malloc((n + 2) * sizeof(*env));
	if (!env)
		return NULL;
	env[0] = secret;
	memcpy(env + 1, environ, (n + 1) * sizeof(*env));
	return env;
}

static int start_one(struct pipeline *p, char *const *argv, char *secret, int in,
	int out, int log, struct err *err)
{
	char **env = secret ? environment_with(secret) : environ;
	if (!env)
		return err_nomem(err);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0)
		become(argv, env, in, out, log, parent);
	if (secret)
		free(env);
	if (pid < 0)
		return err_errno(err, "cannot start '%s'", argv[0]);
	p->pid[p->n++] = pid;
	return 0;
}

static void close_ends(int fd[2])
{
	if (fd[0] >= 0)
		close(fd[0]);
	if (fd[1] >= 0)
		close(fd[1]);
}

/* Starts program i of the plan, whose input is *in; *in is then the next one's. */
static int start_next(struct pipeline *p, const struct pipeline_plan *plan, int i,
	int *in, int null, int log, struct err *err)
{
	int fd[2] = {-1, -1};
	bool last = i == plan->n - 1;
	if (!last && pipe2(fd, O_CLOEXEC) < 0)
		return err_errno(err, "cannot make a pipe");
	int r = start_one(
		p, plan->argv[i], plan->secret[i], *in, last ? null : fd[1], log, err);
	if (*in != null)
		close(*in);
	*in = fd[0];
	fd[0] = -1;
	close_ends(fd);
	return r;
}

int pipeline_start(
	struct pipeline *p, const struct pipeline_plan *plan, struct err *err)
{
	*p = (struct pipeline){0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int log = open(plan->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int r = plan->full ? err_set(err, ERR_IO, "the command lines are too long")
		: null < 0 ? err_errno(err, "cannot open '/dev/null'")
		: log < 0  ? err_errno(err, "cannot open '%s'", plan->log)
			   : 0;
	int in = null;
	for (int i = 0; r == 0 && i < plan->n; i++)
		r = start_next(p, plan, i, &in, null, log, err);
	if (in >= 0 && in != null)
		close(in);
	close_ends((int[]){null, log});
	if (r < 0)
		pipeline_stop(p, 0);
	return r;
}

int pipeline_ended(struct pipeline *p)
{
	for (int i = 0; i < p->n; i++) {
		int status = 0;
		if (p->pid[i] == 0 || waitpid(p->pid[i], &status, WNOHANG) == 0)
			continue;
		p->pid[i] = 0;
		/* Those before the one that ended first have nobody to write to. */
		if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE))
			return i;
	}
	return -1;
}

static void end_one(pid_t *pid, int grace_ms)
{
	const struct timespec look = {0, LOOK_MS * 1000000};
	for (; *pid && grace_ms > 0; grace_ms -= LOOK_MS) {
		if (waitpid(*pid, NULL, WNOHANG) != 0)
			*pid = 0;
		else
			nanosleep(&look, NULL);
	}
	if (!*pid)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

void pipeline_stop(struct pipeline *p, int grace_ms)
{
	for (int i = 0; i < p->n; i++)
		end_one(&p->pid[i], i == p->n - 1 ? grace_ms : 0);
	p->n = 0;
}
