/* SPDX-License-Identifier: MIT */
#include "http/harness.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

struct files {
	char folder[32];
	char cert[64];
	char key[64];
};

static void make_folder(struct files *files)
{
	strcpy(files->folder, "/tmp/http-tls-XXXXXX");
	assert_non_null(mkdtemp(files->folder));
	snprintf(files->cert, sizeof(files->cert), "%s/cert.pem", files->folder);
	snprintf(files->key, sizeof(files->key), "%s/key.pem", files->folder);
}

static void remove_files(struct files *files)
{
	unlink(files->cert);
	unlink(files->key);
	rmdir(files->folder);
}

/* A certificate that signs itself, with this serial number. */
static void write_certificate(struct files *files, long serial)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();
	FILE *file;

	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	file = fopen(files->cert, "w");
	assert_int_equal(PEM_write_X509(file, cert), 1);
	fclose(file);
	file = fopen(files->key, "w");
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	X509_free(cert);
	EVP_PKEY_free(key);
}

/* Asks over TLS and reads to the end; the serial of the certificate shown. */
static long ask(const struct harness *harness, const char *request, char *out, size_t cap)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	int fd = harness_connect(harness);
	X509 *cert;
	size_t len = 0;
	long serial;
	int got;

	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1)
		fail_msg("no TLS connection");
	cert = SSL_get1_peer_certificate(ssl);
	serial = ASN1_INTEGER_get(X509_get_serialNumber(cert));
	assert_int_equal(SSL_write(ssl, request, (int)strlen(request)), (int)strlen(request));
	while ((got = SSL_read(ssl, out + len, (int)(cap - 1 - len))) > 0)
		len += (size_t)got;
	assert_int_equal(SSL_get_error(ssl, got), SSL_ERROR_ZERO_RETURN); /* closed, not cut */
	out[len] = '\0';
	X509_free(cert);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	return serial;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

static void replies_small_and_large_pass_through_tls(void **state)
{
	struct files files;
	struct harness harness = {
	    .options = {.tls_cert_file = files.cert, .tls_key_file = files.key}};
	char *out = malloc(BIG_BYTES + 4096);

	(void)state;
	make_folder(&files);
	write_certificate(&files, 1);
	harness_start(&harness);
	ask(&harness, GET("/park"), out, BIG_BYTES + 4096);
	assert_non_null(strstr(out, "resumed"));
	ask(&harness, GET("/stream"), out, BIG_BYTES + 4096);
	assert_non_null(strstr(out, "1\r\n9\r\n0\r\n\r\n"));
	ask(&harness, GET("/big"), out, BIG_BYTES + 4096);
	assert_int_equal(strspn(strstr(out, "\r\n\r\n") + 4, "b"), BIG_BYTES);
	harness_stop(&harness);
	remove_files(&files);
	free(out);
}

static void a_reload_shows_the_new_certificate_and_a_bad_one_changes_nothing(void **state)
{
	struct files files;
	struct harness harness = {
	    .options = {.tls_cert_file = files.cert, .tls_key_file = files.key}};
	struct embed_error error;
	char out[4096];

	(void)state;
	make_folder(&files);
	write_certificate(&files, 1);
	harness_start(&harness);
	assert_int_equal(ask(&harness, GET("/"), out, sizeof(out)), 1);
	write_certificate(&files, 2);
	assert_int_equal(ask(&harness, GET("/"), out, sizeof(out)), 1);
	assert_int_equal(http_server_reload_tls(harness.server, &error), EMBED_OK);
	assert_int_equal(ask(&harness, GET("/"), out, sizeof(out)), 2);
	unlink(files.key);
	assert_int_equal(http_server_reload_tls(harness.server, &error), EMBED_BAD_OPTION);
	assert_non_null(strstr(error.message, files.key));
	assert_int_equal(ask(&harness, GET("/"), out, sizeof(out)), 2);
	harness_stop(&harness);
	remove_files(&files);
}

static void plain_bytes_on_a_tls_port_are_dropped(void **state)
{
	struct files files;
	struct harness harness = {
	    .options = {.tls_cert_file = files.cert, .tls_key_file = files.key}};
	char out[4096];

	(void)state;
	make_folder(&files);
	write_certificate(&files, 1);
	harness_start(&harness);
	harness_ask(&harness, GET("/"), sizeof(GET("/")) - 1, 4096, out, sizeof(out));
	assert_null(strstr(out, "hello"));
	assert_int_equal(harness.seen, 0);
	harness_stop(&harness);
	remove_files(&files);
}

/* More replies than the kernel holds for the two of them. */
#define PIPELINED 80000

/* Whether SSL_read or SSL_write waits for the other side. */
static bool waits(SSL *ssl, int result)
{
	int why = SSL_get_error(ssl, result);

	return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE;
}

static bool is_ready(int fd, short events)
{
	struct pollfd wanted = {fd, events, 0};

	return poll(&wanted, 1, 300) > 0;
}

/* Writes until nothing more is taken: the server's replies fill what there is between the two. */
static size_t write_some(SSL *ssl, const char *request, size_t left)
{
	size_t count = 0;

	while (count < left) {
		int put = SSL_write(ssl, request, (int)strlen(request));

		if (put > 0)
			count++;
		else if (!waits(ssl, put) || !is_ready(SSL_get_fd(ssl), POLLOUT))
			break;
	}
	return count;
}

/* Counts the "hello"s that have come, also one that two reads share. */
static size_t read_some(SSL *ssl, size_t *matched)
{
	static const char word[] = "hello";
	char bytes[16384];
	size_t count = 0;
	int got;

	while ((got = SSL_read(ssl, bytes, sizeof(bytes))) > 0 ||
	       (waits(ssl, got) && is_ready(SSL_get_fd(ssl), POLLIN)))
		for (int i = 0; i < got; i++) {
			*matched = bytes[i] == word[*matched] ? *matched + 1 : bytes[i] == 'h';
			if (word[*matched] == '\0') {
				*matched = 0;
				count++;
			}
		}
	return count;
}

static void a_client_that_reads_late_gets_each_of_its_pipelined_replies(void **state)
{
	struct files files;
	struct harness harness = {
	    .options = {.tls_cert_file = files.cert, .tls_key_file = files.key}};
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(context);
	size_t asked = 0, answered = 0, matched = 0, before;
	int fd;

	(void)state;
	make_folder(&files);
	write_certificate(&files, 1);
	harness_start(&harness);
	fd = harness_connect(&harness);
	SSL_set_fd(ssl, fd);
	assert_int_equal(SSL_connect(ssl), 1);
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
	do {
		before = answered;
		asked +=
		    write_some(ssl, "GET /buffer HTTP/1.1\r\nHost: a\r\n\r\n", PIPELINED - asked);
		answered += read_some(ssl, &matched);
	} while (answered > before && answered < PIPELINED);
	assert_int_equal(answered, PIPELINED);
	SSL_free(ssl);
	SSL_CTX_free(context);
	close(fd);
	harness_stop(&harness);
	remove_files(&files);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_small_and_large_pass_through_tls),
	    cmocka_unit_test(a_reload_shows_the_new_certificate_and_a_bad_one_changes_nothing),
	    cmocka_unit_test(a_client_that_reads_late_gets_each_of_its_pipelined_replies),
	    cmocka_unit_test(plain_bytes_on_a_tls_port_are_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
