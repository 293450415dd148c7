/* SPDX-License-Identifier: ISC */
/*
 * ctl/export.c - everything of one account as files: its mail, and account.json.
 *
 * It opens the store itself and reads, beside a running server or without one; memory does not
 * grow with the mail. The folder has the name that was asked for when all of it is there, and
 * ends in ".partial" until then.
 *
 * Its owner may work on meanwhile. What he renames or moves from where this has not been to where
 * it has is found when the mailboxes are listed once more, until there is nothing new.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/ctl_priv.h"
#include "ctl/export.h"
#include "keeper/directory.h"
#include "keeper/journal.h"
#include "keeper/life.h"
#include "keeper/refused.h"

enum {
	MAILBOXES_ARENA = 64 << 20,
	MESSAGE_ARENA = 2 << 20,
	ALIASES_A_PAGE = 200,
	FORMAT = 1,
	PASSES = 20,
};

/* A mailbox that has been written; mailboxes are known by their id, names change hands. */
struct taken {
	struct mailbox_info info; /* as it was seen last, with the name that it had first */
	struct str path;
	uint32_t next; /* messages below this UID are there */
};

struct exporting {
	struct ctl *c;
	struct store *st;
	struct arena *a; /* owned */
	enum export_format format;
	struct str to, partial; /* folders */
	struct user user;
	struct arena *listed; /* owned: of list */
	struct mailbox_info *list;
	size_t n;
	struct taken *taken;
	size_t ntaken, cap;
	FILE *index;
	struct export_box box;
	uint64_t done, octets, all; /* messages and octets written; octets there are */
	bool terminal;
};

static int failed(struct ctl *c, enum err e, struct str what)
{
	const char *why = e == E_IO && errno ? strerror(errno) : err_text(e);

	return ctl_failed(c, e == E_NOTFOUND || e == E_EXISTS ? e : E_IO,
			  str_fmt(c->arena, "%.*s: %s", FMT(what), why));
}

/* --- account.json --- */

enum err export_aliases(struct store *st, const struct name *user, json_t *out)
{
	struct page p = { .max = ALIASES_A_PAGE, .more = true };
	struct arena *a = arena_new(CTL_ARENA);
	char after[KEY_MAX];
	struct alias *l;
	enum err e = OK;

	while (p.more && !e) {
		arena_reset(a);
		e = directory_aliases(st, &p, a, &l);
		for (size_t i = 0; i < p.n && !e; i++)
			for (size_t j = 0; j < l[i].ntargets; j++)
				if (str_eq(l[i].targets[j].local, user->local) &&
				    str_eq(l[i].targets[j].domain, user->domain))
					json_array_append_new(
						out, ctl_json_str(name_text(a, l[i].name)));
		if (!e) {
			memcpy(after, p.last.p, p.last.n);
			p.after = STR(after, p.last.n);
		}
	}
	arena_free(&a);
	return e;
}

static enum err put_apps(struct exporting *x, json_t *out)
{
	struct apps l = { 0 };
	enum err e = directory_apps(x->st, x->user.account, x->a, &l);

	for (size_t i = 0; i < l.n && !e; i++)
		json_array_append_new(
			out, json_pack("{s:o, s:o, s:I, s:I}", "name", ctl_json_str(l.app[i].name),
				       "protocols",
				       ctl_json_str(app_protocols_text(x->a, l.app[i].protocols)),
				       "created", (json_int_t)l.app[i].created, "used",
				       (json_int_t)l.app[i].used));
	return e;
}

static enum err put_logins(struct exporting *x, json_t *out)
{
	struct history *h = ARENA_NEW(x->a, struct history);
	struct journal *j;
	enum err e = journal_new(x->st, &j);

	if (e)
		return e;
	e = journal_read(j, x->user.account, x->a, h);
	for (size_t i = 0; i < h->n && !e; i++) {
		const struct visit *v = &h->visit[i];

		json_array_append_new(
			out,
			json_pack("{s:I, s:I, s:I, s:s, s:o, s:o, s:o, s:o}", "first",
				  (json_int_t)v->first, "last", (json_int_t)v->last, "count",
				  (json_int_t)v->count, "result", visit_word(v->result), "address",
				  ctl_json_str(v->ip.bits ? net_text(x->a, &v->ip) : S("")),
				  "protocol", ctl_json_str(v->proto), "by", ctl_json_str(v->by),
				  "program", ctl_json_str(v->program)));
	}
	journal_close(&j);
	return e;
}

/* Whom the receiving guarantee kept out, as far as the owner has not been told yet. */
static enum err put_refused(struct exporting *x, json_t *out)
{
	struct refusals *l = ARENA_NEW(x->a, struct refusals);
	enum err e = refused_list(x->st, x->user.account, x->a, l);

