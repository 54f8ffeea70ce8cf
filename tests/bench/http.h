/* The least HTTP/1.1 that a load needs: one blocking connection, kept, one request after the other. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static const char *host;
static int port;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static int dial(void) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    inet_pton(AF_INET, host, &a.sin_addr);
    if (connect(s, (struct sockaddr *)&a, sizeof a) != 0) { perror("connect"); exit(2); }
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

/* Send a whole request and read its whole answer: the status (-1: the connection broke), and the body in `in`, which
   has `room` bytes, from `*body` on. */
static int ask(int sock, const char *out, size_t n, char *in, size_t room, char **body) {
    if (write(sock, out, n) != (ssize_t)n) return -1;
    size_t have = 0;
    char *end = NULL;
    while (!end) {
        ssize_t got = read(sock, in + have, room - 1 - have);
        if (got <= 0) return -1;
        have += got;
        in[have] = 0;
        end = strstr(in, "\r\n\r\n");
    }
    int status = atoi(in + 9);
    size_t length = 0, head = end + 4 - in;
    for (char *line = in; line && line < end; line = strchr(line + 1, '\n')) {
        char *start = line[0] == '\n' ? line + 1 : line;
        if (strncasecmp(start, "content-length:", 15) == 0) length = strtoul(start + 15, NULL, 10);
    }
    if (head + length >= room) { fprintf(stderr, "an answer of %zu bytes is too large\n", length); exit(2); }
    while (have < head + length) {
        ssize_t got = read(sock, in + have, room - 1 - have);
        if (got <= 0) return -1;
        have += got;
    }
    in[have] = 0;
    *body = in + head;
    return status;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}
