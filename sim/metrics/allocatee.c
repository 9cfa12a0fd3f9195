/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * allocatee.c - rules and sizes, as text
 *
 * The built-in tables are in the language of the user's file and go through
 * the same parser. Rules follow how Linux 6.18 asks for pages:
 *
 *    page cache     by the mapping's flags: WRITE when written, NORETRY when
 *                   read ahead, never FS below a file system
 *    anonymous      HIGHMEM and MOVABLE, zeroed or to be copied into
 *    slab           always COMP and NORETRY; RECLAIMABLE for some caches;
 *                   orders above the least without DIRECT_RECLAIM and with
 *                   NOMEMALLOC
 *    page tables    ACCOUNT and ZERO, one page
 *    sockets        order 3 that may not reclaim, though its flags were
 *                   GFP_KERNEL: the refill of a page fragment
 */
#include <assert.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bits.h"
#include "sim/metrics/allocatee.h"
#include "sim/source/gfp.h"

#define ALLOCATEE_NAME(name, what) #name,
const char *const allocatee_names[NR_ALLOCATEES] = { ALLOCATEES(ALLOCATEE_NAME) };
#define ALLOCATEE_HELP(name, what) what,
const char *const allocatee_help[NR_ALLOCATEES] = { ALLOCATEES(ALLOCATEE_HELP) };

static const char builtin_rules[] =
	"rule anon    MOVABLE,HIGHMEM,ZERO            -   -           -\n"
	"rule file    MOVABLE,WRITE                   -   -           -\n"
	"rule file    MOVABLE,!FS                     -   -           -\n"
	"rule anon    MOVABLE,HIGHMEM,THISNODE        -   -           -\n"
	"rule file    MOVABLE,NORETRY                 -   -           -\n"
	"rule anon    MOVABLE,HIGHMEM                 -   -           -\n"
	"rule file    MOVABLE                         -   -           -\n"
	"rule pgtable ACCOUNT,ZERO,!HIGHMEM           0   unmovable   -\n"
	"rule slab    RECLAIMABLE                     -   -           -\n"
	"rule network NORETRY,COMP,IO,FS,!DIRECT_RECLAIM,!NOMEMALLOC 3 - -\n"
	"rule slab    NORETRY,COMP                    -   unmovable   -\n"
	"rule network HIGH,!COMP                      -   -           ksoftirqd/*\n"
	"rule file    HARDWALL,!FS,!HIGHMEM           -   -           -\n"
	"rule percpu  HIGHMEM,!HARDWALL               0   unmovable   -\n"
	"rule bare    -                               -   -           -\n";

/*
 * Bytes of one object. `today`: what the fields need now, a page table's as
 * large as the struct page it overlays. `2025`: the sketches of 2025, unused
 * words left out. `32bit`: the same with words of four bytes (counters stay
 * four), rounded to 16: (80 - 8) / 2 + 8 = 44, so 48.
 */
static const struct {
	const char *name;
	const char *sizes;
} builtin_tables[] = {
	{ "today", "size file 80\nsize anon 80\nsize slab 64\n"
		   "size pgtable 64\nsize network 48\n" },
	{ "2025",  "size file 80\nsize anon 80\nsize slab 64\n"
		   "size pgtable 48\nsize network 32\n" },
	{ "32bit", "size file 48\nsize anon 48\nsize slab 32\n"
		   "size pgtable 32\nsize network 16\n" },
};

/* ---- parsing ---- */

#define MAX_WORDS 6

/* Where a line is, for its message. */
struct place {
	const char *name;
	unsigned int line;
};

static int bad(const struct place *at, struct msg *msg, const char *what,
	       const char *word, const char *expected)
{
	return msg_set(msg, EINVAL, "%s:%u: %s '%s'; expected %s", at->name,
		       at->line, what, word, expected);
}

static int parse_class(const char *word, const struct place *at, uint8_t *class,
		       struct msg *msg)
{
	for (unsigned int c = 0; c < NR_ALLOCATEES; c++) {
		if (!strcmp(word, allocatee_names[c])) {
			*class = (uint8_t)c;
			return 0;
		}
	}
	return bad(at, msg, "no class", word,
		   "file, anon, slab, pgtable, percpu, network or bare");
}

/* "MOVABLE,!WRITE" */
static int parse_flags(char *word, const struct place *at,
		       struct allocatee_rule *rule, struct msg *msg)
{
	char *rest = word, *flag;