	for (size_t i = 0; i < l->n && !e; i++) {
		const struct refusal_row *r = &l->row[i];

		json_array_append_new(
			out, json_pack("{s:o, s:o, s:o, s:o, s:I, s:I, s:I}", "sender",
				       ctl_json_str(r->sender), "recipient", ctl_json_str(r->to),
				       "server", ctl_json_str(r->host), "address",
				       ctl_json_str(r->ip), "first", (json_int_t)r->first, "last",
				       (json_int_t)r->last, "count", (json_int_t)r->count));
	}
	return e;
}

static const char *use_name(unsigned use)
{
	static const struct {
		unsigned use;
		const char *name;
	} uses[] = { { USE_DRAFTS, "\\Drafts" },
		     { USE_SENT, "\\Sent" },
		     { USE_JUNK, "\\Junk" },
		     { USE_TRASH, "\\Trash" },
		     { USE_ARCHIVE, "\\Archive" } };

	for (size_t i = 0; i < LENGTH(uses); i++)
		if (uses[i].use == use)
			return uses[i].name;
	return "";
}

static void put_mailboxes(struct exporting *x, json_t *mailboxes, json_t *subscriptions)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].subscribed)
			json_array_append_new(subscriptions, ctl_json_str(x->list[i].name));
	for (size_t i = 0; i < x->ntaken; i++) {
		const struct mailbox_info *m = &x->taken[i].info;

		json_array_append_new(
			mailboxes,
			json_pack("{s:o, s:o, s:s, s:b, s:I, s:I, s:I, s:I, s:I}", "name",
				  ctl_json_str(m->name), "path", ctl_json_str(x->taken[i].path),
				  "use", use_name(m->use), "subscribed", m->subscribed,
				  "uidvalidity", (json_int_t)m->uidvalidity, "uidnext",
				  (json_int_t)m->uidnext, "messages", (json_int_t)m->messages,
				  "octets", (json_int_t)m->octets, "modseq",
				  (json_int_t)m->modseq));
	}
}

static enum err put_account(struct exporting *x)
{
	json_t *aliases = json_array(), *apps = json_array(), *logins = json_array();
	json_t *mailboxes = json_array(), *subscriptions = json_array(), *refused = json_array();
	struct secret secret = { 0 };
	enum err e = directory_secret(x->st, x->user.account, x->a, &secret);

	if (!e || e == E_NOTFOUND)
		e = export_aliases(x->st, &x->user.name, aliases);
	if (!e)
		e = put_apps(x, apps);
	if (!e)
		e = put_logins(x, logins);
	if (!e)
		e = put_refused(x, refused);
	put_mailboxes(x, mailboxes, subscriptions);
	json_t *j = json_pack(
		"{s:i, s:I, s:s, s:o, s:I, s:s, s:o, s:I, s:I, s:s, s:s, s:I, s:o, s:o, s:o, s:o, "
		"s:o, s:o}",
		"format", FORMAT, "exported", (json_int_t)clock_wall(), "mail",
		x->format == EXPORT_MBOX ? "mbox" : "maildir", "address",
		ctl_json_str(name_text(x->a, x->user.name)), "account", (json_int_t)x->user.account,
		"state", life_user_word(&x->user, clock_wall()), "expires",
		x->user.expires ? ctl_json_str(day_en(x->a, x->user.expires)) : json_null(),
		"created", (json_int_t)x->user.created, "quota", (json_int_t)x->user.quota,
		"sending_guarantee", guarantee_word(x->user.guarantees.sending),
		"receiving_guarantee", guarantee_receiving_word(x->user.guarantees.receiving),
		"password_changed", (json_int_t)secret.changed, "aliases", aliases, "app_passwords",
		apps, "recent_logins", logins, "refused_unencrypted", refused, "mailboxes",
		mailboxes, "subscriptions", subscriptions);
	struct str path = str_fmt(x->a, "%.*s/account.json", FMT(x->partial));

	if (!e && json_dump_file(j, str_c(x->a, path), JSON_INDENT(2)))
		e = E_IO;
	json_decref(j);
	return e;
}

/* --- mail --- */

static void progress(struct exporting *x)
{
	if (x->terminal && x->all)
		fprintf(stderr, "\r%3u %%  %llu messages",
			(unsigned)(100.0 * (double)x->octets / (double)x->all),
			(unsigned long long)x->done);
}

static enum err message(void *arg, uint32_t number, const struct msg *m)
{
	struct exporting *x = arg;
	enum err e = export_message(&x->box, m);

