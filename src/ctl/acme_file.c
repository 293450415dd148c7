/* SPDX-License-Identifier: ISC */
/* ctl/acme_file.c - a file takes another's place whole or not at all. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl/acme.h"

static enum err failed(struct arena *a, const char *path, struct str *why)
{
	*why = str_fmt(a, "%s: %s", path, strerror(errno));
	return E_IO;
}

enum err owner_of(struct str folder, struct arena *a, struct owner *out, struct str *why)
{
	const char *name = str_c(a, folder);
	struct stat st;

	if (stat(name, &st))
		return failed(a, name, why);
	*out = (struct owner){ st.st_uid, st.st_gid, geteuid() == 0 && st.st_uid != 0 };
	return OK;
}

void owner_become(const struct owner *who)
{
	BUG_IF(who->other && (setegid(who->gid) || seteuid(who->uid)));
}

void owner_return(const struct owner *who)
{
	BUG_IF(who->other && (seteuid(0) || setegid(getgid())));
}

void owner_stay(const struct owner *who)
{
	BUG_IF(who->other &&
	       (seteuid(0) || setgroups(1, &who->gid) || setgid(who->gid) || setuid(who->uid)));
}

enum err folder_make(struct str path, mode_t mode, struct arena *a, struct str *why)
{
	size_t slash = str_rfind(path, '/');
	const char *name = str_c(a, path);
	struct stat st;

	if (stat(name, &st) == 0)
		return OK;
	enum err e =
		slash && slash < path.n ? folder_make(str_part(path, 0, slash), mode, a, why) : OK;
	if (e)
		return e;
	/* The mode whatever the umask is: the web server has to look into it. */
	return mkdir(name, 0700) || chmod(name, mode) ? failed(a, name, why) : OK;
}

/* Owner and group of the model; unless the mode is exact, its rights too, of others no more than
 * mode gives. */
static bool like(int fd, const char *model, mode_t mode, bool exact)
{
	struct stat old;

	if (stat(model, &old))
		return errno == ENOENT && fchmod(fd, mode) == 0;
	if (!exact)
		mode = (old.st_mode & 0770) | (old.st_mode & mode & 07);
	if (old.st_gid != getegid() && fchown(fd, (uid_t)-1, old.st_gid))
		return false;
	if (geteuid() == 0 && fchown(fd, old.st_uid, old.st_gid))
		return false;
	return fchmod(fd, mode & 0666) == 0;
}

static enum err prepare(struct str path, struct str model, struct str text, mode_t mode, bool exact,
			struct arena *a, struct str *why)
{
	const char *name = str_c(a, str_fmt(a, "%.*s.new", FMT(path)));

	if (unlink(name) && errno != ENOENT)
		return failed(a, name, why);
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return failed(a, name, why);
	enum err e = OK;
	if (write(fd, text.p, text.n) != (ssize_t)text.n ||
	    !like(fd, str_c(a, model), mode, exact) || fsync(fd))
		e = failed(a, name, why);
	close(fd);
	if (e)
		(void)unlink(name);
	return e;
}

enum err file_prepare(struct str path, struct str text, mode_t mode, struct arena *a,
		      struct str *why)
{
	return prepare(path, path, text, mode, false, a, why);
}

enum err file_prepare_like(struct str path, struct str model, struct str text, mode_t mode,
			   struct arena *a, struct str *why)
{
	return prepare(path, model, text, mode, true, a, why);
}

enum err file_switch(struct str path, struct arena *a, struct str *why)
{
	const char *name = str_c(a, path), *fresh = str_c(a, str_fmt(a, "%s.new", name));
	size_t slash = str_rfind(path, '/');
	const char *folder = slash < path.n ? str_c(a, str_part(path, 0, slash ? slash : 1)) : ".";

	if (rename(fresh, name))
		return failed(a, name, why);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd); /* the new name stands either way; both files are whole */
		close(fd);
	}
	return OK;
}
