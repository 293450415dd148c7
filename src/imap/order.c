/* SPDX-License-Identifier: ISC */
/* imap/order.c - a merge sort that gives way: stable, and with a limit for its worst case. */
#include "imap/imap_priv.h"
#include "fiber/fiber.h"

enum { YIELD_STEPS = 8192, FEW = 8 };

struct order {
	int (*cmp)(const void *x, const void *y, void *arg);
	void *arg;
	unsigned steps; /* since the last yield */
};

static void insertion(struct order *o, const void **v, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		const void *x = v[i];
		size_t at = i;

		for (; at && o->cmp(v[at - 1], x, o->arg) > 0; at--)
			v[at] = v[at - 1];
		v[at] = x;
	}
}

/* v[0..n) and v[n..all), both in order, by way of tmp. */
static void merge(struct order *o, const void **v, const void **tmp, size_t n, size_t all)
{
	size_t x = 0, y = n, out = n;

	memcpy(tmp, v, n * sizeof *v);
	for (out = 0; x < n && y < all; out++) {
		v[out] = o->cmp(tmp[x], v[y], o->arg) <= 0 ? tmp[x++] : v[y++];
		if (++o->steps % YIELD_STEPS == 0)
			fiber_yield();
	}
	memcpy(v + out, tmp + x, (n - x) * sizeof *v);
}

static void sort(struct order *o, const void **v, const void **tmp, size_t n)
{
	if (n <= FEW) {
		insertion(o, v, n);
		return;
	}
	sort(o, v, tmp, n / 2);
	sort(o, v + n / 2, tmp, n - n / 2);
	merge(o, v, tmp, n / 2, n);
}

void imap_order(const void **v, const void **tmp, size_t n,
		int (*cmp)(const void *x, const void *y, void *arg), void *arg)
{
	struct order o = { .cmp = cmp, .arg = arg };

	sort(&o, v, tmp, n);
}
