// team.c: shares out parts of work among threads.
//
// One mutex guards everything; a part is claimed under it. Parts are large (tens of microseconds at
// least), so nothing finer is needed.
#include "ir/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "ir/flush.h"

struct member {
    struct team *team;
    unsigned number;
    pthread_t thread;
};

struct team {
    pthread_mutex_t lock;
    pthread_cond_t work, done;
    unsigned size, started; // workers wanted; threads running
    bool quit;
    team_fn *fn;
    void *job;
    size_t parts, next, finished;
    struct member member[]; // [0] is the caller's
};

// Claims and does parts until none is left. Called and left with the lock held.
static void do_parts(struct team *t, unsigned worker)
{
    while (t->next < t->parts) {
        size_t part = t->next++;
        team_fn *fn = t->fn;
        void *job = t->job;
        pthread_mutex_unlock(&t->lock);
        fn(job, part, worker);
        pthread_mutex_lock(&t->lock);
        if (++t->finished == t->parts)
            pthread_cond_signal(&t->done);
    }
}

static void *live(void *arg)
{
    struct member *m = arg;
    struct team *t = m->team;
    flush_begin();
    pthread_mutex_lock(&t->lock);
    do_parts(t, m->number);
    while (!t->quit) {
        pthread_cond_wait(&t->work, &t->lock);
        do_parts(t, m->number);
    }
    pthread_mutex_unlock(&t->lock);
    return NULL;
}

static unsigned default_size(void)
{
    const char *text = getenv("HLX_THREADS");
    long n = text ? strtol(text, NULL, 10) : sysconf(_SC_NPROCESSORS_ONLN);
    return n < 1 ? 1 : n > 256 ? 256 : (unsigned)n;
}

struct team *team_new(unsigned workers)
{
    unsigned n = workers ? workers : default_size();
    struct team *t = calloc(1, sizeof *t + n * sizeof t->member[0]);
    if (!t)
        return NULL;
    t->size = n;
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->work, NULL);
    pthread_cond_init(&t->done, NULL);
    return t;
}

void team_free(struct team *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->quit = true;
    pthread_cond_broadcast(&t->work);
    pthread_mutex_unlock(&t->lock);
    for (unsigned i = 1; i <= t->started; i++)
        pthread_join(t->member[i].thread, NULL);
    pthread_cond_destroy(&t->done);
    pthread_cond_destroy(&t->work);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

unsigned team_size(const struct team *t)
{
    return t->size;
}

// The threads take no signals: those are for the program that uses us.
static void start_threads(struct team *t)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = t->started + 1; i < t->size; i++) {
        t->member[i] = (struct member){.team = t, .number = i};
        if (pthread_create(&t->member[i].thread, NULL, live, &t->member[i]))
            t->size = i;
        else
            t->started = i;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

void team_run(struct team *t, size_t parts, team_fn *fn, void *job)
{
    if (parts > 1)
        start_threads(t);
    if (parts < 2 || !t->started) {
        for (size_t i = 0; i < parts; i++)
            fn(job, i, 0);
        return;
    }
    pthread_mutex_lock(&t->lock);
    t->fn = fn;
    t->job = job;
    t->parts = parts;
    t->next = t->finished = 0;
    pthread_cond_broadcast(&t->work);
    do_parts(t, 0);
    while (t->finished < t->parts)
        pthread_cond_wait(&t->done, &t->lock);
    pthread_mutex_unlock(&t->lock);
}
