/* SPDX-License-Identifier: MIT */
/*
 * Float text: 32-bit floats to decimal and back, exactly.
 *
 * Reading gives the float nearest to the decimal, ties to even, as strtof does
 * in the C locale; writing gives the shortest decimal that reads back as the
 * same float, the nearest such one (Schubfach, R. Giulietti 2021).  Neither
 * looks at the locale.  Threads: any.
 */
#ifndef WIRE_FLOAT_TEXT_H
#define WIRE_FLOAT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that any number needs, in either style. */
#define FLOAT_TEXT_CAP 40

enum float_style {
	FLOAT_PLAIN,   /* layout A: 0.0000011222661, 0; exponents below 1e-6 and from 1e21 */
	FLOAT_COMPACT, /* layout B: 8.761883e-6, 0.0; exponents below 1e-5 and from 1e16 */
};

/* Shortest text of a finite number; no NUL.  Gives the length. */
size_t float_text_write(char text[FLOAT_TEXT_CAP], float value, enum float_style style);

/*
 * A number that a 16-bit float holds exactly, as layout B prints it: the
 * shortest text of the 64-bit float (0.0209503173828125).  Any other number as
 * float_text_write does.
 */
size_t float_text_write_half(char text[FLOAT_TEXT_CAP], float value);

/*
 * Reads the JSON number at the start of `text`.  Gives the characters used, or
 * 0 when there is no complete JSON number there.  Beyond the largest float the
 * value is infinity.  A number that ends where `len` ends is taken as complete.
 */
size_t float_text_read(const char *text, size_t len, float *value);

#endif