	(void)number;
	if (e == E_NOTFOUND) /* it was expunged meanwhile */
		return OK;
	x->done++;
	x->octets += m->size;
	if (x->done % 100 == 0)
		progress(x);
	return e;
}

static struct taken *find_taken(struct exporting *x, uint32_t id)
{
	for (size_t i = 0; i < x->ntaken; i++)
		if (x->taken[i].info.id == id)
			return &x->taken[i];
	return NULL;
}

/* Another that had this name before has the path of it: no mailbox has "%" in its name. */
static struct str free_path(struct exporting *x, struct str name, uint32_t id)
{
	struct str path = export_path(x->a, x->format, name);

	for (size_t i = 0; i < x->ntaken; i++)
		if (str_eq(x->taken[i].path, path))
			return export_path(x->a, x->format,
					   str_fmt(x->a, "%.*s%%%u", FMT(name), id));
	return path;
}

static struct taken *add_taken(struct exporting *x, uint32_t id, struct str name)
{
	if (x->ntaken == x->cap) {
		size_t cap = x->cap ? 2 * x->cap : 64;
		struct taken *more = ARENA_ARRAY(x->a, struct taken, cap);

		if (x->ntaken)
			memcpy(more, x->taken, x->ntaken * sizeof *more);
		x->taken = more;
		x->cap = cap;
	}
	x->taken[x->ntaken] = (struct taken){ .info = { .id = id, .name = str_dup(x->a, name) },
					      .path = free_path(x, name, id) };
	return &x->taken[x->ntaken++];
}

/* What has come into it since it was written last. */
static enum err write_box(struct exporting *x, struct box *b, struct taken *t)
{
	const struct uid_range rest = { t->next ? t->next : 1, UINT32_MAX };
	struct str path = str_fmt(x->a, "%.*s/%.*s", FMT(x->partial), FMT(t->path));

	x->box = (struct export_box){ .format = x->format,
				      .path = path,
				      .name = t->info.name,
				      .box = b,
				      .a = arena_new(MESSAGE_ARENA),
				      .again = t->next != 0,
				      .index = x->index };
	enum err e = export_folders(x->partial, path, x->a);
	if (!e)
		e = export_open(&x->box);
	if (!e)
		e = box_each(b, (struct uidset){ &rest, 1 }, message, x);
	enum err closed = export_close(&x->box);
	arena_free(&x->box.a);
	t->next = box_view(b).uidnext;
	return e && e != E_NOTFOUND ? e : closed;
}

/* E_NOTFOUND: deleted or renamed since it was listed. */
static enum err mailbox(struct exporting *x, struct str name)
{
	struct box *b;
	enum err e = box_open(x->st, x->user.account, name, &b);

	if (e)
		return e;
	struct box_view v = box_view(b);
	struct taken *t = find_taken(x, v.id); /* maybe another than the one that was listed */
	if (!t)
		t = add_taken(x, v.id, name);
	if (v.uidnext > t->next)
		e = write_box(x, b, t);
	box_close(&b);
	return e;
}

static void see(struct taken *t, const struct mailbox_info *m)
{
	struct str name = t->info.name;

	t->info = *m;
	t->info.name = name;
}

/* new: there was something, so look again; missed: what was listed was not there. */
static enum err pass(struct exporting *x, bool *new, bool *missed)
{
	enum err e;

	*new = *missed = false;
	arena_reset(x->listed);
	e = box_list(x->st, x->user.account, x->listed, &x->list, &x->n);
	bool first = !x->ntaken;
	for (size_t i = 0; i < x->n && first; i++)
		x->all += x->list[i].octets;
	for (size_t i = 0; i < x->n && !e; i++) {
		const struct mailbox_info *m = &x->list[i];
		struct taken *t = find_taken(x, m->id);

		if (m->exists && (!t || m->uidnext > t->next)) {
			*new = true;
			e = mailbox(x, m->name);
			*missed |= e == E_NOTFOUND;
			e = e == E_NOTFOUND ? OK : e;
			t = find_taken(x, m->id);
		}
		if (m->exists && t)
			see(t, m);
	}
	return e;
}

static enum err all_mail(struct exporting *x)
{
	struct str path = str_fmt(x->a, "%.*s/messages.jsonl", FMT(x->partial));
	bool new = true, missed = false;
	enum err e = OK;

	x->index = fopen(str_c(x->a, path), "wxe");
	if (!x->index)
		return E_IO;
	for (unsigned i = 0; i < PASSES && new && !e; i++)
		e = pass(x, &new, &missed);
	if (!e && missed) /* they are renamed all the time */
		e = E_AGAIN;
	if (fclose(x->index) && !e)
		e = E_IO;
	return e;
}

