/*
 * rss FILE COMMAND …: runs the command and appends its peak resident memory in KiB to
 * FILE. Ends with the command's status, so that it can stand in a pipeline.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	if (argc < 3) {
		fprintf(stderr, "usage: rss FILE COMMAND ...\n");
		return 2;
	}
	pid_t pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "rss: cannot run '%s': %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	/* The pipes are the command's: its neighbours must see it end, not us. */
	close(0);
	close(1);
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 3;
	FILE *f = fopen(argv[1], "a");
	if (f) {
		fprintf(f, "%ld\n", usage.ru_maxrss);
		fclose(f);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
