/* SPDX-License-Identifier: ISC */
#ifndef WEB_FILES_H
#define WEB_FILES_H
/* files.h - the files of src/web/pages/, as tools/embed puts them into the program. */
#include <stddef.h>

struct web_file {
	const char *name, *text;
	size_t n;
};
extern const struct web_file web_files[];
extern const size_t web_nfiles;

#endif
