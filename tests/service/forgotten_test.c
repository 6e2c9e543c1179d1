/* SPDX-License-Identifier: MIT */
/*
 * After embed_close no copy of the API key is left in the process: all of its
 * writable memory is searched.  Upstream is another process, and the key is
 * written down here in another form, so that nothing but the library has it.
 */
#include "base/test.h"

#include <arpa/inet.h>
#include <embed.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/test_folder.h"

#define MASK    0x15
#define KEY_LEN 24

/* "sk-test-forgotten-042ab7", each byte with MASK. */
static const unsigned char masked[KEY_LEN + 1] = "f~8apfa8szgrzaap{8%!'tw\"";

static void unmask(char key[KEY_LEN + 1])
{
	for (size_t i = 0; i < KEY_LEN; i++)
		key[i] = (char)(masked[i] ^ MASK);
	key[KEY_LEN] = '\0';
}

static bool is_key(const unsigned char *at)
{
	for (size_t i = 0; i < KEY_LEN; i++)
		if ((at[i] ^ MASK) != masked[i])
			return false;
	return true;
}

/* How often it occurs; the kernel's own pages that are listed but cannot be read are left out. */
static size_t count_keys(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	size_t count = 0;
	char line[512], mode[8];
	unsigned long start, end;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &start, &end, mode) != 3 ||
		    strncmp(mode, "rw", 2) != 0 || strstr(line, "[v"))
			continue;
		for (const unsigned char *at = (const unsigned char *)start;
		     at + KEY_LEN <= (const unsigned char *)end; at++)
			count += is_key(at);
	}
	fclose(maps);
	return count;
}

/* ---- Upstream, in another process ------------------------------------- */

static const char answer[] =
    "{\"object\":\"list\",\"data\":[{\"object\":\"embedding\",\"embedding\":[1,0],\"index\":0}],"
    "\"model\":\"m\",\"usage\":{\"prompt_tokens\":1,\"total_tokens\":1}}";

/* Up to the end of a body that ends in "}", after the head. */
static bool read_request(int fd, char *bytes, size_t cap)
{
	size_t len = 0;
	ssize_t got;

	while (len + 1 < cap && (got = read(fd, bytes + len, cap - len - 1)) > 0) {
		const char *body;

		len += (size_t)got;
		bytes[len] = '\0';
		body = strstr(bytes, "\r\n\r\n");
		if (body && bytes[len - 1] == '}')
			return true;
	}
	return false;
}

static void serve(int listener)
{
	char key[KEY_LEN + 1], wanted[KEY_LEN + 64], request[16384];

	unmask(key);
	snprintf(wanted, sizeof(wanted), "Authorization: Bearer %s\r\n", key);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		while (read_request(fd, request, sizeof(request)))
			dprintf(fd,
			    "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
			    strstr(request, wanted) ? "200 OK" : "401 Unauthorized", strlen(answer),
			    answer);
		close(fd);
	}
}

static pid_t start_upstream(uint16_t *port)
{
	struct sockaddr_in address = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t child;

	assert_int_equal(bind(listener, (struct sockaddr *)&address, len), 0);
	assert_int_equal(listen(listener, 8), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
		serve(listener);
		_exit(0);
	}
	assert_true(child > 0);
	close(listener);
	return child;
}

/* ---- The test ---------------------------------------------------------- */

static embed_service *open_with_key(const char *home, uint16_t port)
{
	struct embed_options options = EMBED_OPTIONS_INIT;
	struct embed_error error = {0};
	char key[KEY_LEN + 1], base_url[64];
	embed_service *service;

	snprintf(base_url, sizeof(base_url), "http://127.0.0.1:%u/v1", port);
	unmask(key);
	options.home = home;
	options.base_url = base_url;
	options.model = "m";
	options.api_key = key;
	if (embed_open(&service, &options, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	explicit_bzero(key, sizeof(key));
	return service;
}

static void embed_one(embed_service *service, const char *bytes)
{
	const struct embed_text text = {.bytes = bytes, .len = strlen(bytes)};
	struct embed_error error = {0};
	embed_result *result;

	if (embed_texts(service, &text, 1, NULL, &result, &error) != EMBED_OK)
		fail_msg("%s", error.message);
	assert_non_null(embed_result_vector(result, 0, NULL));
	embed_result_destroy(result);
}

static void no_copy_of_the_key_is_left_after_closing(void **state)
{
	struct test_folder folder;
	embed_service *service;
	uint16_t port;
	pid_t upstream;

	(void)state;
	test_folder_make(&folder);
	upstream = start_upstream(&port);
	assert_int_equal(count_keys(), 0);
	service = open_with_key(folder.path, port);
	embed_one(service, "first");
	embed_one(service, "second");
	assert_in_range(count_keys(), 1, 1000);
	embed_close(service);
	assert_int_equal(count_keys(), 0);
	kill(upstream, SIGKILL);
	waitpid(upstream, NULL, 0);
	test_folder_drop(&folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(no_copy_of_the_key_is_left_after_closing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
