/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocatee.h - what the owner of pages has to remember about them
 *
 * A struct page of 64 bytes holds its owner's state: an LRU link, a mapping, a
 * reference count. A descriptor of 16 or 8 bytes does not; there each
 * allocation gets an object of its own beside it, from a slab. Designs are
 * only compared fairly when that object is paid for.
 *
 *    alloc order 2 --> class --> object       objects live in slab pages:
 *    gfp, migratetype,  anon      80 bytes    [o|o|o| ... 51 of them |-]
 *    process                                   4096 bytes + 64 for itself
 *
 * So n objects of s bytes take ceil(n / floor(4096 / s)) slab pages, and each
 * slab page its own struct slab on top: s' = (4096 + 64) / floor(4096 / s)
 * bytes an object when slabs are full, 81.6 for 80.
 *
 * Which class an allocation is comes from rules, which object a class needs
 * from sizes; both are lines of text that a file may replace:
 *
 *    rule CLASS FLAGS ORDERS MIGRATETYPE PROCESS
 *    size CLASS BYTES
 *
 * FLAGS are gfp names without underscores that must be set, with ! that must
 * not be; ORDERS is N or N-M; MIGRATETYPE a name; PROCESS a pattern as of a
 * shell. "-" stands for any. The first rule that fits decides.
 */
#ifndef PAGETAX_SIM_METRICS_ALLOCATEE_H
#define PAGETAX_SIM_METRICS_ALLOCATEE_H

#include "base/msg.h"
#include "base/types.h"

/* x(name, what it is) */
#define ALLOCATEES(x)                                                       \
	x(file,    "page cache: a folio of a file")                         \
	x(anon,    "anonymous memory: a folio of a process")                \
	x(slab,    "kernel objects: a slab")                                \
	x(pgtable, "page tables")                                           \
	x(percpu,  "per-CPU chunks: pages without an object of their own")  \
	x(network, "network buffers")                                       \
	x(bare,    "drivers, vmalloc, kernel text: no object")

enum allocatee {
#define ALLOCATEE_ENUM(name, what) ALLOCATEE_##name,
	ALLOCATEES(ALLOCATEE_ENUM)
#undef ALLOCATEE_ENUM
	NR_ALLOCATEES,

	/* In a snapshot: a page inside somebody's block, with no state of its own. */
	ALLOCATEE_tail = NR_ALLOCATEES,
};

extern const char *const allocatee_names[NR_ALLOCATEES];
extern const char *const allocatee_help[NR_ALLOCATEES];

#define ALLOCATEE_PROCESS_LEN 32
#define ALLOCATEE_MAX_RULES   128
#define ALLOCATEE_ANY         0xff

struct allocatee_rule {
	uint32_t set;			/* gfp bits that must be set */
	uint32_t clear;			/* and that must not be */
	uint8_t class;			/* enum allocatee */
	uint8_t min_order, max_order;
	uint8_t migratetype;		/* or ALLOCATEE_ANY */
	char process[ALLOCATEE_PROCESS_LEN];	/* a pattern; "" for any */
};

struct allocatee_table {
	char name[256];			/* as the user chose it */
	unsigned int bytes[NR_ALLOCATEES];	/* 0: no object */
	struct allocatee_rule rules[ALLOCATEE_MAX_RULES];
	unsigned int nr_rules;
};

/* Names of the tables that need no file, with bars between them. */
#define ALLOCATEE_TABLES "today|2025|32bit"

/*
 * A table by its name, or from a file: its sizes change those of `today`, and
 * its rules, if it has any, replace all the built-in ones. 0, or a negative
 * errno with a message that names file and line and what was expected.
 */
int allocatee_table_load(struct allocatee_table *table, const char *name,
			 struct msg *msg);

/* What an allocation is for; `process` may be "". */
enum allocatee allocatee_classify(const struct allocatee_table *table,
				  uint32_t gfp, unsigned int order,
				  unsigned int migratetype, const char *process);

/* What a page in use is for, or ALLOCATEE_tail, from its /proc/kpageflags. */
enum allocatee allocatee_of_kpageflags(uint64_t flags);

/* Objects of this class in one slab page; 0 when it has none. */
unsigned int allocatee_per_slab(const struct allocatee_table *table,
				enum allocatee class);

/* Bytes of the slab pages that hold nr objects, each page's own slab included. */
uint64_t allocatee_bytes(const struct allocatee_table *table,
			 enum allocatee class, uint64_t nr);

/* s' above: bytes an object when slabs are full. */
double allocatee_rounded(const struct allocatee_table *table,
			 enum allocatee class);

#endif
