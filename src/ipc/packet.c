/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ipc/ipc_priv.h"

union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(sizeof(int))];
};

enum err packet_send(int fd, const struct packet *k)
{
	struct buf head = buf_new(HEAD_SIZE);
	union control control = { 0 };

	BUG_IF(k->fields.n > IPC_MAX);
	buf_u8(&head, (uint8_t)k->kind);
	buf_u8(&head, k->fd >= 0);
	buf_u16(&head, (uint16_t)k->err);
	buf_u32(&head, k->type);
	buf_u64(&head, k->id);
	struct iovec parts[2] = { { head.p, head.n }, { (void *)k->fields.p, k->fields.n } };
	struct msghdr m = { .msg_iov = parts, .msg_iovlen = 2 };

	if (k->fd >= 0) {
		m.msg_control = control.space;
		m.msg_controllen = sizeof control.space;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);

		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &k->fd, sizeof(int));
	}
	ssize_t n;

	do
		n = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	int failed = errno;

	buf_free(&head);
	if (n >= 0)
		return OK;
	switch (failed) {
	case EAGAIN: return E_AGAIN;
	case EPIPE:
	case ECONNRESET:
	case ENOTCONN: return E_CLOSED;
	default:
		log_event(LOG_ERROR, "ipc.send", KVN("errno", failed), KVN("octets", k->fields.n));
		return E_IO;
	}
}

static int received_fd(struct msghdr *m)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&fd, CMSG_DATA(c), sizeof fd); /* control has room for one */
	return fd;
}

static enum err decode(struct packet *k, struct scan in, bool cut)
{
	unsigned kind = scan_u8(&in), has_fd = scan_u8(&in), err = scan_u16(&in);

	k->type = scan_u32(&in);
	k->id = scan_u64(&in);
	if (in.bad || cut || (kind != CALL && kind != ANSWER) || has_fd > 1 || err >= ERR_COUNT)
		return E_SYNTAX;
	if (!has_fd && k->fd >= 0)
		return E_SYNTAX;
	k->kind = (enum packet_kind)kind;
	k->err = (enum err)err;
	k->lost_fd = has_fd && k->fd < 0;
	k->fields = in.rest;
	return OK;
}

enum err packet_receive(int fd, struct packet *k)
{
	static _Thread_local char packet[HEAD_SIZE + IPC_MAX];
	union control control;
	struct iovec part = { packet, sizeof packet };
	struct msghdr m = { .msg_iov = &part, .msg_iovlen = 1 };
	ssize_t n;

	*k = (struct packet){ .fd = -1 };
	do {
		m.msg_control = control.space;
		m.msg_controllen = sizeof control.space;
		n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return E_AGAIN;
	if (n <= 0)
		return E_CLOSED;
	k->fd = received_fd(&m);
	enum err e = decode(k, scan(STR(packet, (size_t)n)), m.msg_flags & MSG_TRUNC);

	if (e && k->fd >= 0) {
		close(k->fd);
		k->fd = -1;
	}
	return e;
}