	if (!strcmp(word, "-"))
		return 0;
	while ((flag = strsep(&rest, ","))) {
		bool not = *flag == '!';
		char text[64];
		uint32_t gfp;

		flag += not;
		snprintf(text, sizeof(text), "__GFP_%s", flag);
		gfp = gfp_parse(text, strlen(text));
		if (gfp & GFP(UNKNOWN))
			return bad(at, msg, "no gfp flag", flag,
				   "names as MOVABLE,!WRITE, or -");
		*(not ? &rule->clear : &rule->set) |= gfp;
	}
	return 0;
}

static int parse_orders(const char *word, const struct place *at,
			struct allocatee_rule *rule, struct msg *msg)
{
	unsigned int min, max;
	char end;

	rule->max_order = UINT8_MAX;
	if (!strcmp(word, "-"))
		return 0;
	if (sscanf(word, "%3u-%3u%c", &min, &max, &end) != 2) {
		if (sscanf(word, "%3u%c", &min, &end) != 1)
			return bad(at, msg, "no orders", word, "N, N-M or -");
		max = min;
	}
	if (min > max || max > UINT8_MAX)
		return bad(at, msg, "no orders", word, "N, N-M or -");
	rule->min_order = (uint8_t)min;
	rule->max_order = (uint8_t)max;
	return 0;
}

static int parse_migratetype(const char *word, const struct place *at,
			     struct allocatee_rule *rule, struct msg *msg)
{
	static const struct {
		const char *name;
		uint8_t type;
	} types[] = {
		{ "-",           ALLOCATEE_ANY },
		{ "unmovable",   MIGRATE_UNMOVABLE },
		{ "movable",     MIGRATE_MOVABLE },
		{ "reclaimable", MIGRATE_RECLAIMABLE },
	};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		if (!strcmp(word, types[i].name)) {
			rule->migratetype = types[i].type;
			return 0;
		}
	}
	return bad(at, msg, "no migratetype", word,
		   "unmovable, movable, reclaimable or -");
}

static int parse_rule(struct allocatee_table *table, char **words,
		      const struct place *at, struct msg *msg)
{
	struct allocatee_rule rule = { 0 };
	int err;

	if (table->nr_rules == ALLOCATEE_MAX_RULES)
		return msg_set(msg, EINVAL, "%s:%u: more than %d rules", at->name,
			       at->line, ALLOCATEE_MAX_RULES);
	err = parse_class(words[1], at, &rule.class, msg);
	if (!err)
		err = parse_flags(words[2], at, &rule, msg);
	if (!err)
		err = parse_orders(words[3], at, &rule, msg);
	if (!err)
		err = parse_migratetype(words[4], at, &rule, msg);
	if (err)
		return err;
	if (strlen(words[5]) >= sizeof(rule.process))
		return bad(at, msg, "too long a process", words[5],
			   "at most 31 letters");
	if (strcmp(words[5], "-"))
		strcpy(rule.process, words[5]);
	table->rules[table->nr_rules++] = rule;
	return 0;
}

static int parse_bytes(struct allocatee_table *table, char **words,
		       const struct place *at, struct msg *msg)
{
	uint8_t class = 0;
	unsigned int bytes;
	char end;
	int err = parse_class(words[1], at, &class, msg);

	if (err)
		return err;
	if (sscanf(words[2], "%5u%c", &bytes, &end) != 1 || bytes > PAGE_SIZE)
		return bad(at, msg, "no size", words[2], "bytes from 0 to a page");
	table->bytes[class] = bytes;
	return 0;
}

static int parse_line(struct allocatee_table *table, char *line,
		      const struct place *at, struct msg *msg)
{
	static const char expected[] =
		"'size CLASS BYTES' or 'rule CLASS FLAGS ORDERS MIGRATETYPE PROCESS'";
	char *words[MAX_WORDS + 1];
	char *rest = line, *word;
	unsigned int nr = 0;

	line[strcspn(line, "#\r\n")] = '\0';
	while (nr <= MAX_WORDS && (word = strsep(&rest, " \t"))) {
		if (*word)
			words[nr++] = word;
	}
	if (!nr)
		return 0;
	if (!strcmp(words[0], "rule") && nr == 6)
		return parse_rule(table, words, at, msg);
	if (!strcmp(words[0], "size") && nr == 3)
		return parse_bytes(table, words, at, msg);
	return bad(at, msg, "no line of this table:", words[0], expected);
}

static int parse_stream(struct allocatee_table *table, FILE *in,
			const char *name, struct msg *msg)
{
	struct place at = { .name = name };
	char *line = NULL;
	size_t room = 0;
	int err = 0;

	while (!err && getline(&line, &room, in) >= 0) {
		at.line++;
		err = parse_line(table, line, &at, msg);
	}
	if (!err && ferror(in))
		err = msg_set(msg, EIO, "--allocatee: %s: %s", name, strerror(errno));
	free(line);
	return err;
}

