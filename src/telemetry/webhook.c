/* SPDX-License-Identifier: MIT */
#include "telemetry/webhook.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool webhook_sign(
    char field[WEBHOOK_FIELD_MAX], const char *secret, const char *body, size_t len, int64_t now_s)
{
	unsigned char mac[EVP_MAX_MD_SIZE];
	unsigned mac_len = 0;
	char *message = malloc(len + 32);
	int head, at;

	if (!message)
		return false;
	head = snprintf(message, 32, "%lld.", (long long)now_s);
	memcpy(message + head, body, len);
	if (!HMAC(EVP_sha256(), secret, (int)strlen(secret), (unsigned char *)message,
		(size_t)head + len, mac, &mac_len)) {
		free(message);
		return false;
	}
	free(message);
	at = snprintf(field, WEBHOOK_FIELD_MAX, "x-embed-signature: t=%lld,v1=", (long long)now_s);
	for (unsigned i = 0; i < mac_len; i++)
		at += snprintf(field + at, 3, "%02x", mac[i]);
	return true;
}
