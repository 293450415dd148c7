/* SPDX-License-Identifier: ISC */
/* keeper/password.c - hashes of passwords: yescrypt, and what users bring from elsewhere. */
#include <crypt.h>
#include <sodium.h>
#include <openssl/evp.h>

#include "base/encode.h"
#include "keeper/password.h"

enum { SALT_MAX = 64, DIGEST_MAX = 64, TEXT_MAX = 512 };

/* Dovecot's schemes that can be checked here; the digest of an empty row is crypt(3)'s. */
static const struct scheme {
	const char *name;
	const char *digest; /* OpenSSL's name, or NULL */
	size_t octets;
	bool salted;
} schemes[] = {
	{ "CRYPT", NULL, 0, false },        { "SHA512-CRYPT", NULL, 0, false },
	{ "SHA256-CRYPT", NULL, 0, false }, { "MD5-CRYPT", NULL, 0, false },
	{ "BLF-CRYPT", NULL, 0, false },    { "SHA", "SHA1", 20, false },
	{ "SHA1", "SHA1", 20, false },      { "SSHA", "SHA1", 20, true },
	{ "SHA256", "SHA256", 32, false },  { "SSHA256", "SHA256", 32, true },
	{ "SHA512", "SHA512", 64, false },  { "SSHA512", "SHA512", 64, true },
};

struct stored {
	const struct scheme *scheme;
	struct str text; /* behind the prefix */
	bool hex;
};

/* "{SCHEME}text", "{SCHEME.hex}text", or a bare crypt(3) hash. */
static bool stored_read(struct str hash, struct stored *out)
{
	*out = (struct stored){ &schemes[0], hash, false };
	if (hash.n == 0 || hash.n > HASH_MAX || memchr(hash.p, 0, hash.n))
		return false;
	if (*hash.p != '{')
		return true;

	struct scan in = scan(hash);
	scan_lit(&in, "{");
	struct str name = scan_until(&in, '}');
	if (in.bad)
		return false;
	if (str_ends(name, S(".hex")) || str_ends(name, S(".HEX"))) {
		out->hex = true;
		name.n -= 4;
	} else if (str_ends(name, S(".b64")) || str_ends(name, S(".B64"))) {
		name.n -= 4;
	}
	out->text = in.rest;
	for (size_t i = 0; i < LENGTH(schemes); i++) {
		out->scheme = &schemes[i];
		if (str_iis(name, schemes[i].name))
			return schemes[i].digest || !out->hex;
	}
	return false;
}

/* Digest and salt of a {SSHA...} text; out has DIGEST_MAX + SALT_MAX octets. */
static bool digest_decode(const struct stored *st, uint8_t *out, size_t *salt)
{
	size_t n = 0;
	int bad;

	if (st->hex)
		bad = sodium_hex2bin(out, DIGEST_MAX + SALT_MAX, st->text.p, st->text.n, NULL, &n,
				     NULL);
	else
		bad = sodium_base642bin(out, DIGEST_MAX + SALT_MAX, st->text.p, st->text.n, NULL,
					&n, NULL, sodium_base64_VARIANT_ORIGINAL);
	if (bad || n < st->scheme->octets)
		return false;
	*salt = n - st->scheme->octets;
	/* libsodium stops at the first octet outside of the alphabet: all must have been read. */
	size_t want = st->hex ? 2 * n : (n + 2) / 3 * 4;
	return st->text.n == want && (st->scheme->salted ? *salt > 0 : *salt == 0);
}

