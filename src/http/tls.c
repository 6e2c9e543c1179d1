/* SPDX-License-Identifier: MIT */
#include "http/server.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>

#include "base/error.h"

/* OpenSSL's own strings are numbers and library names to most people. */
static const char *reason_of(unsigned long code)
{
	const char *reason = ERR_reason_error_string(code);

	if (ERR_SYSTEM_ERROR(code))
		return strerror(ERR_GET_REASON(code));
	if (ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE)
		return "nothing in PEM form (-----BEGIN ...) is in it";
	return reason ? reason : "OpenSSL does not say why";
}

static enum embed_status fail(struct embed_error *error, const char *what, const char *file)
{
	const char *reason = reason_of(ERR_get_error());

	ERR_clear_error();
	return error_set(
	    error, EMBED_BAD_OPTION, "cannot use the TLS %s %s: %s", what, file, reason);
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *context)
{
	static const unsigned char ours[] = "\x08http/1.1";

	(void)ssl;
	(void)context;
	if (SSL_select_next_proto((unsigned char **)out, out_len, ours, sizeof(ours) - 1, in,
		in_len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	return SSL_TLSEXT_ERR_OK;
}

enum embed_status http_tls_load(
    SSL_CTX **out, const char *cert_file, const char *key_file, struct embed_error *error)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
	enum embed_status status = EMBED_OK;

	if (!tls)
		return error_set(error, EMBED_NO_MEMORY, "out of memory for TLS");
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_options(tls, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(tls, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				  SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_alpn_select_cb(tls, choose_alpn, NULL);
	ERR_clear_error();
	if (SSL_CTX_use_certificate_chain_file(tls, cert_file) != 1)
		status = fail(error, "certificate", cert_file);
	else if (SSL_CTX_use_PrivateKey_file(tls, key_file, SSL_FILETYPE_PEM) != 1)
		status = fail(error, "key", key_file);
	else if (SSL_CTX_check_private_key(tls) != 1)
		status = fail(error, "key, which does not belong to the certificate:", key_file);
	if (status == EMBED_OK)
		*out = tls;
	else
		SSL_CTX_free(tls);
	return status;
}
