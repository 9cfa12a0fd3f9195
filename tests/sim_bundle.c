/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim_bundle.c - a small recorded machine, written by hand into the scratch folder */
#include <check.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/sim_bundle.h"
#include "tests/sim_scratch.h"

const char small_zoneinfo[] =
	"Node 0, zone      DMA\n"
	"  per-node stats\n"
	"      nr_inactive_anon 3744\n"
	"  pages free     3840\n"
	"        boost    0\n"
	"        min      10\n"
	"        low      13\n"
	"        high     16\n"
	"        promo    19\n"
	"        spanned  1023\n"
	"        present  1000\n"
	"        managed  900\n"
	"        cma      0\n"
	"        protection: (0, 11, 22, 33)\n"
	"      nr_free_pages 3840\n"
	"  pagesets\n"
	"    cpu: 0\n"
	"              count:    0\n"
	"              high:     0\n"
	"              batch:    1\n"
	"              high_min: 6\n"
	"              high_max: 240\n"
	"  vm stats threshold: 4\n"
	"  start_pfn:           1\n"
	"Node 0, zone    DMA32\n"
	"  pages free     0\n"
	"        min      0\n"
	"        spanned  0\n"
	"        present  0\n"
	"        managed  0\n"
	"        protection: (0, 0, 44, 55)\n"
	"Node 0, zone   Normal\n"
	"  pages free     100\n"
	"        min      20\n"
	"        low      30\n"
	"        high     40\n"
	"        spanned  2048\n"
	"        present  1024\n"
	"        managed  1020\n"
	"        protection: (0, 0, 0, 66)\n"
	"  pagesets\n"
	"    cpu: 0\n"
	"              batch:    63\n"
	"    cpu: 2\n"
	"              batch:    63\n"
	"              high_min: 100\n"
	"              high_max: 1000\n"
	"  start_pfn:           1024\n";

const char small_machine[] =
	"kernel\t6.18.0-small\n"
	"cpus\t2\n"
	"page_bytes\t4096\n"
	"workload_start_ns\t4000\n"
	"workload_end_ns\t9000\n";

const char small_times[] =
	"0 900 1000\n"
	"1024 1900 2000\n"
	"2048 2900 3000\n";

uint64_t small_flags[SMALL_PAGES];

void small_flags_reset(void)
{
	for (unsigned long pfn = 0; pfn < SMALL_PAGES; pfn++)
		small_flags[pfn] = pfn < 2048 ? UINT64_C(1) << 32	/* RESERVED */
					      : UINT64_C(1) << 20;	/* NOPAGE */
}

void small_flags_buddy(unsigned long pfn, unsigned long end)
{
	for (; pfn < end; pfn++)
		small_flags[pfn] = UINT64_C(1) << 10;
}

void small_bundle_write(const char *events)
{
	scratch_write_text("events.txt", events);
	scratch_write_text("machine.txt", small_machine);
	scratch_write_text("zoneinfo.start", small_zoneinfo);
	scratch_write("kpageflags.start", small_flags, sizeof(small_flags));
	scratch_write_text("kpageflags.start.times", small_times);
	scratch_write_text("buddyinfo.tsv",
			   "before_ns\tafter_ns\tzone\tfree_order0\n"
			   "1\t2\tDMA\t0\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10\n"
			   "1\t2\tNormal\t10\t9\t8\t7\t6\t5\t4\t3\t2\t1\t0\n");
	scratch_write_text("counters.tsv",
			   "before_ns\tafter_ns\tname\tvalue\n"
			   "1\t2\tpgfree\t7\n"
			   "1\t2\tNormal.managed\t1020\n"
			   "3\t4\tpgfree\t9\n"
			   "3\t4\tNormal.managed\t1020\n");
}

void two_node_bundle_write(void)
{
	char text[4096];

	small_bundle_write(FREE("5", "0x400", "0"));
	snprintf(text, sizeof(text), "%s%s", small_zoneinfo,
		 "Node 1, zone   Normal\n  pages free 5\n spanned 1024\n present 1024\n managed 1000\n"
		 " start_pfn: 3072\n");
	scratch_write_text("zoneinfo.start", text);
	ck_assert_int_eq(unlink(scratch_path("kpageflags.start")), 0);
	ck_assert_int_eq(unlink(scratch_path("kpageflags.start.times")), 0);
}
