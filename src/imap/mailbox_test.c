/* SPDX-License-Identifier: ISC */
/* CREATE, DELETE, RENAME, SUBSCRIBE, LIST, LSUB, STATUS, SELECT, GETQUOTA. */
#include "imap/dialog_test.h"

static void names(void)
{
	struct client *c = client_new("alice");

	ASK(c, "CREATE work", "T OK CREATE done\r\n");
	CHECK(has(ask(c, "CREATE work"), "T NO [ALREADYEXISTS]"));
	CHECK(has(ask(c, "CREATE inbox"), "T NO [ALREADYEXISTS]"));
	ASK(c, "CREATE a/b/c/", "T OK CREATE done\r\n");
	ASK(c, "CREATE \"Entw&APw-rfe & Ideen\"",
	    "T NO [CANNOT] the mailbox name is not in modified UTF-7\r\n");
	ASK(c, "CREATE \"Entw&APw-rfe\"", "T OK CREATE done\r\n");
	CHECK(has(ask(c, "CREATE a//b"), "T NO [CANNOT] the mailbox name is not possible"));
	CHECK(has(ask(c, "CREATE \"\""), "T NO [CANNOT]"));
	CHECK(has(ask(c, "CREATE"), "T BAD usage: CREATE"));
	CHECK(has(ask(c, "CREATE a b"), "T BAD usage: CREATE"));
	CHECK(has(ask(c, "DELETE INBOX"), "T NO [CANNOT] INBOX cannot"));
	CHECK(has(ask(c, "DELETE nothing"), "T NO [NONEXISTENT]"));
	ASK(c, "RENAME work job", "T OK RENAME done\r\n");
	CHECK(has(ask(c, "RENAME work job2"), "T NO [NONEXISTENT]"));
	CHECK(has(ask(c, "RENAME job a/b"), "T NO [ALREADYEXISTS]"));
	CHECK(has(ask(c, "RENAME job"), "T BAD usage"));
	CHECK(has(ask(c, "RENAME job job/x"), "T NO [CANNOT]"));
	ASK(c, "DELETE job", "T OK DELETE done\r\n");

	char big[4200] = "CREATE ";

	memset(big + 7, 'n', 4000);
	ASK(c, big, "T NO [CANNOT] the mailbox name is too long\r\n");
	memcpy(big, "SELECT ", 7);
	ASK(c, big, "T NO [CANNOT] the mailbox name is too long\r\n");
	io_put(c->io, S("x STATUS {4000+}\r\n"));
	say(c, big + 7);
	say(c, " (MESSAGES)\r\n");
	CHECK_STR(hear(c), "x NO [CANNOT] the mailbox name is too long\r\n");

	ASK(c, "CREATE Mine (USE (\\Drafts \\Sent))",
	    "T NO [USEATTR] one of \\Drafts \\Sent \\Junk \\Trash \\Archive, no other\r\n");
	CHECK(has(ask(c, "CREATE Mine (USE (\\All))"), "T NO [USEATTR]"));
	CHECK(has(ask(c, "CREATE Mine (USE)"), "T BAD usage"));
	CHECK(has(ask(c, "CREATE Mine (USE ())"), "T OK CREATE done"));
	ASK(c, "DELETE Mine", "T OK DELETE done\r\n");
	ASK(c, "DELETE a/b/c", "T OK DELETE done\r\n");
	ASK(c, "DELETE a/b", "T OK DELETE done\r\n");
	ASK(c, "DELETE a", "T OK DELETE done\r\n");
	ASK(c, "DELETE \"Entw&APw-rfe\"", "T OK DELETE done\r\n");
	client_close(&c);
}

