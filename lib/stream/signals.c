#include "stream/signals.h"

#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile sig_atomic_t seen;
static volatile sig_atomic_t drain_seconds;
static volatile sig_atomic_t hung_up;

static void on_signal(int sig)
{
	if (seen || sig == SIGALRM)
		_exit(ERR_IO);
	seen = 1;
	if (drain_seconds)
		alarm((unsigned)drain_seconds);
}

void signals_install(int64_t drain_timeout_ms, bool quiet_pipe)
{
	struct sigaction sa = {.sa_handler = on_signal};
	sigemptyset(&sa.sa_mask);
	seen = 0;
	drain_seconds = (int)((drain_timeout_ms + 999) / 1000);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	sa.sa_handler = quiet_pipe ? SIG_IGN : SIG_DFL;
	sigaction(SIGPIPE, &sa, NULL);
	sigset_t pipe_set;
	sigemptyset(&pipe_set);
	sigaddset(&pipe_set, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &pipe_set, NULL);
}

static void on_hangup(int sig)
{
	hung_up = 1;
}

void signals_watch_hangup(void)
{
	struct sigaction sa = {.sa_handler = on_hangup};
	sigemptyset(&sa.sa_mask);
	sigaction(SIGHUP, &sa, NULL);
}

bool signals_hangup(void)
{
	bool was = hung_up != 0;
	hung_up = 0;
	return was;
}

bool signals_seen(void)
{
	return seen != 0;
}

int signals_wait(int fd, int64_t timeout_ms)
{
	sigset_t block, old;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &old);
	int r = -1;
	if (!seen) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		struct timespec t = {timeout_ms / 1000, timeout_ms % 1000 * 1000000};
		r = ppoll(&p, fd >= 0, timeout_ms < 0 ? NULL : &t, &old);
		if (r > 0)
			r = 1;
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return r;
}
