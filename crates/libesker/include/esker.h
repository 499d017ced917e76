/* The memory and disks of a cluster of workers as one cache. How to: docs/c.md. Made by cbindgen, do not edit.
 *
 * Every function that gives an int gives ESK_OK, something positive that is no error (ESK_ABSENT, ESK_BUSY), or something
 * negative; esk_error_message() and esk_error_hint() then say what happened and what to do, in the same thread.
 *
 * Any thread may call anything at any time. Texts end with a zero and are UTF-8. What is passed is read before the call
 * returns and never kept. A pointer that is NULL is refused (ESK_NULL), a handle that was closed, freed or
 * released is refused (ESK_STALE), and so is one of a process that has forked since (ESK_FORKED): connect again there.
 * What cannot be checked is the caller's: a pointer that is not NULL points to as much as it is said to.
 */

#ifndef ESKER_H
#define ESKER_H

#include <stddef.h>
#include <stdint.h>

// Done.
#define ESK_OK 0

// There is no content of this id. No error.
#define ESK_ABSENT 1

// Not yet: wait longer, or wait for some of what is under way first. No error.
#define ESK_BUSY 2

// What was asked makes no sense: an id, an address, a value.
#define ESK_BAD_REQUEST -1

// A pointer is NULL, or not aligned, that must not be.
#define ESK_NULL -2

// The handle was closed, freed or released, or is none of this kind.
#define ESK_STALE -3

// The process has forked since the handle was made: connect again in this process.
#define ESK_FORKED -4

// The place to copy to is too small; nothing was copied.
#define ESK_TOO_SMALL -5

// It contradicts what is there.
#define ESK_CONFLICT -6

// Over a limit.
#define ESK_TOO_LARGE -7

// There is no room.
#define ESK_NOT_WRITABLE -8

// No answer in time; what writes may have been done or not.
#define ESK_TIMEOUT -9

// Nobody answers there.
#define ESK_UNAVAILABLE -10

// What was asked about is not there, or no longer.
#define ESK_NOT_FOUND -11

// Workers have too much to do; try again later.
#define ESK_OVERLOADED -12

// A fault of esker's own.
#define ESK_INTERNAL -13

// Every worker gets as many ids.
#define ESK_UNIFORM_NODES 0

// Workers get ids by the cores they have.
#define ESK_UNIFORM_CPU 1

// Workers get ids by the memory that is free there.
#define ESK_UNIFORM_MEMORY 2

// When memory is short, contents go to disk.
#define ESK_KEEP_ALL 0

// When memory is short, contents are forgotten, the least asked for first.
#define ESK_KEEP_CACHE 1

// The bytes of a worker's name and of its address, with the zero at the end.
#define ESK_NODE_TEXT 256

// The bytes of a worker's identity, with the zero at the end.
#define ESK_NODE_ID 33

// Something under way, or what came of it.
typedef struct esk_future esk_future;

// A client of a cluster.
typedef struct esk_client esk_client;

// What a client does.
typedef struct esk_options {
  // How long any call may take in all, in milliseconds; 0 for 30 s.
  uint32_t deadline_ms;
  // Not 0 if contents are to be sent and kept as they are, never compressed.
  uint32_t plain;
} esk_options;

// A content, where it lies. It stays until it is released, whatever becomes of the client.
typedef struct esk_view {
  // The first byte; NULL in a view of nothing.
  const uint8_t *data;
  // How many there are.
  size_t len;
  // What it is released by; 0 in a view of nothing.
  uint64_t handle;
} esk_view;

// An id and a content.
typedef struct esk_item {
  // The id: UTF-8 of 1 to 1024 bytes, without control characters.
  const char *id;
  // The content; may be NULL if it is empty.
  const void *data;
  // How many bytes it has.
  size_t len;
} esk_item;

// Which attempt at a task counts.
typedef struct esk_winner {
  // The task.
  uint32_t task;
  // The attempt.
  uint16_t attempt;
} esk_winner;

// A worker that has an id, or would.
typedef struct esk_node {
  // Its identity: 32 hexadecimal digits.
  char id[ESK_NODE_ID];
  // What people call it.
  char name[ESK_NODE_TEXT];
  // Where it is: "tcp://HOST:PORT".
  char address[ESK_NODE_TEXT];
} esk_node;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What went wrong in the last call in this thread that failed; empty if none did. It stays until the next that fails.
const char *esk_error_message(void);

// What can be done about it; may be empty. It stays as long as the message.
const char *esk_error_hint(void);

// The version of the library, such as "0.1.0".
const char *esk_version(void);

// Connects to a cluster: "consul://HOST:PORT" or "static:members.toml". Workers are looked for when something is asked.
int esk_connect(const char *join,
                struct esk_client **out);

// The same with options; NULL for the usual ones.
int esk_connect_with(const char *join, const struct esk_options *options, struct esk_client **out);

