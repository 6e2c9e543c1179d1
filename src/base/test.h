/* SPDX-License-Identifier: MIT */
/* Test: what every unit test includes first (cmocka wants these headers before its own). */
#ifndef BASE_TEST_H
#define BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 1 under AddressSanitizer and ThreadSanitizer, where forking is some fifty times slower. */
#define TEST_IS_SANITIZED 0
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#undef TEST_IS_SANITIZED
#define TEST_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#undef TEST_IS_SANITIZED
#define TEST_IS_SANITIZED 1
#endif
#endif

#endif
