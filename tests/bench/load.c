/* A load of robots: each thread is one step run that reserves, reads the payload and releases until nothing is left.

   usage: load HOST PORT WORKSPACE PROCESS RUN FILE LIMIT [own]
   With `own` by our own API, in which reserving brings the payload: two calls an item instead of three.
   FILE has a line for each thread: STEP_RUN FIRST_ITEM TOKEN. LIMIT bounds the items of a thread.
   Prints one line of JSON: items, seconds, and percentiles of the milliseconds that one item took.
   HTTP/1.1 with keep-alive, blocking sockets: a robot waits for each answer, too. */
#include <pthread.h>

#include "http.h"

#define MAX_THREADS 256
#define MAX_ITEMS 200000

static const char *workspace, *process, *run;
static int limit;
static pthread_barrier_t gate;

typedef struct {
    char step_run[64], item[64], token[1024];
    int done, failed, sock;
    double *took;
} robot;

/* One call of the robot; the status, and the body's beginning in `body`. */
static int call(robot *r, const char *method, const char *path, const char *payload, char *body, size_t room) {
    char out[4096], in[16384], *found = "";
    int n = snprintf(out, sizeof out,
                     "%s %s HTTP/1.1\r\nHost: %s:%d\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"
                     "Content-Length: %zu\r\n\r\n%s",
                     method, path, host, port, r->token, strlen(payload), payload);
    int status = ask(r->sock, out, n, in, sizeof in, &found);
    snprintf(body, room, "%s", found);
    return status;
}

static void *work(void *given) {
    robot *r = given;
    char path[512], payload[256], body[8192];
    r->sock = dial();
    pthread_barrier_wait(&gate);
    while (r->item[0] && r->done < limit) {
        double began = now();
        snprintf(path, sizeof path, "/json-v1/workspaces/%s/workitems/%s/data", workspace, r->item);
        if (call(r, "GET", path, "", body, sizeof body) != 200) { r->failed++; fprintf(stderr, "payload: %s\n", body); break; }
        snprintf(path, sizeof path, "/process-v1/workspaces/%s/processes/%s/runs/%s/robotRuns/%s/release-work-item",
                 workspace, process, run, r->step_run);
        snprintf(payload, sizeof payload, "{\"workItemId\":\"%s\",\"state\":\"COMPLETED\"}", r->item);
        if (call(r, "POST", path, payload, body, sizeof body) != 200) { r->failed++; break; }
        snprintf(path, sizeof path, "/process-v1/workspaces/%s/processes/%s/runs/%s/robotRuns/%s/reserve-next-work-item",
                 workspace, process, run, r->step_run);
        if (call(r, "POST", path, "", body, sizeof body) != 200) { r->failed++; break; }
        char *id = strstr(body, "\"workItemId\":\"");
        if (id) { memcpy(r->item, id + 14, 36); r->item[36] = 0; } else r->item[0] = 0;
        r->took[r->done++] = (now() - began) * 1000;
    }
    close(r->sock);
    return NULL;
}

/* The id of the item in an answer to reserve; nothing when there is none. */
static void next_item(robot *r, const char *body) {
    char *id = strstr(body, "\"id\":\"");
    if (id) { memcpy(r->item, id + 6, 36); r->item[36] = 0; } else r->item[0] = 0;
}

static void *work_own(void *given) {
    robot *r = given;
    char path[512], body[8192];
    r->sock = dial();
    if (call(r, "POST", "/robot/v1/items/reserve", "", body, sizeof body) != 200) { r->failed++; r->item[0] = 0; }
    else next_item(r, body);
    pthread_barrier_wait(&gate);
    while (r->item[0] && r->done < limit) {
        double began = now();
        snprintf(path, sizeof path, "/robot/v1/items/%s/release", r->item);
        if (call(r, "POST", path, "{\"outcome\":\"done\"}", body, sizeof body) != 200) { r->failed++; break; }
        if (call(r, "POST", "/robot/v1/items/reserve", "", body, sizeof body) != 200) { r->failed++; break; }
        next_item(r, body);
        r->took[r->done++] = (now() - began) * 1000;
    }
    close(r->sock);
    return NULL;
}

int main(int argc, char **argv) {
    static robot robots[MAX_THREADS];
    pthread_t threads[MAX_THREADS];
    if (argc < 8 || argc > 9) { fprintf(stderr, "usage: load HOST PORT WORKSPACE PROCESS RUN FILE LIMIT [own]\n"); return 2; }
    void *(*working)(void *) = argc == 9 ? work_own : work;
    host = argv[1]; port = atoi(argv[2]); workspace = argv[3]; process = argv[4]; run = argv[5]; limit = atoi(argv[7]);
    if (limit > MAX_ITEMS) limit = MAX_ITEMS;
    FILE *file = fopen(argv[6], "r");
    if (!file) { perror(argv[6]); return 2; }
    int count = 0;
    while (count < MAX_THREADS &&
           fscanf(file, "%63s %63s %1023s", robots[count].step_run, robots[count].item, robots[count].token) == 3)
        robots[count++].took = malloc(sizeof(double) * limit);
    fclose(file);
    pthread_barrier_init(&gate, NULL, count + 1);
    for (int i = 0; i < count; i++) pthread_create(&threads[i], NULL, working, &robots[i]);
    pthread_barrier_wait(&gate);
    double began = now();
    int items = 0, failed = 0;
    for (int i = 0; i < count; i++) pthread_join(threads[i], NULL);
    double seconds = now() - began;
    for (int i = 0; i < count; i++) { items += robots[i].done; failed += robots[i].failed; }
    double *all = malloc(sizeof(double) * (items + 1));
    for (int i = 0, n = 0; i < count; i++) { memcpy(all + n, robots[i].took, sizeof(double) * robots[i].done); n += robots[i].done; }
    qsort(all, items, sizeof(double), rising);
    printf("{\"items\": %d, \"failed\": %d, \"seconds\": %.3f, \"p50\": %.3f, \"p99\": %.3f}\n", items, failed, seconds,
           items ? all[items / 2] : 0, items ? all[(int)(items * 0.99)] : 0);
    return failed != 0;
}