// Closes a client. What is under way goes on, views stay good.
int esk_close(struct esk_client *client);

// Releases a view, and makes it one of nothing. Releasing nothing is done at once; a copy of a view that was released
// before is refused.
int esk_release(struct esk_view *view);

// Whether a view may still be read: ESK_OK, or ESK_STALE if it, or what it was copied from, was released.
int esk_view_check(const struct esk_view *view);

// Replaces a content.
int esk_set(const struct esk_client *client, const char *id, const void *data, size_t len);

// Replaces contents, each for itself; those of one worker go together.
int esk_set_all(const struct esk_client *client, const struct esk_item *items, size_t count);

// Adds to a content. `length` is how long it is then; may be NULL.
int esk_append(const struct esk_client *client,
               const char *id,
               const void *data,
               size_t len,
               uint64_t *length);

// Adds to contents, in their order where an id is there more than once. `lengths` has room for as many; may be NULL.
int esk_append_all(const struct esk_client *client,
                   const struct esk_item *items,
                   size_t count,
                   uint64_t *lengths);

// Copies a content to `data`, which has room for `room` bytes; `len` is how long the content is. ESK_ABSENT if there is
// none, ESK_TOO_SMALL, and no copy, if it has no room.
int esk_get(const struct esk_client *client,
            const char *id,
            void *data,
            size_t room,
            size_t *len);

// Gives a view of a content, to be released by esk_release. ESK_ABSENT, and a view of nothing, if there is none.
int esk_get_view(const struct esk_client *client,
                 const char *id,
                 struct esk_view *view);

// The same of as many bytes as there are from `offset` on, at most `length`.
int esk_get_range(const struct esk_client *client,
                  const char *id,
                  uint64_t offset,
                  uint64_t length,
                  struct esk_view *view);

// Gives views of contents, to be released each; one of nothing where there is no content. `views` has room for as many,
// and all of them may be released even if it fails.
int esk_get_all(const struct esk_client *client,
                const char *const *ids,
                size_t count,
                struct esk_view *views);

// Removes a content; ESK_ABSENT if there was none.
int esk_remove(const struct esk_client *client, const char *id);

// Removes contents. `removed` is how many there were; may be NULL.
int esk_remove_all(const struct esk_client *client, const char *const *ids, size_t count, size_t *removed);

// How long a content is; ESK_ABSENT if there is none. Nothing of it is brought here.
int esk_stat(const struct esk_client *client, const char *id, uint64_t *length);

// Starts to replace a content. ESK_BUSY, and nothing is started, if too much is under way: wait for some of it.
// Futures of the same id may be done in any order.
int esk_set_async(const struct esk_client *client,
                  const char *id,
                  const void *data,
                  size_t len,
                  struct esk_future **future);

// Starts to add to a content; esk_future_length tells how long it is then.
int esk_append_async(const struct esk_client *client,
                     const char *id,
                     const void *data,
                     size_t len,
                     struct esk_future **future);

// Starts to get a content; esk_future_view gives it.
int esk_get_async(const struct esk_client *client, const char *id, struct esk_future **future);

// Waits for at most so many milliseconds; less than 0: as long as it takes, which is never longer than the client's
// deadline. ESK_BUSY if it is not over by then; otherwise what the call would have given, however often it is asked.
int esk_wait(const struct esk_future *future,
             int64_t timeout_ms);

// Gives a view of what came of a get, to be released by itself. ESK_BUSY if it is not over yet.
int esk_future_view(const struct esk_future *future, struct esk_view *view);

// How long a content is after an append. ESK_BUSY if it is not over yet.
int esk_future_length(const struct esk_future *future, uint64_t *length);

// Forgets a future. What is under way goes on.
int esk_future_free(struct esk_future *future);

// Begins a space with the ids that a pattern makes: its "{}" is each number from 0 to before `count`. Needs Consul.
int esk_init_numbered(const struct esk_client *client,
                      const char *pattern,
                      uint64_t count,
                      int strategy,
                      int keep);

// Begins a space with these ids, which have the same before their last slash. Needs Consul.
int esk_init(const struct esk_client *client, const char *const *ids, size_t count, int strategy, int keep);

// Ends all writing to a space, and says which attempt at each task counts.
int esk_seal(const struct esk_client *client,
             const char *space,
             const struct esk_winner *winners,
             size_t count);

// Forgets a space and all in it. It may be begun again.
int esk_drop_space(const struct esk_client *client, const char *space);

// The workers that have an id, or would, the first copy's first. No worker is asked. `nodes` has room for `room`; `count` is
// how many there are. ESK_TOO_SMALL, and as many as there is room for, if there are more.
int esk_node_ids(const struct esk_client *client,
                 const char *id,
                 struct esk_node *nodes,
                 size_t room,
                 size_t *count);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ESKER_H */
