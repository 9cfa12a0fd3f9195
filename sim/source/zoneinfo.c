/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * zoneinfo.c - /proc/zoneinfo becomes a layout
 *
 *	Node 0, zone    DMA32			one for every zone of every node
 *	  pages free     772405
 *	        min      2116			in pages, as all but cpu
 *	        spanned  1044480
 *	        protection: (0, 0, 21071, ...)	by zone of the node, empty ones too
 *	  pagesets
 *	    cpu: 0				one for every CPU
 *	              count:    2743		what its lists hold just now
 *	              high:     78254		... and may hold
 *	              batch:    63
 *	  start_pfn:           4096
 *
 * Zones without pages are left out, so a zone's place here is not its place in
 * the kernel's numbering, by which `protection` is indexed; both are kept until
 * the end.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "sim/source/reader.h"
#include "sim/source/zoneinfo.h"

#define MAX_RAW_ZONES 64		/* eight nodes of all the zones there are */
#define MAX_NODE_ZONES 8

/* A zone as printed. */
struct raw_zone {
	char name[ZONE_NAME_LEN];
	unsigned int node;
	unsigned int number;		/* the kernel's, within the node */
	uint64_t start_pfn;
	uint64_t spanned;
	uint64_t present;
	uint64_t managed;
	uint64_t wmark_min;
	uint64_t wmark_low;
	uint64_t wmark_high;
	uint64_t protection[MAX_NODE_ZONES];
	uint64_t pcp_batch;		/* of the CPU printed last: all are alike */
	uint64_t pcp_high_min;
	uint64_t pcp_high_max;
	uint64_t last_cpu;		/* printed so far, as are the next two */
	uint64_t last_count;
	uint64_t last_high;
	size_t first_pcp;		/* place in struct zoneinfo's pcps ... */
	size_t nr_pcps;			/* ... and how many, one a CPU */
};

struct raw_pcp {
	uint64_t cpu;
	uint64_t count;
	uint64_t high;
};

static const struct {
	const char *key;
	size_t field;
} fields[] = {
	{ "min",        offsetof(struct raw_zone, wmark_min) },
	{ "low",        offsetof(struct raw_zone, wmark_low) },
	{ "high",       offsetof(struct raw_zone, wmark_high) },
	{ "spanned",    offsetof(struct raw_zone, spanned) },
	{ "present",    offsetof(struct raw_zone, present) },
	{ "managed",    offsetof(struct raw_zone, managed) },
	{ "cpu:",       offsetof(struct raw_zone, last_cpu) },
	{ "count:",     offsetof(struct raw_zone, last_count) },
	{ "high:",      offsetof(struct raw_zone, last_high) },
	{ "batch:",     offsetof(struct raw_zone, pcp_batch) },
	{ "high_min:",  offsetof(struct raw_zone, pcp_high_min) },
	{ "high_max:",  offsetof(struct raw_zone, pcp_high_max) },
	{ "start_pfn:", offsetof(struct raw_zone, start_pfn) },
};

struct zoneinfo {
	struct input *in;
	struct raw_zone zones[MAX_RAW_ZONES];
	unsigned int nr_zones;
	unsigned int node;
	unsigned int next_number;	/* of the node's next zone */
	struct raw_pcp *pcps;
	size_t nr_pcps;
};

/* "Node 0, zone   Normal": another zone begins. */
static int begin_zone(struct zoneinfo *z, const char *p, const char *end,
		      struct msg *msg)
{
	struct raw_zone *zone = &z->zones[z->nr_zones];
	uint64_t node;
	const char *name;
	size_t len;

	p += strlen("Node ");
	if (!text_number(&p, end, &node) || memcmp(p, ", zone ", 7) ||
	    node > UINT16_MAX)
		return input_bad_line(z->in, msg, "expected \"Node N, zone NAME\"");
	p += strlen(", zone ");
	name = text_word(&p, &len);
	if (!len || len >= sizeof(zone->name))
		return input_bad_line(z->in, msg,
				      "expected a zone name of 1 to %d characters",
				      ZONE_NAME_LEN - 1);
	if (z->nr_zones == MAX_RAW_ZONES)
		return input_bad_line(z->in, msg, "expected at most %d zones",
				      MAX_RAW_ZONES);

