/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario_reader.h - what the parts that read a scenario share
 *
 *    file --ini_file--> section, key, value --table of keys--> setters
 *                                                    |
 *                          finish: what depends on the whole
 *
 *    scenario.c          sections, lines, includes, and the order of it all
 *    scenario_machine.c  [machine]
 *    scenario_class.c    [class] and [template]: their keys
 *    scenario_check.c    whether a class can be, and what follows from it
 *    scenario_phase.c    [phase]; its keys that name classes wait for the end
 */
#ifndef PAGETAX_SIM_WORKLOAD_SCENARIO_READER_H
#define PAGETAX_SIM_WORKLOAD_SCENARIO_READER_H

#include <nettle/sha2.h>

#include "sim/workload/scenario.h"

#define MAX_LATE_KEYS 1024

enum zones_kind { ZONES_PC, ZONES_FLAT, ZONES_PAE };

/* A key of a phase that names classes, which may come further down. */
struct late_key {
	const char *file;
	unsigned int line;
	unsigned int phase;
	char key[2 * SCENARIO_NAME_MAX];
	char *value;
};

struct scenario_reader {
	struct scenario *s;
	struct msg *msg;
	double scale;
	struct sha256_ctx sha256;
	unsigned int depth;		/* of includes */

	/* Where the reader is. */
	const char *file;
	unsigned int line;
	char section[2 * SCENARIO_NAME_MAX];
	unsigned int section_line;
	const struct section_kind *kind;
	struct workload_class *class;	/* of a class or template section */
	bool own_life, own_counts, own_orders;	/* what it inherited is replaced */

	/* [machine], put together at the end. */
	uint64_t memory, highmem_bytes;
	uint64_t lowmem;
	uint64_t cpus;
	enum zones_kind zones;
	enum { HIGH_BY_ZONES, HIGH_NONE, HIGH_ALL, HIGH_ABOVE } highmem;
	unsigned int machine_line;
	const char *machine_file;

	struct workload_class *templates;
	unsigned int nr_templates;
	struct late_key *late;
	unsigned int nr_late;
};

struct scenario_key {
	const char *name;
	int (*set)(struct scenario_reader *r, char *value, struct msg *why);
};

struct section_kind {
	const char *name;
	bool named;			/* [class NAME] */
	int (*begin)(struct scenario_reader *r, const char *name, struct msg *why);
	const struct scenario_key *keys;
	/* Keys that are in no table; NULL: there are none. */
	bool (*is_other)(const char *key);
	int (*other)(struct scenario_reader *r, const char *key, char *value,
		     struct msg *why);
};

/* -ENOMEM, with a message. */
int scenario_no_memory(struct msg *msg);

extern const struct scenario_key machine_keys[];
int machine_begin(struct scenario_reader *r, const char *name, struct msg *why);
int machine_finish(struct scenario_reader *r);

extern const struct scenario_key class_keys[];
int class_begin(struct scenario_reader *r, const char *name, struct msg *why);
int template_begin(struct scenario_reader *r, const char *name, struct msg *why);
void class_free(struct workload_class *c);

/* NULL: there is none of that name. */
struct workload_class *class_find(struct workload_class *classes,
				  unsigned int nr, const char *name);

/* Once the machine and the phases are known. */
int class_finish(struct scenario_reader *r, struct workload_class *c);

extern const struct scenario_key phase_keys[];
int phase_begin(struct scenario_reader *r, const char *name, struct msg *why);

/* Keys that name classes: whether this is one, and what it says for later. */
bool phase_names_classes(const char *key);
int phase_keep(struct scenario_reader *r, const char *key, char *value,
	       struct msg *why);
int phases_finish(struct scenario_reader *r);

#endif
