/* SPDX-License-Identifier: MIT */
/* Whom the engine trusts: a TLS server whose certificate signs itself. */
#include "base/test.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "engine/engine.h"
#include "http/http.h"

struct rig {
	char folder[32], cert[64], key[64], base_url[64];
	struct http_server *server;
	struct engine *engine;
	struct embed_upstream upstream;
	atomic_int requests;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool has_ended; /* guarded by `lock`, as what follows */
	enum embed_status status;
	struct embed_error error;
};

static void write_file(const char *path, EVP_PKEY *key, X509 *cert)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	if (cert)
		assert_int_equal(PEM_write_X509(file, cert), 1);
	else
		assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
}

static void make_certificate(struct rig *rig)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = X509_new();

	strcpy(rig->folder, "/tmp/engine-tls-XXXXXX");
	assert_non_null(mkdtemp(rig->folder));
	snprintf(rig->cert, sizeof(rig->cert), "%s/cert.pem", rig->folder);
	snprintf(rig->key, sizeof(rig->key), "%s/key.pem", rig->folder);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -60);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
	    (const unsigned char *)"localhost", -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(cert));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	write_file(rig->cert, key, cert);
	write_file(rig->key, key, NULL);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void on_request(struct http_exchange *exchange, void *context)
{
	static const char reply[] =
	    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":[1,0],"
	    "\"index\":0}],\"model\":\"m\",\"usage\":{\"prompt_tokens\":1,\"total_tokens\":1}}";
	struct rig *rig = context;

	rig->requests++;
	http_reply(exchange, 200, "application/json", reply, sizeof(reply) - 1);
}

static void on_record(struct engine_record *record, void *context)
{
	struct rig *rig = context;

	engine_recorded(rig->engine, record, EMBED_OK);
}

static void on_text(void *context, size_t index, const struct engine_outcome *outcome)
{
	struct rig *rig = context;

	(void)index;
	pthread_mutex_lock(&rig->lock);
	rig->status = outcome->status;
	if (outcome->error)
		rig->error = *outcome->error;
	pthread_mutex_unlock(&rig->lock);
}

static void on_done(void *context)
{
	struct rig *rig = context;

	pthread_mutex_lock(&rig->lock);
	rig->has_ended = true;
	pthread_cond_signal(&rig->ended);
	pthread_mutex_unlock(&rig->lock);
}

static void start(struct rig *rig, bool is_trusted)
{
	static const char *const listen[] = {"127.0.0.1:0"};
	const struct http_options http = {.listen = listen,
	    .listen_count = 1,
	    .tls_cert_file = rig->cert,
	    .tls_key_file = rig->key,
	    .on_request = on_request,
	    .context = rig};
	const struct engine_hooks hooks = {.record = on_record, .context = rig};
	struct engine_options options = {.upstreams = &rig->upstream,
	    .upstream_count = 1,
	    .max_attempts = 1,
	    .retry_deadline_ms = 10000,
	    .retry_budget_percent = 20,
	    .connect_timeout_ms = 5000,
	    .first_byte_timeout_ms = 5000,
	    .idle_timeout_ms = 5000};
	struct embed_error error;

	if (http_server_start(&rig->server, &http, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	snprintf(rig->base_url, sizeof(rig->base_url), "https://localhost:%u/v1",
	    http_server_port(rig->server));
	rig->upstream = (struct embed_upstream){.name = "tls",
	    .base_url = rig->base_url,
	    .ca_file = is_trusted ? rig->cert : NULL,
	    .share = 1,
	    .batch_texts = 1,
	    .batch_tokens = 100,
	    .batch_bytes = 10000,
	    .max_in_flight = 1};
	if (engine_open(&rig->engine, &options, &hooks, &error) != EMBED_OK)
		fail_msg("%s", error.message);
}

static void ask_and_stop(struct rig *rig)
{
	const struct engine_job_spec spec = {.model = "m"};
	const struct engine_text text = {.bytes = "a", .len = 1, .tokens = 1};
	const struct engine_callbacks callbacks = {on_text, on_done, rig};

	assert_int_equal(
	    engine_submit(rig->engine, &spec, &text, 1, &callbacks, NULL, NULL), EMBED_OK);
	pthread_mutex_lock(&rig->lock);
	while (!rig->has_ended)
		pthread_cond_wait(&rig->ended, &rig->lock);
	pthread_mutex_unlock(&rig->lock);
	engine_close(rig->engine);
	http_server_stop(rig->server);
	unlink(rig->cert);
	unlink(rig->key);
	rmdir(rig->folder);
}

static void nothing_is_sent_to_a_server_that_nobody_vouches_for(void **state)
{
	struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

	(void)state;
	make_certificate(&rig);
	start(&rig, false);
	ask_and_stop(&rig);
	assert_int_equal(rig.status, EMBED_UPSTREAM);
	assert_non_null(strstr(rig.error.message, "ca_file"));
	assert_int_equal(rig.requests, 0);
}

static void a_server_that_the_ca_file_vouches_for_is_trusted(void **state)
{
	struct rig rig = {.lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};

	(void)state;
	make_certificate(&rig);
	start(&rig, true);
	ask_and_stop(&rig);
	if (rig.status != EMBED_OK)
		fail_msg("%s", rig.error.message);
	assert_int_equal(rig.requests, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_sent_to_a_server_that_nobody_vouches_for),
	    cmocka_unit_test(a_server_that_the_ca_file_vouches_for_is_trusted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
