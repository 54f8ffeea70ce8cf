/* The same request again and again, over several connections at once.

   usage: hammer HOST PORT CONNECTIONS SECONDS METHOD PATH AUTHORIZATION BODY
   Prints one line of JSON: requests, failed (not 200), seconds, and percentiles of the milliseconds of one request. */
#include <pthread.h>

#include "http.h"

#define MAX_CONNECTIONS 256
#define MAX_REQUESTS 400000
#define ROOM (4 << 20)

static char request[65536];
static int length;
static double until;
static pthread_barrier_t gate;

typedef struct {
    int done, failed;
    double *took;
} caller;

static void *call(void *given) {
    caller *c = given;
    char *in = malloc(ROOM), *body;
    int sock = dial();
    pthread_barrier_wait(&gate);
    for (double began = now(); began < until && c->done < MAX_REQUESTS; began = now()) {
        int status = ask(sock, request, length, in, ROOM, &body);
        if (status != 200) {
            if (!c->failed++) fprintf(stderr, "%d: %.300s\n", status, status < 0 ? "" : body);
            if (status < 0) break;
        }
        c->took[c->done++] = (now() - began) * 1000;
    }
    close(sock);
    return NULL;
}

int main(int argc, char **argv) {
    static caller callers[MAX_CONNECTIONS];
    pthread_t threads[MAX_CONNECTIONS];
    if (argc != 9) { fprintf(stderr, "usage: hammer HOST PORT CONNECTIONS SECONDS METHOD PATH AUTHORIZATION BODY\n"); return 2; }
    host = argv[1]; port = atoi(argv[2]);
    int connections = atoi(argv[3]);
    length = snprintf(request, sizeof request,
                      "%s %s HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\n\r\n%s",
                      argv[5], argv[6], host, port, argv[7], strlen(argv[8]), argv[8]);
    if (length >= (int)sizeof request || connections > MAX_CONNECTIONS) return 2;
    pthread_barrier_init(&gate, NULL, connections + 1);
    double began = now();
    until = began + atof(argv[4]);
    for (int i = 0; i < connections; i++) {
        callers[i].took = malloc(sizeof(double) * MAX_REQUESTS);
        pthread_create(&threads[i], NULL, call, &callers[i]);
    }
    pthread_barrier_wait(&gate);
    int done = 0, failed = 0;
    for (int i = 0; i < connections; i++) {
        pthread_join(threads[i], NULL);
        done += callers[i].done;
        failed += callers[i].failed;
    }
    double seconds = now() - began, *all = malloc(sizeof(double) * (done + 1));
    for (int i = 0, n = 0; i < connections; i++) {
        memcpy(all + n, callers[i].took, sizeof(double) * callers[i].done);
        n += callers[i].done;
    }
    qsort(all, done, sizeof(double), rising);
    printf("{\"requests\": %d, \"failed\": %d, \"seconds\": %.3f, \"p50\": %.3f, \"p99\": %.3f}\n", done, failed, seconds,
           done ? all[done / 2] : 0, done ? all[(int)(done * 0.99)] : 0);
    return failed != 0;
}
