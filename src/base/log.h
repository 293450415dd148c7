/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_H
#define BASE_LOG_H
/*
 * log.h - one event, one line, in logfmt, on standard error (the journal adds the rest):
 *
 *   t=2026-01-02T03:04:05.678Z level=info proc=session event=login conn=17 ip=192.0.2.1 ...
 *
 * Keys are fixed words of ours; values are quoted where they must be and cut at 512 octets,
 * control characters are escaped: what a peer sent cannot forge a line. Never log a password.
 */
#include "base/base.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

struct kv {
	const char *key;
	struct str text;
	int64_t num;
	bool is_num; /* then num is it, else text: an empty text is no number */
};
#define KV(k, s)  ((struct kv){ .key = (k), .text = (s) })       /* a struct str */
#define KVC(k, c) ((struct kv){ .key = (k), .text = str_of(c) }) /* a C string */
#define KVN(k, v) ((struct kv){ .key = (k), .num = (int64_t)(v), .is_num = true })
#define KVE(e)    ((struct kv){ .key = "error", .text = str_of(err_text(e)) })

/* log_event(LOG_INFO, "login", KV("account", name), KVN("port", 993)); */
#define log_event(level, event, ...) \
	log_write((level), (event), (struct kv[]){ __VA_ARGS__ __VA_OPT__(, ){ 0 } })
void log_write(enum log_level level, const char *event, const struct kv *kv);

/*
 * What every line of the running fiber carries; the fiber room switches it with the fiber.
 * Where the event has the same key, the event's is written.
 */
struct log_context {
	uint64_t conn;      /* 0: none */
	const char *proto;  /* "imap", "smtp", ...; NULL: none */
	struct str ip;      /* the client's address */
	uint16_t port;      /* the client's port */
	struct str account; /* once logged in */
};
extern _Thread_local struct log_context *log_current; /* NULL: none */

/* Once, at the start of a process; proc is borrowed for ever. Without it: no proc, LOG_INFO. */
void log_start(const char *proc, enum log_level least);
bool log_level_of(struct str name, enum log_level *out); /* "debug", "info", "warn", "error" */

/* Tests read the lines (no newline) of this process instead of standard error; NULL goes back. */
void log_capture(void (*fn)(void *arg, struct str line), void *arg);

#endif
