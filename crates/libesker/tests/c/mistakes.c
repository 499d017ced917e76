/* What a program can do wrong beside a real worker, and what many threads do right. Usage: mistakes JOIN */
#include <esker.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(want, call)                                                                         \
    do {                                                                                          \
        int got_ = (call);                                                                        \
        if (got_ != (want)) {                                                                     \
            fprintf(stderr, "%s:%d: %s gave %d, not %d: %s\n", __FILE__, __LINE__, #call, got_,   \
                    (int)(want), esk_error_message());                                            \
            exit(1);                                                                              \
        }                                                                                         \
    } while (0)

#define THREADS 8
#define ROUNDS 50
#define SIZE (1 << 20)

static const char *join_text;

static void views_outlive_their_client(void)
{
    esk_client *client = NULL;
    esk_view view, copy, empty;
    char *big = malloc(SIZE);

    memset(big, 'x', SIZE);
    CHECK(ESK_OK, esk_connect(join_text, &client));
    CHECK(ESK_OK, esk_set(client, "big", big, SIZE));
    CHECK(ESK_OK, esk_set(client, "empty", NULL, 0));
    CHECK(ESK_OK, esk_get_view(client, "big", &view));
    CHECK(ESK_OK, esk_get_view(client, "empty", &empty));
    CHECK(1, empty.data != NULL && empty.len == 0);
    CHECK(ESK_OK, esk_close(client));
    CHECK(ESK_STALE, esk_close(client));
    CHECK(ESK_STALE, esk_set(client, "big", big, SIZE));

    CHECK(SIZE, (int)view.len);
    CHECK(0, memcmp(view.data, big, SIZE));
    copy = view;
    CHECK(ESK_OK, esk_view_check(&copy));
    CHECK(ESK_OK, esk_release(&view));
    CHECK(1, view.data == NULL && view.len == 0);
    CHECK(ESK_OK, esk_release(&view)); /* of nothing by now */
    CHECK(ESK_STALE, esk_view_check(&copy));
    CHECK(ESK_STALE, esk_release(&copy));
    CHECK(ESK_OK, esk_release(&empty));
    free(big);
}

static void *one_of_many(void *client)
{
    char id[64];
    size_t len = 0;
    int round, back;

    for (round = 0; round < ROUNDS; round++) {
        snprintf(id, sizeof id, "thread-%lx-%d", (unsigned long)pthread_self(), round);
        CHECK(ESK_OK, esk_set(client, id, &round, sizeof round));
        CHECK(ESK_OK, esk_get(client, id, &back, sizeof back, &len));
        CHECK(round, back);
        CHECK(ESK_ABSENT, esk_get(client, "never set", NULL, 0, &len));
        CHECK(ESK_BAD_REQUEST, esk_set(client, "", NULL, 0));
        CHECK(1, strstr(esk_error_message(), "is no id") != NULL);
        CHECK(ESK_OK, esk_remove(client, id));
        CHECK(ESK_ABSENT, esk_remove(client, id));
    }
    return NULL;
}

static void threads_share_a_client(void)
{
    pthread_t threads[THREADS];
    esk_client *client = NULL;
    int at;

    CHECK(ESK_OK, esk_connect(join_text, &client));
    for (at = 0; at < THREADS; at++)
        pthread_create(&threads[at], NULL, one_of_many, client);
    for (at = 0; at < THREADS; at++)
        pthread_join(threads[at], NULL);
    CHECK(ESK_OK, esk_close(client));
}

static void a_forked_child_connects_anew(void)
{
    esk_client *client = NULL, *own = NULL;
    esk_future *future = NULL;
    esk_view view;
    char text[8] = "";
    size_t len = 0;
    int status = 0;
    pid_t child;

    CHECK(ESK_OK, esk_connect(join_text, &client));
    CHECK(ESK_OK, esk_set(client, "forked", "before", 6));
    CHECK(ESK_OK, esk_get_view(client, "forked", &view));
    CHECK(ESK_OK, esk_get_async(client, "forked", &future));
    child = fork();
    if (child == 0) {
        alarm(60);
        CHECK(ESK_FORKED, esk_set(client, "forked", "child", 5));
        CHECK(1, strstr(esk_error_hint(), "esk_connect") != NULL);
        CHECK(ESK_FORKED, esk_wait(future, -1));
        CHECK(0, memcmp(view.data, "before", 6));
        CHECK(ESK_OK, esk_connect(join_text, &own));
        CHECK(1, own != client);
        CHECK(ESK_FORKED, esk_set(client, "forked", "child", 5));
        CHECK(ESK_FORKED, esk_release(&view));
        CHECK(ESK_FORKED, esk_close(client));
        CHECK(ESK_OK, esk_set(own, "forked", "child", 5));
        CHECK(ESK_OK, esk_close(own));
        _exit(0);
    }
    CHECK(1, waitpid(child, &status, 0) == child);
    CHECK(0, status);
    CHECK(ESK_OK, esk_get(client, "forked", text, sizeof text, &len));
    CHECK(0, strcmp(text, "child"));
    CHECK(ESK_OK, esk_wait(future, -1));
    CHECK(ESK_OK, esk_future_free(future));
    CHECK(ESK_OK, esk_release(&view));
    CHECK(ESK_OK, esk_close(client));
}

static void too_much_at_once_is_busy(void)
{
    enum { MOST = 5000 };
    static esk_future *futures[MOST];
    esk_client *client = NULL;
    int started = 0, at, code = ESK_OK;

    CHECK(ESK_OK, esk_connect(join_text, &client));
    CHECK(1, esk_remove(client, "many") >= 0);
    while (started < MOST && code == ESK_OK) {
        code = esk_append_async(client, "many", "x", 1, &futures[started]);
        started += code == ESK_OK;
    }
    /* A fast worker may keep up. */
    if (code != ESK_OK)
        CHECK(ESK_BUSY, code);
    for (at = 0; at < started; at++) {
        CHECK(ESK_OK, esk_wait(futures[at], -1));
        CHECK(ESK_OK, esk_future_free(futures[at]));
    }
    uint64_t length = 0;
    CHECK(ESK_OK, esk_stat(client, "many", &length));
    CHECK(started, (int)length);
    CHECK(ESK_OK, esk_close(client));
}

int main(int count, char **words)
{
    join_text = count > 1 ? words[1] : "";
    views_outlive_their_client();
    threads_share_a_client();
    a_forked_child_connects_anew();
    too_much_at_once_is_busy();
    puts("all refused or done as they should be");
    return 0;
}