static int parse_text(struct allocatee_table *table, const char *text,
		      struct msg *msg)
{
	char *copy = strdup(text);
	FILE *in = copy ? fmemopen(copy, strlen(copy), "r") : NULL;
	int err;

	if (!in) {
		free(copy);
		return msg_set(msg, ENOMEM, "no memory for the table of allocatees");
	}
	err = parse_stream(table, in, "built-in table", msg);
	assert(err != -EINVAL);
	fclose(in);
	free(copy);
	return err;
}

static int load_file(struct allocatee_table *table, const char *path,
		     struct msg *msg)
{
	FILE *in = fopen(path, "r");
	int err;

	if (!in)
		return msg_set(msg, errno,
			       "--allocatee: %s: %s; expected " ALLOCATEE_TABLES
			       " or a file", path, strerror(errno));
	err = parse_text(table, builtin_tables[0].sizes, msg);
	if (!err)
		err = parse_stream(table, in, path, msg);
	if (!err && !ftell(in))
		err = msg_set(msg, EINVAL, "--allocatee: %s is empty; expected lines as 'size file 80'",
			      path);
	fclose(in);
	return err;
}

int allocatee_table_load(struct allocatee_table *table, const char *name,
			 struct msg *msg)
{
	const char *slash = strrchr(name, '/');
	int err = 1;

	*table = (struct allocatee_table){ .nr_rules = 0 };
	snprintf(table->name, sizeof(table->name), "%s", slash ? slash + 1 : name);
	for (size_t i = 0; i < ARRAY_SIZE(builtin_tables) && err > 0; i++) {
		if (!strcmp(name, builtin_tables[i].name))
			err = parse_text(table, builtin_tables[i].sizes, msg);
	}
	if (err > 0)
		err = load_file(table, name, msg);
	if (!err && !table->nr_rules)
		err = parse_text(table, builtin_rules, msg);
	return err;
}

/* ---- asking ---- */

static bool rule_fits(const struct allocatee_rule *rule, uint32_t gfp,
		      unsigned int order, unsigned int migratetype,
		      const char *process)
{
	if ((gfp & rule->set) != rule->set || gfp & rule->clear)
		return false;
	if (order < rule->min_order || order > rule->max_order)
		return false;
	if (rule->migratetype != ALLOCATEE_ANY &&
	    rule->migratetype != migratetype)
		return false;
	return !*rule->process || !fnmatch(rule->process, process, 0);
}

enum allocatee allocatee_classify(const struct allocatee_table *table,
				  uint32_t gfp, unsigned int order,
				  unsigned int migratetype, const char *process)
{
	for (unsigned int i = 0; i < table->nr_rules; i++) {
		const struct allocatee_rule *rule = &table->rules[i];

		if (rule_fits(rule, gfp, order, migratetype, process))
			return (enum allocatee)rule->class;
	}
	return ALLOCATEE_bare;
}

enum allocatee allocatee_of_kpageflags(uint64_t flags)
{
	enum { KPF_LRU = 5, KPF_SLAB = 7, KPF_MMAP = 11, KPF_ANON = 12,
	       KPF_COMPOUND_TAIL = 16, KPF_PGTABLE = 26, KPF_RESERVED = 32 };
#define HAS(bit) (flags >> (bit) & 1)

	if (HAS(KPF_COMPOUND_TAIL))
		return ALLOCATEE_tail;
	if (HAS(KPF_RESERVED))
		return ALLOCATEE_bare;
	if (HAS(KPF_SLAB))
		return ALLOCATEE_slab;
	if (HAS(KPF_PGTABLE))
		return ALLOCATEE_pgtable;
	if (HAS(KPF_ANON))
		return ALLOCATEE_anon;
	if (HAS(KPF_LRU) || HAS(KPF_MMAP))
		return ALLOCATEE_file;
	return ALLOCATEE_bare;
#undef HAS
}

unsigned int allocatee_per_slab(const struct allocatee_table *table,
				enum allocatee class)
{
	return table->bytes[class] ? PAGE_SIZE / table->bytes[class] : 0;
}

static uint64_t slab_page_bytes(const struct allocatee_table *table)
{
	return PAGE_SIZE + table->bytes[ALLOCATEE_slab];
}

uint64_t allocatee_bytes(const struct allocatee_table *table,
			 enum allocatee class, uint64_t nr)
{
	unsigned int per_slab = allocatee_per_slab(table, class);

	if (!per_slab)
		return 0;
	return (nr + per_slab - 1) / per_slab * slab_page_bytes(table);
}

double allocatee_rounded(const struct allocatee_table *table,
			 enum allocatee class)
{
	unsigned int per_slab = allocatee_per_slab(table, class);

	return per_slab ? (double)slab_page_bytes(table) / per_slab : 0;
}