/* Dovecot's list of subscribed folders. */
static enum err put_subscriptions(struct exporting *x)
{
	struct str path = str_fmt(x->a, "%.*s/Maildir/subscriptions", FMT(x->partial));
	FILE *to = fopen(str_c(x->a, path), "wxe");

	if (!to)
		return E_IO;
	fprintf(to, "V\t2\n\n");
	for (size_t i = 0; i < x->n; i++) {
		struct str name = str_dup(x->a, x->list[i].name);

		for (char *p = (char *)name.p; p < name.p + name.n; p++)
			*p = *p == '/' ? '\t' : *p;
		if (x->list[i].subscribed)
			fprintf(to, "%.*s\n", FMT(name));
	}
	return fclose(to) ? E_IO : OK;
}

/* Everything is on the disk before the folder gets its name. */
static enum err give_name(struct exporting *x)
{
	int fd = open(str_c(x->a, x->partial), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool good = fd >= 0 && syncfs(fd) == 0;

	if (fd >= 0)
		close(fd);
	return good && rename(str_c(x->a, x->partial), str_c(x->a, x->to)) == 0 ? OK : E_IO;
}

static enum err write_all(struct exporting *x)
{
	enum err e = all_mail(x);

	if (!e && x->format == EXPORT_MAILDIR)
		e = put_subscriptions(x);
	if (!e)
		e = export_receipts(
			x->st, &x->user,
			str_c(x->a, str_fmt(x->a, "%.*s/receipts.jsonl", FMT(x->partial))));
	if (!e)
		e = put_account(x);
	if (!e)
		e = give_name(x);
	if (x->terminal)
		fputs("\r\033[K", stderr);
	return e;
}

static int make(struct exporting *x)
{
	struct ctl *c = x->c;
	struct stat there;

	if (lstat(str_c(x->a, x->to), &there) == 0)
		return ctl_failed(c, E_EXISTS,
				  str_fmt(c->arena, "%.*s is there already", FMT(x->to)));
	if (mkdir(str_c(x->a, x->partial), 0700) && errno == EEXIST)
		return ctl_failed(c, E_EXISTS,
				  str_fmt(c->arena,
					  "%.*s is there: of an export that runs, or was cut off; "
					  "remove it in this case",
					  FMT(x->partial)));
	if (access(str_c(x->a, x->partial), W_OK))
		return failed(c, E_IO, x->partial);
	errno = 0;
	enum err e = write_all(x);
	if (e)
		return failed(c, e, str_fmt(c->arena, "%.*s is not whole", FMT(x->partial)));
	if (c->options & OPT_JSON)
		return ctl_print_json(json_pack(
			"{s:b, s:o, s:I, s:I}", "ok", 1, "folder", ctl_json_str(x->to), "messages",
			(json_int_t)x->done, "octets", (json_int_t)x->octets));
	printf("%llu messages, %.*s, in %.*s\n", (unsigned long long)x->done,
	       FMT(text_size(c->arena, x->octets)), FMT(x->to));
	return EXIT_OK;
}

static int run(struct exporting *x)
{
	struct ctl *c = x->c;
	struct str why, address = c->words[0], to = c->to;
	struct name n;

	while (to.n > 1 && str_ends(to, S("/")))
		to.n--;
	x->to = to;
	x->partial = str_fmt(x->a, "%.*s.partial", FMT(to));
	if (name_parse(x->a, address, false, &n))
		return ctl_failed(
			c, E_SYNTAX,
			str_fmt(c->arena, "%.*s: this is no address (user@domain)", FMT(address)));
	enum err e = store_open(c->config.store, c->arena, &x->st, &why);
	if (e)
		return ctl_failed(c, E_IO, why);
	e = directory_user(x->st, n, x->a, &x->user);
	int status = e == E_NOTFOUND
			     ? ctl_failed(c, e,
					  str_fmt(c->arena, "%.*s: there is no such user here",
						  FMT(address)))
		     : e ? failed(c, e, S("the store could not be read"))
			 : make(x);
	store_close(&x->st);
	return status;
}

int cmd_user_export(struct ctl *c)
{
	struct exporting x = { .c = c, .terminal = isatty(STDERR_FILENO) != 0 };

	if (!c->to.n)
		return ctl_failed(c, E_SYNTAX, S("where to? There is --to"));
	if (str_is(c->format, "mbox"))
		x.format = EXPORT_MBOX;
	else if (c->format.n && !str_is(c->format, "maildir"))
		return ctl_failed(c, E_SYNTAX, S("formats are maildir and mbox"));
	x.a = arena_new(MAILBOXES_ARENA);
	x.listed = arena_new(MAILBOXES_ARENA);
	int status = run(&x);
	arena_free(&x.listed);
	arena_free(&x.a);
	return status;
}
