/* A cluster's memory as a cache, from C.
 *
 *   cc cache.c $(pkg-config --cflags --libs esker) -o cache
 *   ./cache consul://127.0.0.1:8500        or    ./cache static:members.toml
 */
#include <esker.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Gives back codes that are no errors, and ends the program with what went wrong otherwise. */
static int done(int code)
{
    if (code < 0) {
        fprintf(stderr, "error: %s\nhint: %s\n", esk_error_message(), esk_error_hint());
        exit(1);
    }
    return code;
}

static void one(esk_client *client)
{
    uint64_t length = 0;
    esk_view view;

    done(esk_set(client, "greeting", "hello", 5));
    done(esk_append(client, "greeting", ", world", 7, &length));
    printf("greeting has %d bytes\n", (int)length);

    /* The bytes as they came, without a copy; they stay until they are released. */
    if (done(esk_get_view(client, "greeting", &view)) == ESK_OK)
        printf("%.*s\n", (int)view.len, (const char *)view.data);
    done(esk_release(&view));
    if (done(esk_get_view(client, "nothing", &view)) == ESK_ABSENT)
        printf("there is no content of that id\n");
}

static void many(esk_client *client)
{
    const esk_item items[] = {{"a", "1", 1}, {"b", "22", 2}, {"c", "333", 3}};
    const char *ids[] = {"a", "b", "c", "d"};
    esk_view views[4];
    size_t removed = 0;
    int at;

    done(esk_set_all(client, items, 3));
    done(esk_get_all(client, ids, 4, views));
    for (at = 0; at < 4; at++) {
        printf("%s: %d bytes%s\n", ids[at], (int)views[at].len, views[at].data ? "" : ", absent");
        done(esk_release(&views[at]));
    }
    done(esk_remove_all(client, ids, 4, &removed));
    printf("%d removed\n", (int)removed);
}

static void meanwhile(esk_client *client)
{
    esk_future *futures[16], *read = NULL;
    uint64_t length = 0;
    esk_view view;
    int at;

    for (at = 0; at < 16; at++)
        done(esk_append_async(client, "log", "line\n", 5, &futures[at]));
    for (at = 0; at < 16; at++) {
        while (done(esk_wait(futures[at], 100)) == ESK_BUSY)
            ; /* do something else here */
        done(esk_future_free(futures[at]));
    }
    done(esk_stat(client, "log", &length));
    printf("the log has %d bytes\n", (int)length);

    done(esk_get_async(client, "log", &read));
    done(esk_wait(read, -1));
    done(esk_future_view(read, &view));
    done(esk_future_free(read));
    printf("%.5s", (const char *)view.data);
    done(esk_release(&view));
}

/* A space begins with all its ids, dealt out evenly, which takes the Consul that workers agree in. */
static void space(esk_client *client)
{
    const char *ids[] = {"c-list/x", "c-list/y"};
    const esk_winner winner = {0, 0};
    uint64_t length = 1;

    done(esk_init_numbered(client, "c-example/part-{}", 1000, ESK_UNIFORM_NODES, ESK_KEEP_ALL));
    done(esk_stat(client, "c-example/part-999", &length));
    printf("part 999 is there, with %d bytes\n", (int)length);
    done(esk_seal(client, "c-example", &winner, 1));
    if (esk_set(client, "c-example/part-0", "x", 1) < 0)
        printf("sealed: %s\n", esk_error_message());
    done(esk_drop_space(client, "c-example"));

    done(esk_init(client, ids, 2, ESK_UNIFORM_CPU, ESK_KEEP_CACHE));
    done(esk_drop_space(client, "c-list"));
}

int main(int count, char **words)
{
    const char *join = count > 1 ? words[1] : "consul://127.0.0.1:8500";
    esk_client *client = NULL;
    esk_node nodes[3];
    size_t owners = 0;

    done(esk_connect(join, &client));
    one(client);
    many(client);
    meanwhile(client);
    done(esk_node_ids(client, "greeting", nodes, 3, &owners));
    printf("greeting is on %s at %s\n", nodes[0].name, nodes[0].address);
    if (strncmp(join, "consul", 6) == 0)
        space(client);
    done(esk_close(client));
    return 0;
}