	if (z->nr_zones && node != z->node)
		z->next_number = 0;
	z->node = (unsigned int)node;
	memcpy(zone->name, name, len);
	zone->node = z->node;
	zone->number = z->next_number++;
	zone->first_pcp = z->nr_pcps;
	z->nr_zones++;
	return 0;
}

/* "(0, 3019, 24090)" */
static int read_protection(struct zoneinfo *z, struct raw_zone *zone,
			   const char *p, const char *end, struct msg *msg)
{
	for (unsigned int i = 0; i < MAX_NODE_ZONES; i++) {
		p = text_skip_blanks(p);
		if (*p != (i ? ',' : '('))
			return 0;
		p = text_skip_blanks(p + 1);
		if (!text_number(&p, end, &zone->protection[i]))
			return input_bad_line(z->in, msg,
					      "expected numbers after \"protection:\"");
	}
	return 0;
}

/* After a number that is not the zone's but one of its CPUs'. */
static int note_pcp(struct zoneinfo *z, struct raw_zone *zone, const char *key,
		    struct msg *msg)
{
	if (!strcmp(key, "cpu:")) {
		if (array_grow(z->pcps, z->nr_pcps))
			return msg_set(msg, ENOMEM, "%s: no memory to read it",
				       z->in->path);
		z->pcps[z->nr_pcps++] = (struct raw_pcp){ .cpu = zone->last_cpu };
		zone->nr_pcps++;
		zone->last_count = zone->last_high = 0;
	} else if (zone->nr_pcps) {
		z->pcps[z->nr_pcps - 1].count = zone->last_count;
		z->pcps[z->nr_pcps - 1].high = zone->last_high;
	}
	return 0;
}

static int read_field(struct zoneinfo *z, struct raw_zone *zone,
		      const char *p, const char *end, struct msg *msg)
{
	size_t len;
	const char *key = text_word(&p, &len);

	p = text_skip_blanks(p);
	if (text_word_is(key, len, "protection:"))
		return read_protection(z, zone, p, end, msg);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		uint64_t value;

		if (!text_word_is(key, len, fields[i].key))
			continue;
		if (!text_number(&p, end, &value) || value > PFN_LIMIT)
			return input_bad_line(z->in, msg,
					      "expected a number of pages after \"%s\"",
					      fields[i].key);
		memcpy((char *)zone + fields[i].field, &value, sizeof(value));
		return note_pcp(z, zone, fields[i].key, msg);
	}
	return 0;
}

static int read_lines(struct zoneinfo *z, struct msg *msg)
{
	for (;;) {
		const char *p, *end;
		int err = input_next_line(z->in, &p, &end, msg);

		if (err <= 0)
			return err;
		p = text_skip_blanks(p);
		err = 0;
		if (!memcmp(p, "Node ", 5))
			err = begin_zone(z, p, end, msg);
		else if (z->nr_zones)
			err = read_field(z, &z->zones[z->nr_zones - 1], p, end, msg);
		if (err)
			return err;
	}
}

static int compare_start(const void *a, const void *b)
{
	const struct raw_zone *za = a;
	const struct raw_zone *zb = b;

	return (za->start_pfn > zb->start_pfn) - (za->start_pfn < zb->start_pfn);
}

static void fill_zone(struct zone *zone, const struct raw_zone *raw)
{
	memcpy(zone->name, raw->name, sizeof(zone->name));
	zone->start_pfn = (unsigned long)raw->start_pfn;
	zone->spanned = (unsigned long)raw->spanned;
	zone->present = (unsigned long)raw->present;
	zone->managed = (unsigned long)raw->managed;
	zone->wmark_min = (unsigned long)raw->wmark_min;
	zone->wmark_low = (unsigned long)raw->wmark_low;
	zone->wmark_high = (unsigned long)raw->wmark_high;
	zone->pcp_batch = (unsigned int)raw->pcp_batch;
	zone->pcp_high_min = (unsigned int)raw->pcp_high_min;
	zone->pcp_high_max = (unsigned int)raw->pcp_high_max;
}

/* Keep the zones that have pages, in order of address. */
static unsigned int drop_empty_zones(struct zoneinfo *z)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < z->nr_zones; i++)
		if (z->zones[i].spanned && z->zones[i].present)
			z->zones[nr++] = z->zones[i];
	qsort(z->zones, nr, sizeof(z->zones[0]), compare_start);
	return nr;
}

