/* SPDX-License-Identifier: ISC */
/* ctl/export_mail.c - messages as mbox (mboxrd) and as Maildir++, piece by piece. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl_priv.h"
#include "ctl/export.h"

enum { PIECE = 256 * 1024, LETTERS = 26 };

static const char from_line[] = "From ";

static enum err io_ok(bool ok)
{
	return ok ? OK : E_IO;
}

/* --- octets: lines end with LF, and in an mbox "From " is quoted --- */

/* What was held back as the begin of "From " and is none. */
static void release(struct export_box *x, FILE *to)
{
	x->size += fwrite(from_line, 1, x->from, to);
	x->from = 0;
}

static void put_plain(struct export_box *x, FILE *to, char c)
{
	x->size += putc_unlocked(c, to) != EOF;
}

/* At the begin of a line of an mbox. False: c is still to be written. */
static bool quote(struct export_box *x, FILE *to, char c)
{
	if (c == '>' && !x->from) { /* one more ">" may stand behind it as well */
		put_plain(x, to, c);
		return true;
	}
	bool same = c == from_line[x->from];

	if (same && ++x->from < sizeof from_line - 1)
		return true;
	if (same)
		put_plain(x, to, '>');
	release(x, to);
	x->line_start = false;
	return same;
}

static void put_octet(struct export_box *x, FILE *to, char c)
{
	if (x->line_start && x->mbox && quote(x, to, c))
		return;
	put_plain(x, to, c);
	x->line_start = c == '\n';
}

static void put_piece(struct export_box *x, FILE *to, struct str octets)
{
	for (size_t i = 0; i < octets.n; i++) {
		char c = octets.p[i];

		if (x->cr && c != '\n')
			put_octet(x, to, '\r');
		x->cr = c == '\r';
		if (!x->cr)
			put_octet(x, to, c);
	}
}

static enum err put_octets(struct export_box *x, FILE *to, const struct msg *m)
{
	struct str piece;
	enum err e = OK;

	x->cr = false;
	x->line_start = true;
	x->from = 0;
	for (uint64_t at = 0; !e && at < m->size; at += piece.n) {
		arena_reset(x->a);
		e = box_read(x->box, m, at, PIECE, x->a, &piece);
		if (!e && !piece.n)
			e = E_CORRUPT;
		if (!e)
			put_piece(x, to, piece);
	}
	if (x->cr)
		put_octet(x, to, '\r');
	release(x, to);
	return e;
}

/* --- mbox: From_ line, flags as fields in front, message, empty line --- */

static void put_keywords(const struct export_box *x, FILE *to, const struct msg *m)
{
	for (uint64_t left = m->flags >> FLAG_KEYWORD; left; left &= left - 1) {
		unsigned bit = FLAG_KEYWORD + (unsigned)__builtin_ctzll(left);

		fprintf(to, " %.*s", FMT(box_flag_name(x->box, bit)));
	}
}

static enum err put_mbox(struct export_box *x, const struct msg *m)
{
	time_t arrived = (time_t)m->arrived;
	off_t begin = ftello(x->mbox);
	char date[64];
	struct tm at;

	gmtime_r(&arrived, &at);
	strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &at);
	fprintf(x->mbox, "From MAILER-DAEMON %s\nStatus: %sO\nX-Status: %s%s%s%s\n", date,
		m->flags & FLAG_SEEN ? "R" : "", m->flags & FLAG_ANSWERED ? "A" : "",
		m->flags & FLAG_DELETED ? "D" : "", m->flags & FLAG_FLAGGED ? "F" : "",
		m->flags & FLAG_DRAFT ? "T" : "");
	fprintf(x->mbox, "X-Keywords:");
	put_keywords(x, x->mbox, m);
	fprintf(x->mbox, "\nX-UID: %u\n", m->uid);
	enum err e = put_octets(x, x->mbox, m);

	if (e == E_NOTFOUND && begin >= 0 && fflush(x->mbox) == 0 &&
	    ftruncate(fileno(x->mbox), begin) == 0 && fseeko(x->mbox, begin, SEEK_SET) == 0)
		return e;
	fprintf(x->mbox, x->line_start ? "\n" : "\n\n");
	return e == E_NOTFOUND ? E_IO : e ? e : io_ok(!ferror(x->mbox));
}

/* --- Maildir: flags in the name, keywords as letters, time of the file --- */

static struct str maildir_name(const struct export_box *x, const struct msg *m, uint64_t size)
{
	char flags[8 + LETTERS], *p = flags;

	/* In the order of the alphabet; letters are the first 26 keywords. */
	*p = 'D', p += (m->flags & FLAG_DRAFT) != 0;
	*p = 'F', p += (m->flags & FLAG_FLAGGED) != 0;
	*p = 'R', p += (m->flags & FLAG_ANSWERED) != 0;
	*p = 'S', p += (m->flags & FLAG_SEEN) != 0;
	*p = 'T', p += (m->flags & FLAG_DELETED) != 0;
	for (unsigned i = 0; i < LETTERS; i++)
		*p = (char)('a' + i), p += (m->flags >> (FLAG_KEYWORD + i)) & 1;
	return str_fmt(x->a, "%lld.U%u.tecsmail,S=%llu,W=%llu:2,%.*s", (long long)m->arrived,
		       m->uid, (unsigned long long)size, (unsigned long long)m->size,
		       (int)(p - flags), flags);
}

