/* SPDX-License-Identifier: ISC */
#include "mail/charset.h"

/* The first name is libc's; others that mail programs write for it stand behind. */
static const char *const charsets[][4] = {
	{ "ISO-8859-2", "ISO8859-2", "LATIN2" },
	{ "ISO-8859-3" },
	{ "ISO-8859-4" },
	{ "ISO-8859-5" },
	{ "ISO-8859-6" },
	{ "ISO-8859-7" },
	{ "ISO-8859-8", "ISO-8859-8-I", "ISO-8859-8-E" },
	{ "ISO-8859-9", "LATIN5" },
	{ "ISO-8859-10" },
	{ "ISO-8859-11" },
	{ "ISO-8859-13" },
	{ "ISO-8859-14" },
	{ "ISO-8859-15", "ISO8859-15", "LATIN-9", "LATIN9" },
	{ "ISO-8859-16" },
	{ "CP874", "WINDOWS-874", "TIS-620" },
	{ "CP1250", "WINDOWS-1250" },
	{ "CP1251", "WINDOWS-1251" },
	{ "CP1252", "WINDOWS-1252", "ISO8859-1", "ISO_8859-1" },
	{ "CP1253", "WINDOWS-1253" },
	{ "CP1254", "WINDOWS-1254" },
	{ "CP1255", "WINDOWS-1255" },
	{ "CP1256", "WINDOWS-1256" },
	{ "CP1257", "WINDOWS-1257" },
	{ "CP1258", "WINDOWS-1258" },
	{ "CP437", "IBM437" },
	{ "CP850", "IBM850" },
	{ "CP852", "IBM852" },
	{ "CP866", "IBM866" },
	{ "KOI8-R" },
	{ "KOI8-U" },
	{ "MACINTOSH" },
	{ "MAC-CYRILLIC", "X-MAC-CYRILLIC" },
	{ "VISCII" },
	{ "GB18030", "GB2312", "GBK", "X-GBK" }, /* it holds the others */
	{ "CP936", "WINDOWS-936", "EUC-CN" },
	{ "BIG5-HKSCS", "BIG5" },
	{ "CP950" },
	{ "EUC-TW" },
	{ "EUC-JP" },
	{ "ISO-2022-JP" },
	{ "ISO-2022-JP-2" },
	{ "CP932", "SHIFT_JIS", "WINDOWS-31J", "X-SJIS" },
	{ "SJIS", "SHIFT-JIS" },
	{ "CP949", "KS_C_5601-1987", "WINDOWS-949", "UHC" },
	{ "EUC-KR" },
	{ "ISO-2022-KR" },
	{ "UTF-7", "UNICODE-1-1-UTF-7" },
	{ "UTF-16" },
	{ "UTF-16LE" },
	{ "UTF-16BE" },
	{ "UTF-32" },
	{ "UTF-32LE" },
	{ "UTF-32BE" },
};

/* To open one anew for each word of a header costs more than all the rest of the message. */
static _Thread_local struct {
	iconv_t cd;
	bool open;
} converters[LENGTH(charsets)];

static bool has_name(const char *const *names, struct str name)
{
	for (size_t i = 0; i < LENGTH(charsets[0]) && names[i]; i++)
		if (str_iis(name, names[i]))
			return true;
	return false;
}

bool charset_converter(struct str name, iconv_t *out)
{
	size_t i = 0;

	while (i < LENGTH(charsets) && !has_name(charsets[i], name))
		i++;
	if (i == LENGTH(charsets))
		return false;
	if (!converters[i].open) {
		converters[i].cd = iconv_open("UTF-8", charsets[i][0]);
		if (converters[i].cd == (iconv_t)-1) /* libc's modules are not installed */
			return false;
		converters[i].open = true;
	}
	*out = converters[i].cd;
	(void)iconv(*out, NULL, NULL, NULL, NULL);
	return true;
}
