// cost.c: runs a command and prints what it took: milliseconds of processor time, and kilobytes of
// memory at its peak.
//
//   cost COMMAND ARGUMENT...     (the command's standard output is dropped)
#define _DEFAULT_SOURCE // ru_maxrss
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double milliseconds(struct timeval t)
{
    return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

static void become(char **command)
{
    int null = open("/dev/null", O_WRONLY);
    if (null >= 0 && dup2(null, STDOUT_FILENO) >= 0)
        execv(command[0], command);
    perror(command[0]);
    _exit(127);
}

int main(int argc, char **argv)
{
    int status;
    struct rusage used;
    pid_t child = argc > 1 ? fork() : -1;
    if (child == 0)
        become(argv + 1);
    if (child < 0 || waitpid(child, &status, 0) < 0 || getrusage(RUSAGE_CHILDREN, &used) != 0)
        return 2;
    printf("%.3f %ld\n", milliseconds(used.ru_utime) + milliseconds(used.ru_stime), used.ru_maxrss);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