static enum err put_maildir(struct export_box *x, const struct msg *m, struct str *name)
{
	char tmp[64];
	struct timespec times[2] = { { .tv_sec = (time_t)m->arrived },
				     { .tv_sec = (time_t)m->arrived } };
	int dir = open(str_c(x->a, x->path), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	snprintf(tmp, sizeof tmp, "tmp/%u", m->uid);
	int fd = dir < 0 ? -1 : openat(dir, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	FILE *to = fd < 0 ? NULL : fdopen(fd, "w");
	enum err e = to ? put_octets(x, to, m) : E_IO;

	arena_reset(x->a);
	*name = maildir_name(x, m, x->size);
	bool good = !e && fflush(to) == 0 && futimens(fd, times) == 0;
	if (to && fclose(to))
		good = false;
	good = good &&
	       renameat(dir, tmp, dir, str_c(x->a, str_fmt(x->a, "cur/%.*s", FMT(*name)))) == 0;
	if (e == E_NOTFOUND && unlinkat(dir, tmp, 0))
		e = E_IO;
	if (dir >= 0)
		close(dir);
	if (!e)
		fprintf(x->uidlist, "%u :%.*s\n", m->uid, FMT(*name));
	return e ? e : io_ok(good);
}

/* --- the index: what neither format has room for --- */

static enum err put_index(struct export_box *x, const struct msg *m, struct str file)
{
	json_t *flags = json_array();
	uint64_t octets = m->flags;

	for (uint64_t left = octets; left; left &= left - 1)
		json_array_append_new(flags, ctl_json_str(box_flag_name(
						     x->box, (unsigned)__builtin_ctzll(left))));
	json_t *row =
		json_pack("{s:o, s:I, s:I, s:I, s:I, s:o}", "mailbox", ctl_json_str(x->name), "uid",
			  (json_int_t)m->uid, "arrived", (json_int_t)m->arrived, "saved",
			  (json_int_t)m->saved, "size", (json_int_t)m->size, "flags", flags);
	if (file.n)
		json_object_set_new(row, "file", ctl_json_str(file));
	bool good = json_dumpf(row, x->index, JSON_COMPACT) == 0 && putc('\n', x->index) != EOF;

	json_decref(row);
	return io_ok(good);
}

enum err export_message(struct export_box *x, const struct msg *m)
{
	struct str file = S("");
	enum err e;

	x->size = 0;
	arena_reset(x->a);
	e = x->format == EXPORT_MBOX ? put_mbox(x, m) : put_maildir(x, m, &file);
	return e ? e : put_index(x, m, file);
}

/* --- a mailbox --- */

enum err export_folders(struct str root, struct str path, struct arena *a)
{
	for (size_t i = root.n + 1; i < path.n; i++)
		if (path.p[i] == '/' && mkdir(str_c(a, str_part(path, 0, i)), 0700) &&
		    errno != EEXIST)
			return E_IO;
	return OK;
}

/* Dovecot's: which letter is which keyword. */
static enum err put_letters(struct export_box *x)
{
	struct box_view v = box_view(x->box);
	FILE *to = fopen(str_c(x->a, str_fmt(x->a, "%.*s/dovecot-keywords", FMT(x->path))), "we");

	if (!to)
		return E_IO;
	for (unsigned i = 0; i < LETTERS; i++)
		if ((v.keywords >> (FLAG_KEYWORD + i)) & 1)
			fprintf(to, "%u %.*s\n", i, FMT(box_flag_name(x->box, FLAG_KEYWORD + i)));
	return io_ok(fclose(to) == 0);
}

static enum err open_maildir(struct export_box *x)
{
	static const char *const parts[] = { "", "/cur", "/new", "/tmp" };
	struct box_view v = box_view(x->box);

	for (size_t i = 0; i < LENGTH(parts); i++)
		if (mkdir(str_c(x->a, str_fmt(x->a, "%.*s%s", FMT(x->path), parts[i])), 0700) &&
		    errno != EEXIST)
			return E_IO;
	x->uidlist = fopen(str_c(x->a, str_fmt(x->a, "%.*s/dovecot-uidlist", FMT(x->path))),
			   x->again ? "r+e" : "wxe");
	if (!x->uidlist)
		return E_IO;
	/* Always as long, so that it can be written anew in its place. */
	fprintf(x->uidlist, "3 V%u N%010u\n", v.uidvalidity, v.uidnext);
	if (fseeko(x->uidlist, 0, SEEK_END))
		return E_IO;
	return put_letters(x);
}

enum err export_open(struct export_box *x)
{
	if (x->format == EXPORT_MAILDIR)
		return open_maildir(x);
	x->mbox = fopen(str_c(x->a, x->path), x->again ? "ae" : "wxe");
	return io_ok(x->mbox && fseeko(x->mbox, 0, SEEK_END) == 0);
}

static bool close_file(FILE **file)
{
	bool good = !*file || !ferror(*file);

	if (*file && fclose(*file))
		good = false;
	*file = NULL;
	return good;
}

enum err export_close(struct export_box *x)
{
	bool mbox = close_file(&x->mbox), uidlist = close_file(&x->uidlist);

	return io_ok(mbox && uidlist);
}