/* The hierarchy of RFC 5258 5, example 1. */
static void fruit(struct client *c)
{
	static const char *const make[] = { "Fruit",         "Fruit/Apple", "Fruit/Banana",
					    "Tofu",          "Vegetable",   "Vegetable/Broccoli",
					    "Vegetable/Corn" };
	static const char *const remove[] = { "Drafts", "Sent", "Junk", "Trash", "Archive" };
	char line[128];

	CHECK(has(ask(c, "LIST \"\" *"), "* LIST (\\HasNoChildren \\Junk) \"/\" \"Junk\"\r\n"));
	for (size_t i = 0; i < LENGTH(remove); i++) {
		snprintf(line, sizeof line, "DELETE %s", remove[i]);
		ASK(c, line, "T OK DELETE done\r\n");
		snprintf(line, sizeof line, "UNSUBSCRIBE %s", remove[i]);
		ASK(c, line, "T OK UNSUBSCRIBE done\r\n");
	}
	ASK(c, "UNSUBSCRIBE INBOX", "T OK UNSUBSCRIBE done\r\n");
	for (size_t i = 0; i < LENGTH(make); i++) {
		snprintf(line, sizeof line, "CREATE %s", make[i]);
		ASK(c, line, "T OK CREATE done\r\n");
		snprintf(line, sizeof line, "UNSUBSCRIBE %s", make[i]);
		ASK(c, line, "T OK UNSUBSCRIBE done\r\n");
	}
	ASK(c, "SUBSCRIBE Fruit/Banana", "T OK SUBSCRIBE done\r\n");
	ASK(c, "SUBSCRIBE Fruit/Peach", "T OK SUBSCRIBE done\r\n");
	ASK(c, "SUBSCRIBE Vegetable", "T OK SUBSCRIBE done\r\n");
	ASK(c, "SUBSCRIBE Vegetable/Broccoli", "T OK SUBSCRIBE done\r\n");
	ASK(c, "SUBSCRIBE Gone/Deep/Down", "T OK SUBSCRIBE done\r\n");
}

static void lists(struct client *c)
{
	ASK(c, "LIST \"\" \"\"", "* LIST (\\Noselect) \"/\" \"\"\r\nT OK LIST done\r\n");
	ASK(c, "LIST Fruit \"\"", "* LIST (\\Noselect) \"/\" \"\"\r\nT OK LIST done\r\n");
	ASK(c, "LIST () \"\" (\"\")", "T OK LIST done\r\n");
	ASK(c, "LIST \"\" %",
	    "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
	    "* LIST (\\HasChildren) \"/\" \"Fruit\"\r\n"
	    "* LIST (\\HasNoChildren) \"/\" \"Tofu\"\r\n"
	    "* LIST (\\HasChildren) \"/\" \"Vegetable\"\r\n"
	    "T OK LIST done\r\n");
	ASK(c, "LIST Fruit/ %",
	    "* LIST (\\HasNoChildren) \"/\" \"Fruit/Apple\"\r\n"
	    "* LIST (\\HasNoChildren) \"/\" \"Fruit/Banana\"\r\n"
	    "T OK LIST done\r\n");
	ASK(c, "LIST \"\" inbox", "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\nT OK LIST done\r\n");
	ASK(c, "LIST \"\" \"*&x*\"", "T OK LIST done\r\n");
}