static enum err digest_verify(const struct stored *st, struct str password)
{
	uint8_t kept[DIGEST_MAX + SALT_MAX], made[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	size_t salt;

	if (!digest_decode(st, kept, &salt))
		return E_DENIED;
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const EVP_MD *kind = EVP_get_digestbyname(st->scheme->digest);
	bool good = md && kind && EVP_DigestInit_ex(md, kind, NULL) &&
		    EVP_DigestUpdate(md, password.p, password.n) &&
		    EVP_DigestUpdate(md, kept + st->scheme->octets, salt) &&
		    EVP_DigestFinal_ex(md, made, &n) && n == st->scheme->octets &&
		    sodium_memcmp(made, kept, n) == 0;
	EVP_MD_CTX_free(md);
	sodium_memzero(made, sizeof(made));
	return good ? OK : E_DENIED;
}

/* The hash of password under setting, with a NUL; its work space of 32 KiB is on the heap. */
static bool crypt_text(struct str setting, struct str password, char out[CRYPT_OUTPUT_SIZE])
{
	char key[TEXT_MAX + 1] = { 0 }, set[HASH_MAX + 1] = { 0 };

	if (setting.n > HASH_MAX || password.n > TEXT_MAX ||
	    (password.n && memchr(password.p, 0, password.n)))
		return false;
	if (password.n)
		memcpy(key, password.p, password.n);
	memcpy(set, setting.p, setting.n);

	struct crypt_data *work = NEW(struct crypt_data);
	const char *made = crypt_rn(key, set, work, (int)sizeof(*work));
	size_t n = made && *made != '*' ? strlen(made) : CRYPT_OUTPUT_SIZE;
	if (n < CRYPT_OUTPUT_SIZE)
		memcpy(out, made, n + 1);
	sodium_memzero(work, sizeof(*work));
	sodium_memzero(key, sizeof(key));
	free(work);
	return n < CRYPT_OUTPUT_SIZE;
}

enum err password_hash(struct arena *a, struct str password, struct str *out)
{
	char made[CRYPT_OUTPUT_SIZE];
	char *setting = crypt_gensalt_ra("$y$", 0, NULL, 0);

	if (!setting)
		return E_IO;
	bool good = crypt_text(str_of(setting), password, made);
	free(setting);
	if (!good)
		return E_IO;
	*out = str_dup(a, str_of(made));
	sodium_memzero(made, sizeof(made));
	return OK;
}

enum err password_hash_known(struct str hash, const char **why)
{
	struct stored st;
	uint8_t octets[DIGEST_MAX + SALT_MAX];
	char text[HASH_MAX + 1] = { 0 };
	size_t salt;

	*why = "this hash has a scheme that cannot be checked here; known are every crypt(3) hash "
	       "and {CRYPT}, {SHA512-CRYPT}, {SHA256-CRYPT}, {MD5-CRYPT}, {BLF-CRYPT}, {SHA}, "
	       "{SSHA}, {SHA256}, {SSHA256}, {SHA512}, {SSHA512}";
	if (!stored_read(hash, &st))
		return E_SYNTAX;
	if (st.scheme->digest) {
		*why = "the text behind the scheme is not a digest in base64 or hex of that scheme";
		return digest_decode(&st, octets, &salt) ? OK : E_SYNTAX;
	}
	memcpy(text, st.text.p, st.text.n);
	/* The traditional DES hash has no prefix: any two letters would do for a salt. */
	bool known = *text == '$' || *text == '_' || st.text.n == 13;
	int salted = crypt_checksalt(text);
	return known && (salted == CRYPT_SALT_OK || salted == CRYPT_SALT_METHOD_LEGACY) ? OK
											: E_SYNTAX;
}

enum err password_verify(struct str hash, struct str password)
{
	struct stored st;
	char made[CRYPT_OUTPUT_SIZE];

	if (!stored_read(hash, &st))
		return E_DENIED;
	if (st.scheme->digest)
		return digest_verify(&st, password);
	if (!crypt_text(st.text, password, made))
		return E_DENIED;
	size_t n = strlen(made);
	bool same = n == st.text.n && sodium_memcmp(made, st.text.p, n) == 0;
	sodium_memzero(made, sizeof(made));
	return same ? OK : E_DENIED;
}

bool password_is_own(struct str hash)
{
	return str_starts(hash, S("$y$"));
}
