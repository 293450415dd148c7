/* SPDX-License-Identifier: ISC */
/* web/qr.c - a QR code for phones: the library finds the modules, SVG draws them. */
#include <qrencode.h>

#include "web/web_priv.h"

enum { QUIET = 4, DATA_MAX = 128 * 1024 }; /* light modules around it: ISO/IEC 18004 */

bool qr_path(struct arena *a, struct str text, struct str *path, unsigned *width)
{
	struct buf b = buf_new(DATA_MAX);
	QRcode *qr = QRcode_encodeData((int)text.n, (const unsigned char *)text.p, 0, QR_ECLEVEL_M);

	if (!qr)
		return false;
	for (int y = 0; y < qr->width; y++)
		for (int x = 0; x < qr->width; x++)
			if (qr->data[y * qr->width + x] & 1) /* dark */
				buf_fmt(&b, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
	*width = (unsigned)qr->width + 2 * QUIET;
	*path = str_dup(a, buf_str(&b));
	bool good = !b.full;
	buf_free(&b);
	QRcode_free(qr);
	return good;
}