/* Two nodes' Normal zones are "Normal.node0" and "Normal.node1". */
static void label_zone(struct zone *zone, const struct zoneinfo *z, unsigned int i)
{
	for (unsigned int j = 0; j < z->nr_zones; j++) {
		if (j != i && !strcmp(z->zones[j].name, z->zones[i].name))
			snprintf(zone->label, sizeof(zone->label), "%s.node%u",
				 z->zones[i].name, z->zones[i].node);
	}
}

static int fill_layout(struct layout *layout, struct zoneinfo *z, struct msg *msg)
{
	uint64_t last_cpu = 0;

	z->nr_zones = drop_empty_zones(z);
	if (!z->nr_zones)
		return msg_set(msg, EINVAL,
			       "%s: no zone with pages in its %" PRIu64
			       " lines; expected \"Node N, zone NAME\" with spanned, present and start_pfn",
			       z->in->path, z->in->line);
	if (z->nr_zones > MAX_NR_ZONES)
		return msg_set(msg, EINVAL, "%s: %u zones with pages; expected at most %d",
			       z->in->path, z->nr_zones, MAX_NR_ZONES);

	*layout = (struct layout){
		.nr_zones = z->nr_zones,
		.highmem_pfn = PFN_NONE,
	};
	for (unsigned int i = 0; i < z->nr_zones; i++) {
		struct zone *zone = &layout->zones[i];

		fill_zone(zone, &z->zones[i]);
		label_zone(zone, z, i);
		for (unsigned int j = 0; j < z->nr_zones; j++)
			zone->lowmem_reserve[j] = (unsigned long)
				z->zones[i].protection[z->zones[j].number % MAX_NODE_ZONES];
		if (layout->highmem_pfn == PFN_NONE && !strcmp(zone->name, "HighMem"))
			layout->highmem_pfn = zone->start_pfn;
		last_cpu = max_t(uint64_t, last_cpu, z->zones[i].last_cpu);
	}
	layout->nr_cpus = (unsigned int)min_t(uint64_t, last_cpu + 1, MAX_NR_CPUS);
	return 0;
}

/* The numbers of each CPU, by the layout's zones. */
static int fill_pcps(struct recorded_pcps *pcps, const struct zoneinfo *z,
		     const struct layout *layout, struct msg *msg)
{
	*pcps = (struct recorded_pcps){ .nr_cpus = layout->nr_cpus };
	pcps->list = calloc((size_t)layout->nr_zones * layout->nr_cpus,
			    sizeof(*pcps->list));
	if (!pcps->list)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", z->in->path);
	for (unsigned int i = 0; i < layout->nr_zones; i++) {
		const struct raw_zone *zone = &z->zones[i];

		for (size_t at = 0; at < zone->nr_pcps; at++) {
			const struct raw_pcp *raw = &z->pcps[zone->first_pcp + at];

			if (raw->cpu < pcps->nr_cpus)
				pcps->list[i * pcps->nr_cpus + raw->cpu] =
					(struct recorded_pcp){ raw->count, raw->high };
		}
	}
	return 0;
}

int zoneinfo_read(struct layout *layout, struct recorded_pcps *pcps,
		  struct input *in, struct msg *msg)
{
	struct zoneinfo *z = calloc(1, sizeof(*z));
	struct msg why;
	int err;

	if (!z)
		return msg_set(msg, ENOMEM, "%s: no memory to read it", in->path);
	z->in = in;
	err = read_lines(z, msg);
	if (!err)
		err = fill_layout(layout, z, msg);
	if (!err && layout_check(layout, &why))
		err = msg_set(msg, EINVAL, "%s: %s", in->path, why.text);
	if (!err && pcps)
		err = fill_pcps(pcps, z, layout, msg);
	free(z->pcps);
	free(z);
	return err;
}

void recorded_pcps_free(struct recorded_pcps *pcps)
{
	free(pcps->list);
	*pcps = (struct recorded_pcps){ 0 };
}

struct recorded_pcp recorded_pcp_of(const struct recorded_pcps *pcps,
				    unsigned int zone, unsigned int cpu)
{
	if (!pcps->list || cpu >= pcps->nr_cpus)
		return (struct recorded_pcp){ 0 };
	return pcps->list[zone * pcps->nr_cpus + cpu];
}
