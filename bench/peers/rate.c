// Latency at a fixed rate, open loop: requests are due at fixed times on CONNECTIONS kept connections, and each is timed from when it was due,
// so that a proxy that stalls is charged for what it made wait. One epoll thread.
//   cc -O2 -o rate rate.c && ./rate PORT RATE SECONDS CONNECTIONS [PATH [FIRST]]
// With FIRST, a path that ends in / gets the number of the request behind it, counted from there.
// Prints: requests in SECONDS, p50 p90 p99 p99.9 max in microseconds of those answered with 2xx, and how many were not (errors).
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct conn { int fd; double due; long left; int have, failed; char buf[8192]; }; // due < 0: idle; left: body bytes to come, -1 while in the head
static struct conn *conns; static int *idle, idles;
static double *queue; static long qhead, qtail, qsize; // due times that wait for a connection
static uint32_t *times; static long done, good, errors, timesMax, number;
static char request[512]; static const char *path = "/"; static int port;

static double now(void) { struct timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + t.tv_nsec / 1e9; }

static int open_connection(void) {
    int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(s, (void *)&a, sizeof a)) { perror("connect"); exit(1); }
    return s;
}
static void start(int i, double due) {
    struct conn *c = &conns[i];
    c->due = due; c->left = -1; c->have = c->failed = 0;
    char digits[24] = "";
    if (path[strlen(path) - 1] == '/' && number >= 0) sprintf(digits, "%ld", number++);
    int n = snprintf(request, sizeof request, "GET %s%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n", path, digits, port);
    if (send(c->fd, request, n, MSG_NOSIGNAL | MSG_DONTWAIT) != n) c->failed = 1;
}
static void finish(int i) {
    double t = (now() - conns[i].due) * 1e6;
    done++;
    if (conns[i].failed) errors++;
    else if (good < timesMax) times[good++] = t < 0 ? 0 : t > 4e9 ? 4000000000u : (uint32_t)t;
    conns[i].due = -1;
    if (qhead < qtail) start(i, queue[qhead++ % qsize]); else idle[idles++] = i;
}
static void readable(int ep, int i) {
    struct conn *c = &conns[i];
    static char sink[65536];
    for (;;) {
        ssize_t n = c->left < 0 ? recv(c->fd, c->buf + c->have, sizeof c->buf - c->have, MSG_DONTWAIT) : recv(c->fd, sink, sizeof sink, MSG_DONTWAIT);
        if (n < 0 && errno == EAGAIN) return;
        if (n <= 0 || c->due < 0) { // closed by the proxy: a failure unless nothing was under way
            c->failed = 1;
            close(c->fd); c->fd = open_connection();
            struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i}; epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &ev);
            if (c->due >= 0) finish(i);
            return;
        }
        if (c->left < 0) {
            c->have += n;
            char *e = memmem(c->buf, c->have, "\r\n\r\n", 4);
            if (!e) { if (c->have == sizeof c->buf) { fprintf(stderr, "answer head too long\n"); exit(1); } continue; }
            if (memcmp(c->buf, "HTTP/1.1 2", 10)) c->failed = 1;
            char *l = c->buf; c->left = 0;
            while ((l = memmem(l, e - l, "\r\n", 2))) { l += 2; if (!strncasecmp(l, "content-length:", 15)) c->left = atol(l + 15); }
            c->left -= c->buf + c->have - (e + 4);
        } else c->left -= n;
        if (c->left <= 0) { finish(i); return; }
    }
}
static int cmp(const void *a, const void *b) { uint32_t x = *(uint32_t *)a, y = *(uint32_t *)b; return x < y ? -1 : x > y; }
int main(int argc, char **argv) {
    if (argc < 5) { fprintf(stderr, "usage: rate PORT RATE SECONDS CONNECTIONS [PATH [FIRST]]\n"); return 2; }
    port = atoi(argv[1]); double rate = atof(argv[2]), secs = atof(argv[3]); int n = atoi(argv[4]);
    if (argc > 5) path = argv[5];
    number = argc > 6 ? atol(argv[6]) : -1;
    conns = calloc(n, sizeof *conns); idle = calloc(n, sizeof *idle);
    timesMax = (long)(rate * secs) + 16; times = malloc(timesMax * sizeof *times); qsize = timesMax; queue = malloc(qsize * sizeof *queue);
    int ep = epoll_create1(0), tick = timerfd_create(CLOCK_MONOTONIC, 0);
    for (int i = 0; i < n; i++) {
        conns[i].fd = open_connection(); conns[i].due = -1; idle[idles++] = i;
        struct epoll_event ev = {.events = EPOLLIN, .data.u32 = i}; epoll_ctl(ep, EPOLL_CTL_ADD, conns[i].fd, &ev);
    }
    // A timer of 100 us: the grid on which due requests are sent; they are timed from their own due time.
    struct itimerspec its = {{0, 100000}, {0, 100000}}; timerfd_settime(tick, 0, &its, NULL);
    struct epoll_event tv = {.events = EPOLLIN, .data.u32 = (uint32_t)-1}; epoll_ctl(ep, EPOLL_CTL_ADD, tick, &tv);
    double t0 = now(); long sent = 0, total = (long)(rate * secs);
    while (done < total && now() - t0 < secs + 5) {
        struct epoll_event evs[256]; int k = epoll_wait(ep, evs, 256, 1000);
        for (int i = 0; i < k; i++) {
            if (evs[i].data.u32 != (uint32_t)-1) { readable(ep, evs[i].data.u32); continue; }
            uint64_t x; if (read(tick, &x, 8) != 8) continue;
            for (double t = now(); sent < total && t0 + sent / rate <= t; sent++) {
                double due = t0 + sent / rate;
                if (idles) start(idle[--idles], due); else queue[qtail++ % qsize] = due;
            }
        }
    }
    double took = now() - t0;
    errors += total - done; // those without an answer
    qsort(times, good, sizeof *times, cmp);
    if (!good) { printf("no answers, %ld errors\n", errors); return 1; }
    printf("%ld requests in %.2fs, %ld errors\nRequests/sec: %.2f\n50%% %uus\n90%% %uus\n99%% %uus\n99.9%% %uus\nmax %uus\n", done, took, errors, done / took,
           times[good / 2], times[(long)(good * .9)], times[(long)(good * .99)], times[(long)(good * .999)], times[good - 1]);
    return 0;
}
