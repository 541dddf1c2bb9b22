// Servers of programmed speed, each on a port of its own, in one epoll thread.
//   cc -O2 -o fleet fleet.c -lm && ./fleet PORT:CORES:SPEED[:EVERY_MS/LENGTH_MS][:fail] ...
// A server works on CORES requests at once, the others wait in order. GET /N takes what the number N says, the same everywhere: lognormal, 10 ms on
// average, sigma 0.3, divided by SPEED. EVERY/LENGTH: it stands still for LENGTH of each EVERY. fail: it answers 500 at once.
// Requests have no bodies, and come one at a time on each connection.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define CORES 64
#define FDS 65536
#define SERVERS 64

struct server { int listener, cores, fail; double speed, every, length, free[CORES]; };
struct conn { int server, have; unsigned generation; char buf[4096]; };
struct job { double end; int fd; unsigned generation; };

static struct server servers[SERVERS];
static struct conn conns[FDS];
static struct job heap[FDS]; static int jobs;
static const char good[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", bad[] = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 7\r\n\r\nfailed\n";

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; } // ms

static double uniform(uint64_t x) { // SplitMix64, above 0 to 1
    x += 0x9E3779B97F4A7C15u; x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u; x = (x ^ x >> 27) * 0x94D049BB133111EBu; x ^= x >> 31;
    return ((x >> 11) + 1) / 9007199254740992.0;
}
static double demand(uint64_t n) {
    const double sigma = 0.3, mean = 10;
    double normal = sqrt(-2 * log(uniform(2 * n))) * cos(2 * M_PI * uniform(2 * n + 1));
    return exp(log(mean) - sigma * sigma / 2 + sigma * normal);
}
// When work that begins at a time is done. Pauses are the last part of each period.
static double after(const struct server *s, double start, double work) {
    if (s->every == 0) return start + work;
    double runs = s->every - s->length, at = fmod(start, s->every), period = start - at;
    if (at > runs) { period += s->every; at = 0; }
    return period + floor((at + work) / runs) * s->every + fmod(at + work, runs);
}
static void push(struct job j) {
    int i = jobs++;
    for (; i && heap[(i - 1) / 2].end > j.end; i = (i - 1) / 2) heap[i] = heap[(i - 1) / 2];
    heap[i] = j;
}
static struct job pop(void) {
    struct job first = heap[0], last = heap[--jobs]; int i = 0;
    for (int c; (c = 2 * i + 1) < jobs; i = c) {
        if (c + 1 < jobs && heap[c + 1].end < heap[c].end) c++;
        if (last.end <= heap[c].end) break;
        heap[i] = heap[c];
    }
    heap[i] = last;
    return first;
}
static void answer(int fd, const char *text, int length) { if (send(fd, text, length, MSG_NOSIGNAL | MSG_DONTWAIT) != length) shutdown(fd, SHUT_RDWR); }

static void request(int fd, uint64_t n) {
    struct conn *c = &conns[fd]; struct server *s = &servers[c->server];
    if (s->fail) { answer(fd, bad, sizeof bad - 1); return; }
    int core = 0;
    for (int i = 1; i < s->cores; i++) if (s->free[i] < s->free[core]) core = i;
    double t = now(), end = after(s, t > s->free[core] ? t : s->free[core], demand(n) / s->speed);
    s->free[core] = end;
    if (jobs < FDS) push((struct job){end, fd, c->generation}); else shutdown(fd, SHUT_RDWR);
}
static void readable(int fd) {
    struct conn *c = &conns[fd];
    ssize_t n = recv(fd, c->buf + c->have, sizeof c->buf - c->have, 0);
    if (n <= 0) { if (n < 0 && errno == EAGAIN) return; c->generation++; close(fd); return; } // what it asked for is worked on all the same
    c->have += n;
    char *end;
    while ((end = memmem(c->buf, c->have, "\r\n\r\n", 4))) {
        char *slash = memchr(c->buf, '/', c->have);
        uint64_t number = slash ? strtoull(slash + 1, NULL, 10) : 0;
        c->have -= end + 4 - c->buf; memmove(c->buf, end + 4, c->have);
        request(fd, number);
    }
    if (c->have == sizeof c->buf) shutdown(fd, SHUT_RDWR);
}
int main(int argc, char **argv) {
    signal(SIGPIPE, SIG_IGN);
    int ep = epoll_create1(0), timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = (uint64_t)timer << 32 | 1}; epoll_ctl(ep, EPOLL_CTL_ADD, timer, &ev);
    if (argc < 2 || argc > SERVERS) { fprintf(stderr, "usage: fleet PORT:CORES:SPEED[:EVERY_MS/LENGTH_MS][:fail] ...\n"); return 2; }
    for (int i = 1; i < argc; i++) {
        struct server *s = &servers[i]; int port, used = 0, one = 1;
        if (sscanf(argv[i], "%d:%d:%lf%n", &port, &s->cores, &s->speed, &used) < 3 || s->cores < 1 || s->cores > CORES || s->speed <= 0) { fprintf(stderr, "what is %s?\n", argv[i]); return 2; }
        sscanf(argv[i] + used, ":%lf/%lf", &s->every, &s->length);
        s->fail = strstr(argv[i], ":fail") != NULL;
        s->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        if (bind(s->listener, (void *)&a, sizeof a) || listen(s->listener, 4096)) { perror("bind/listen"); return 1; }
        ev.data.u64 = (uint64_t)i << 32 | 2; epoll_ctl(ep, EPOLL_CTL_ADD, s->listener, &ev);
    }
    for (;;) {
        struct epoll_event evs[256]; int k = epoll_wait(ep, evs, 256, -1);
        for (int i = 0; i < k; i++) {
            int what = (int)(uint32_t)evs[i].data.u64, which = evs[i].data.u64 >> 32;
            if (what == 0) readable(which);
            else if (what == 1) { uint64_t x; if (read(timer, &x, 8) < 0) continue; }
            else for (int s; (s = accept4(servers[which].listener, NULL, NULL, SOCK_NONBLOCK)) >= 0; ) {
                if (s >= FDS) { close(s); continue; }
                int one = 1; setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
                conns[s].server = which; conns[s].have = 0; conns[s].generation++;
                ev.data.u64 = (uint64_t)s << 32; epoll_ctl(ep, EPOLL_CTL_ADD, s, &ev);
            }
        }
        double t = now();
        while (jobs && heap[0].end <= t) { struct job j = pop(); if (conns[j.fd].generation == j.generation) answer(j.fd, good, sizeof good - 1); }
        struct itimerspec its = {{0, 0}, {0, 0}};
        if (jobs) { double ms = heap[0].end; its.it_value.tv_sec = (time_t)(ms / 1e3); its.it_value.tv_nsec = (long)(fmod(ms, 1e3) * 1e6) + 1; }
        timerfd_settime(timer, TFD_TIMER_ABSTIME, &its, NULL);
    }
}
