/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pagetypeinfo.c - first line and last table of /proc/pagetypeinfo
 *
 *	Page block order: 9
 *
 *	Number of blocks type     Unmovable      Movable  Reclaimable ...
 *	Node 0, zone   Normal          245        10385          122 ...
 *
 * Columns are known by their names: which ones there are depends on the kernel.
 */
#include <errno.h>
#include <inttypes.h>

#include "sim/source/input.h"
#include "sim/source/pagetypeinfo.h"

#define MAX_COLUMNS 8

static const char *const type_names[NR_MIGRATETYPES] = {
	[MIGRATE_UNMOVABLE]   = "Unmovable",
	[MIGRATE_MOVABLE]     = "Movable",
	[MIGRATE_RECLAIMABLE] = "Reclaimable",
	[MIGRATE_HIGHATOMIC]  = "HighAtomic",
	[MIGRATE_ISOLATE]     = "Isolate",
};

struct table {
	unsigned int column_type[MAX_COLUMNS];	/* NR_MIGRATETYPES: another one */
	unsigned int nr_columns;		/* 0: its head has not come yet */
	bool any;				/* some zone's row has come */
	bool seen[MAX_NR_ZONES];		/* this one's has: nodes repeat names */
};

static void take_head(struct table *t, const char *p)
{
	size_t len;

	for (const char *word = text_word(&p, &len);
	     len && t->nr_columns < MAX_COLUMNS; word = text_word(&p, &len)) {
		unsigned int type = 0;

		while (type < NR_MIGRATETYPES && !text_word_is(word, len, type_names[type]))
			type++;
		t->column_type[t->nr_columns++] = type;
	}
}

/* "0, zone   Normal   245 ..." behind "Node": -1 for a zone we do not have. */
static int take_zone(const struct bundle *b, struct table *t, const char **p)
{
	const char *word = NULL;
	size_t len = 0;

	for (int i = 0; i < 3; i++)
		word = text_word(p, &len);
	for (unsigned int z = 0; z < b->layout.nr_zones; z++) {
		if (t->seen[z] || !text_word_is(word, len, b->layout.zones[z].name))
			continue;
		t->seen[z] = true;
		return (int)z;
	}
	return -1;
}

static int take_row(struct bundle *b, struct table *t, const struct input *in,
		    const char *p, const char *end, struct msg *msg)
{
	int zone = take_zone(b, t, &p);

	for (unsigned int i = 0; i < t->nr_columns; i++) {
		uint64_t nr;

		p = text_skip_blanks(p);
		if (!text_number(&p, end, &nr))
			return input_bad_line(in, msg, "number %u is missing or broken; expected one for each type of pageblock",
					      i + 1);
		if (zone >= 0 && t->column_type[i] < NR_MIGRATETYPES)
			b->nr_typed_blocks[zone][t->column_type[i]] = nr;
	}
	t->any = true;
	return 0;
}

static int take_order(struct bundle *b, const struct input *in, const char *p,
		      const char *end, struct msg *msg)
{
	uint64_t order;

	p = text_skip_blanks(p);
	if (!text_number(&p, end, &order) || order > MAX_PAGE_ORDER)
		return input_bad_line(in, msg, "expected an order from 0 to %d after \"Page block order:\"",
				      MAX_PAGE_ORDER);
	b->pageblock_order = (unsigned int)order;
	return 0;
}

static int take_line(struct bundle *b, struct table *t, const struct input *in,
		     const char *line, const char *end, struct msg *msg)
{
	static const char head[] = "Number of blocks type";
	static const char row[] = "Node";
	static const char order[] = "Page block order:";

	if ((size_t)(end - line) > strlen(order) && !memcmp(line, order, strlen(order)))
		return take_order(b, in, line + strlen(order), end, msg);
	if ((size_t)(end - line) > strlen(head) && !memcmp(line, head, strlen(head)))
		take_head(t, line + strlen(head));
	else if (t->nr_columns && (size_t)(end - line) > strlen(row) &&
		 !memcmp(line, row, strlen(row)))
		return take_row(b, t, in, line + strlen(row), end, msg);
	return 0;
}

int pagetypeinfo_read(struct bundle *b, struct input *in, struct msg *msg)
{
	struct table t = { .nr_columns = 0 };
	int err;

	for (;;) {
		const char *line, *end;

		err = input_next_line(in, &line, &end, msg);
		if (err <= 0)
			break;
		err = take_line(b, &t, in, line, end, msg);
		if (err)
			return err;
	}
	if (!err && !t.any)
		err = msg_set(msg, EINVAL,
			      "%s: ends after line %" PRIu64 "; expected a table \"Number of blocks type\"",
			      in->path, in->line);
	b->has_pagetypeinfo = !err;
	return err;
}
