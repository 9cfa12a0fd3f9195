/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nearest.c - how many slips of the finger two words are apart
 *
 * A slip is a letter too many, one too few, a wrong one, or two neighbours
 * exchanged; upper and lower case are the same. Up to a third of the word's
 * letters may be slips. With d[i][j] for the first i letters of the word and
 * the first j of the name,
 *
 *    d[i][j] = min  d[i-1][j] + 1, d[i][j-1] + 1, d[i-1][j-1] + (a[i] != b[j]),
 *                   d[i-2][j-2] + 1 where a[i-1] a[i] == b[j] b[j-1]
 *
 * of which three rows are kept.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

#define MAX_LEN 63			/* names are shorter, and what is longer is no slip */

static bool same_letter(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int slips(const char *a, size_t a_len, const char *b, size_t b_len)
{
	unsigned int rows[3][MAX_LEN + 1];

	for (size_t j = 0; j <= b_len; j++)
		rows[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= a_len; i++) {
		const unsigned int *before = rows[(i + 1) % 3], *above = rows[(i - 1) % 3];
		unsigned int *row = rows[i % 3];

		row[0] = (unsigned int)i;
		for (size_t j = 1; j <= b_len; j++) {
			row[j] = above[j - 1] + !same_letter(a[i - 1], b[j - 1]);
			row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) &&
			    same_letter(a[i - 2], b[j - 1]))
				row[j] = least(row[j], before[j - 2] + 1);
		}
	}
	return rows[a_len % 3][b_len];
}

struct nearest nearest_to(const char *word, size_t len)
{
	return (struct nearest){
		.word = word, .len = len,
		.distance = len <= MAX_LEN ? (unsigned int)(len + 1) / 3 : 0,
	};
}

void nearest_try(struct nearest *near, const char *name)
{
	size_t len = strlen(name);
	unsigned int distance;

	names_add(&near->tried, "%s", name);
	if (near->len > MAX_LEN || len > MAX_LEN)
		return;
	distance = slips(near->word, near->len, name, len);
	if (distance < near->distance || (distance == near->distance && !near->name)) {
		near->name = name;
		near->distance = distance;
	}
}

const char *nearest_hint(struct nearest *near)
{
	near->hint[0] = '\0';
	if (near->name)
		snprintf(near->hint, sizeof(near->hint), " (did you mean '%s'?)",
			 near->name);
	return near->hint;
}