static void extended(struct client *c)
{
	/* example 2, and a subscription whose parents are none */
	ASK(c, "LIST (SUBSCRIBED) \"\" *",
	    "* LIST (\\Subscribed \\HasNoChildren) \"/\" \"Fruit/Banana\"\r\n"
	    "* LIST (\\NonExistent \\Noselect \\Subscribed \\HasNoChildren) \"/\" "
	    "\"Fruit/Peach\"\r\n"
	    "* LIST (\\NonExistent \\Noselect \\Subscribed \\HasNoChildren) \"/\" "
	    "\"Gone/Deep/Down\"\r\n"
	    "* LIST (\\Subscribed \\HasChildren) \"/\" \"Vegetable\"\r\n"
	    "* LIST (\\Subscribed \\HasNoChildren) \"/\" \"Vegetable/Broccoli\"\r\n"
	    "T OK LIST done\r\n");
	/* example 6: the return option selects nothing */
	CHECK(lacks(ask(c, "LIST (REMOTE) \"\" * RETURN (SUBSCRIBED)"), "Peach"));
	CHECK(has(ask(c, "LIST (REMOTE) \"\" * RETURN (SUBSCRIBED)"),
		  "* LIST (\\Subscribed \\HasNoChildren) \"/\" \"Fruit/Banana\"\r\n"));
	/* example 7 */
	ASK(c, "LIST \"\" (\"INBOX\" \"Tofu\" \"Vegetable/%\" \"T%\")",
	    "* LIST (\\HasNoChildren) \"/\" \"INBOX\"\r\n"
	    "* LIST (\\HasNoChildren) \"/\" \"Tofu\"\r\n"
	    "* LIST (\\HasNoChildren) \"/\" \"Vegetable/Broccoli\"\r\n"
	    "* LIST (\\HasNoChildren) \"/\" \"Vegetable/Corn\"\r\n"
	    "T OK LIST done\r\n");
	/* example 8 */
	ASK(c, "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" %",
	    "* LIST (\\HasChildren) \"/\" \"Fruit\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
	    "* LIST (\\NonExistent \\Noselect \\HasNoChildren) \"/\" \"Gone\" (\"CHILDINFO\" "
	    "(\"SUBSCRIBED\"))\r\n"
	    "* LIST (\\Subscribed \\HasChildren) \"/\" \"Vegetable\" (\"CHILDINFO\" "
	    "(\"SUBSCRIBED\"))\r\n"
	    "T OK LIST done\r\n");
	/* A parent whose children are told needs no telling of its own: RFC 5258 3.5 */
	CHECK(lacks(ask(c, "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" *"), "\"Fruit\""));
	CHECK(has(ask(c, "LIST (RECURSIVEMATCH) \"\" *"), "T BAD usage"));
}

/* RFC 5819 3: each that can be selected, none that is told for what is below it. */
static void list_status(struct client *c)
{
	ASK(c, "LIST (SUBSCRIBED) \"\" Fruit/* RETURN (STATUS (MESSAGES SIZE))",
	    "* LIST (\\Subscribed \\HasNoChildren) \"/\" \"Fruit/Banana\"\r\n"
	    "* STATUS \"Fruit/Banana\" (MESSAGES 0 SIZE 0)\r\n"
	    "* LIST (\\NonExistent \\Noselect \\Subscribed \\HasNoChildren) \"/\" "
	    "\"Fruit/Peach\"\r\n"
	    "T OK LIST done\r\n");
	ASK(c, "LIST (SUBSCRIBED RECURSIVEMATCH) \"\" (Fruit Vegetable) RETURN (STATUS (UNSEEN))",
	    "* LIST (\\HasChildren) \"/\" \"Fruit\" (\"CHILDINFO\" (\"SUBSCRIBED\"))\r\n"
	    "* LIST (\\Subscribed \\HasChildren) \"/\" \"Vegetable\" (\"CHILDINFO\" "
	    "(\"SUBSCRIBED\"))\r\n"
	    "* STATUS \"Vegetable\" (UNSEEN 0)\r\n"
	    "T OK LIST done\r\n");
	CHECK(has(ask(c, "LIST \"\" * RETURN (STATUS ())"), "T BAD usage"));
	CHECK(has(ask(c, "LIST \"\" * RETURN (STATUS)"), "T BAD usage"));
	CHECK(has(ask(c, "LIST (STATUS (UNSEEN)) \"\" *"), "T BAD usage"));
}

static void lsub(struct client *c)
{
	ASK(c, "LSUB \"\" *",
	    "* LSUB () \"/\" \"Fruit/Banana\"\r\n"
	    "* LSUB (\\Noselect) \"/\" \"Fruit/Peach\"\r\n"
	    "* LSUB (\\Noselect) \"/\" \"Gone/Deep/Down\"\r\n"
	    "* LSUB () \"/\" \"Vegetable\"\r\n"
	    "* LSUB () \"/\" \"Vegetable/Broccoli\"\r\n"
	    "T OK LSUB done\r\n");
	ASK(c, "LSUB \"\" %",
	    "* LSUB (\\Noselect) \"/\" \"Fruit\"\r\n"
	    "* LSUB (\\Noselect) \"/\" \"Gone\"\r\n"
	    "* LSUB () \"/\" \"Vegetable\"\r\n"
	    "T OK LSUB done\r\n");
	ASK(c, "LSUB \"\" \"\"", "* LSUB (\\Noselect) \"/\" \"\"\r\nT OK LSUB done\r\n");
}

static void parents(struct client *c)
{
	/* A parent that was deleted is a level of the hierarchy still. */
	ASK(c, "DELETE Vegetable", "T OK DELETE done\r\n");
	CHECK(has(ask(c, "LIST \"\" %"),
		  "* LIST (\\NonExistent \\Noselect \\HasChildren) \"/\" \"Vegetable\"\r\n"));
	CHECK(has(ask(c, "SELECT Vegetable"), "T NO [NONEXISTENT]"));
	CHECK(has(ask(c, "STATUS Vegetable (MESSAGES)"), "T NO [NONEXISTENT]"));
	ASK(c, "CREATE Sent (USE (\\Sent))", "T OK CREATE done\r\n");
	ASK(c, "LIST (SPECIAL-USE) \"\" *",
	    "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent\"\r\nT OK LIST done\r\n");
	ASK(c, "CREATE \"&AOQ-/x\"", "T OK CREATE done\r\n");
	CHECK(has(ask(c, "LIST \"\" \"&AOQ-/%\""), "\"/\" \"&AOQ-/x\"\r\n"));
	CHECK(has(ask(c, "LIST \"&AOQ-\" \"*\""), "\"/\" \"&AOQ-/x\"\r\n"));
}

static void status_and_select(void)
{
	struct client *c = client_new("alice");

	CHECK(append(c, "INBOX", "", "Subject: 1\n\nx\n") > 0);
	CHECK(append(c, "INBOX", "(\\Seen $Label)", "Subject: 2\n\nx\n") > 0);
	ASK(c, "STATUS INBOX (UNSEEN MESSAGES RECENT UIDNEXT APPENDLIMIT MESSAGES)",
	    "* STATUS \"INBOX\" (UNSEEN 1 MESSAGES 2 RECENT 2 UIDNEXT 3 APPENDLIMIT 1048576)\r\n"
	    "T OK STATUS done\r\n");
	CHECK(has(ask(c, "STATUS INBOX (UIDVALIDITY)"), "* STATUS \"INBOX\" (UIDVALIDITY "));
	CHECK(has(ask(c, "STATUS INBOX ()"), "T BAD usage"));
	CHECK(has(ask(c, "STATUS INBOX (SIZES)"), "T BAD usage"));
	/* RFC 8438 2, RFC 9208 4.1.4 */
	ASK(c, "STATUS INBOX (SIZE DELETED DELETED-STORAGE)",
	    "* STATUS \"INBOX\" (SIZE 34 DELETED 0 DELETED-STORAGE 0)\r\nT OK STATUS done\r\n");
	CHECK(has(ask(c, "STATUS INBOX MESSAGES"), "T BAD usage"));
	CHECK(has(ask(c, "STATUS nix (MESSAGES)"), "T NO [NONEXISTENT]"));

	struct str s = ask(c, "EXAMINE INBOX");

	CHECK(has(s, "* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Label)\r\n"));
	CHECK(has(s, "* OK [PERMANENTFLAGS ()] "));
	CHECK(has(s, "* 2 EXISTS\r\n* 2 RECENT\r\n* OK [UNSEEN 1] "));
	CHECK(has(s, "* OK [UIDNEXT 3] "));
	CHECK(has(s, "T OK [READ-ONLY] EXAMINE done\r\n"));
	CHECK(has(ask(c, "STORE 1 FLAGS (\\Seen)"), "T NO the mailbox was opened with EXAMINE"));
	CHECK(has(ask(c, "EXPUNGE"), "T NO the mailbox was opened with EXAMINE"));
	CHECK(has(ask(c, "MOVE 1 Trash"), "T NO the mailbox was opened with EXAMINE"));
	CHECK(has(ask(c, "FETCH 1 BODY[]"),
		  "* 1 FETCH (BODY[] {17}\r\nSubject: 1\r\n\r\nx\r\n)\r\nT OK"));
	ASK(c, "UNSELECT", "T OK UNSELECT done\r\n");
	s = ask(c, "SELECT inbox");
	CHECK(has(s, "* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft $Label "
		     "\\*)] "));
	CHECK(has(s, "* 2 RECENT\r\n"));
	CHECK(has(s, "T OK [READ-WRITE] SELECT done\r\n"));
	CHECK(has(ask(c, "SELECT inbox"), "* 0 RECENT\r\n")); /* they were this session's once */
	/* A failed SELECT leaves nothing selected. */
	CHECK(has(ask(c, "SELECT nix"), "T NO [NONEXISTENT]"));
	ASK(c, "FETCH 1 FLAGS", "T BAD select a mailbox first\r\n");
	/* One's own mailbox, deleted while open */
	ASK(c, "CREATE tmp", "T OK CREATE done\r\n");
	CHECK(has(ask(c, "SELECT tmp"), "T OK"));
	ASK(c, "DELETE tmp", "T OK DELETE done\r\n");
	ASK(c, "CHECK", "T BAD select a mailbox first\r\n");
	/* CLOSE expunges and tells nothing, UNSELECT does not. */
	CHECK(has(ask(c, "SELECT INBOX"), "T OK"));
	CHECK(has(ask(c, "STORE 1 +FLAGS.SILENT \\Deleted"), "T OK STORE done"));
	ASK(c, "UNSELECT", "T OK UNSELECT done\r\n");
	ASK(c, "STATUS INBOX (SIZE DELETED DELETED-STORAGE)",
	    "* STATUS \"INBOX\" (SIZE 34 DELETED 1 DELETED-STORAGE 17)\r\nT OK STATUS done\r\n");
	CHECK(has(ask(c, "SELECT INBOX"), "* 2 EXISTS"));
	ASK(c, "CHECK", "T OK CHECK done\r\n");
	ASK(c, "CLOSE", "T OK CLOSE done\r\n");
	CHECK(has(ask(c, "SELECT INBOX"), "* 1 EXISTS"));
	client_close(&c);
}

/* RFC 9208 4.1 */
static void quotas(void)
{
	struct client *c;

	quota = 0;
	c = client_new("alice");
	ASK(c, "GETQUOTAROOT INBOX", "* QUOTAROOT \"INBOX\"\r\nT OK GETQUOTAROOT done\r\n");
	CHECK(has(ask(c, "GETQUOTA \"\""), "T NO [NONEXISTENT]"));
	client_close(&c);
	quota = 10240;
	c = client_new("alice");
	ASK(c, "CREATE &AOQ-", "T OK CREATE done\r\n");
	CHECK(append(c, "&AOQ-", "", "Subject: 17 octets\n\nx\n") > 0);
	ASK(c, "GETQUOTAROOT &AOQ-",
	    "* QUOTAROOT \"&AOQ-\" \"\"\r\n* QUOTA \"\" (STORAGE 1 10)\r\n"
	    "T OK GETQUOTAROOT done\r\n");
	ASK(c, "GETQUOTAROOT none",
	    "* QUOTAROOT \"none\" \"\"\r\n* QUOTA \"\" (STORAGE 1 10)\r\n"
	    "T OK GETQUOTAROOT done\r\n");
	ASK(c, "GETQUOTA \"\"", "* QUOTA \"\" (STORAGE 1 10)\r\nT OK GETQUOTA done\r\n");
	CHECK(has(ask(c, "GETQUOTA other"), "T NO [NONEXISTENT]"));
	CHECK(has(ask(c, "GETQUOTA"), "T BAD usage"));
	CHECK(has(ask(c, "GETQUOTAROOT a//b"), "T NO [CANNOT]"));
	CHECK(has(ask(c, "GETQUOTAROOT"), "T BAD usage"));
	ASK(c, "SETQUOTA \"\" (STORAGE 99)", "T NO [NOPERM] quotas are set by the operator\r\n");
	CHECK(has(ask(c, "SETQUOTA"), "T BAD usage"));
	client_close(&c);
	c = client_new(NULL);
	CHECK(has(ask(c, "GETQUOTAROOT INBOX"), "T BAD log in first"));
	client_close(&c);
	quota = 0;
}

static void tests(void)
{
	names();
	struct client *c = client_new("bob");

	fruit(c);
	lists(c);
	extended(c);
	list_status(c);
	lsub(c);
	parents(c);
	client_close(&c);
	status_and_select();
	quotas();
}

int main(int argc, char **argv)
{
	return dialog_main(tests, argc, argv);
}
