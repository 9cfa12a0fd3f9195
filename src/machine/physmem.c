/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * physmem.c - pages in the order of their first touch, or in a sparse memfd
 *
 * machine/physmem.h has the drawings. Lengths are in bytes; each one is rounded
 * up to whole host pages, because tests build with pages of 16 bytes.
 *
 * Reading or writing a page is a load or a store; physmem_map_at() and
 * physmem_unmap_at() are a system call each; a snapshot copies everything.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#ifndef _FILE_OFFSET_BITS
#define _FILE_OFFSET_BITS 64
#endif
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/bits.h"
#include "base/fatal.h"
#include "machine/physmem.h"

/* What comes before is on small pages: most runs touch no more, and a huge one is slow to come. */
#define HUGE_FROM (UINT64_C(2) << 20)

static const unsigned char never_touched[PAGE_SIZE];

static uint64_t host_page_bytes(void)
{
	return (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Whole host pages that hold this many pages; at least one. */
static uint64_t host_bytes(uint64_t nr_pages)
{
	uint64_t host = host_page_bytes();
	uint64_t bytes = nr_pages << PAGE_SHIFT;

	return bytes ? (bytes + host - 1) / host * host : host;
}

static int no_room(uint64_t bytes, int err, struct msg *msg)
{
	return msg_set(msg, ENOMEM,
		       "the simulated memory needs %" PRIu64 " bytes of address space: %s",
		       bytes, strerror(err));
}

/* Reserve addresses that fault. */
static int reserve(unsigned char **out, size_t *out_bytes, uint64_t bytes,
		   struct msg *msg)
{
	void *addr;

	if (bytes > SIZE_MAX / 2)
		return no_room(bytes, ENOMEM, msg);
	addr = mmap(NULL, (size_t)bytes, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (addr == MAP_FAILED)
		return no_room(bytes, errno, msg);
	*out = addr;
	*out_bytes = (size_t)bytes;
	return 0;
}

/* Let reserved addresses show the memfd from its start. */
static int show_memfd(const struct physmem *p, void *addr, uint64_t bytes,
		      int prot, struct msg *msg)
{
	if (mmap(addr, (size_t)bytes, prot,
		 MAP_SHARED | MAP_FIXED | MAP_NORESERVE, p->fd, 0) == MAP_FAILED)
		return no_room(bytes, errno, msg);
	return 0;
}

static int open_memfd(struct physmem *p, struct msg *msg)
{
	uint64_t bytes = host_bytes(p->end_pfn);
	struct rlimit limit;

	/* Asked first, because the host answers a file too long with a signal. */
	if (!getrlimit(RLIMIT_FSIZE, &limit) && limit.rlim_cur != RLIM_INFINITY &&
	    limit.rlim_cur < bytes)
		return no_room(bytes, EFBIG, msg);

	p->fd = memfd_create("pagetax", MFD_CLOEXEC);
	if (p->fd < 0)
		return msg_set(msg, errno, "memfd_create: %s", strerror(errno));
	if (ftruncate(p->fd, (off_t)bytes))
		return no_room(bytes, errno, msg);
	return 0;
}

/* Where the host's addresses span all memory, highmem's part of it faults. */
static uint64_t direct_bytes(unsigned long end_pfn, unsigned long low_pages)
{
	return host_bytes(HIGHMEM_BY_TABLE ? low_pages : end_pfn);
}

/* Of the order in which pages were touched. */
static uint64_t order_bytes(unsigned long end_pfn)
{
	return (uint64_t)end_pfn * (sizeof(unsigned long) + sizeof(uint32_t));
}

uint64_t physmem_addresses(unsigned long end_pfn, unsigned long low_pages)
{
	return direct_bytes(end_pfn, low_pages) +
	       (HIGHMEM_BY_TABLE ? 0 : host_bytes(end_pfn) + order_bytes(end_pfn));
}

static bool lies_in_memfd(const struct physmem *p)
{
	return p->guard || HIGHMEM_BY_TABLE;
}

/* Let reserved addresses be memory. */
static int back(void *addr, uint64_t bytes, struct msg *msg)
{
	if (mmap(addr, (size_t)bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		 0) == MAP_FAILED)
		return no_room(bytes, errno, msg);
	return 0;
}

/* The same for pages. Only advice. */
static int back_pages(unsigned char *addr, uint64_t bytes, struct msg *msg)
{
	int err = back(addr, bytes, msg);

	if (!err && bytes > HUGE_FROM)
		madvise(addr + HUGE_FROM, (size_t)(bytes - HUGE_FROM), MADV_HUGEPAGE);
	return err;
}

static int make_direct(struct physmem *p, struct msg *msg)
{
	uint64_t bytes = host_bytes(p->low_pages);
	int err;

	err = reserve(&p->direct, &p->direct_bytes,
		      direct_bytes(p->end_pfn, p->low_pages), msg);
	if (err || !p->low_pages)
		return err;
	if (!lies_in_memfd(p))
		return back_pages(p->direct, bytes, msg);
	return show_memfd(p, p->direct, bytes, PROT_READ | PROT_WRITE, msg);
}

static int make_view(struct physmem *p, uint64_t nr_pages, struct msg *msg)
{
	int prot = p->guard ? PROT_READ : PROT_READ | PROT_WRITE;
	int err;

	err = reserve(&p->view, &p->view_bytes, host_bytes(nr_pages), msg);
	if (err)
		return err;
	if (!lies_in_memfd(p))
		return back_pages(p->view, p->view_bytes, msg);
	return show_memfd(p, p->view, p->view_bytes, prot, msg);
}

static int make_order(struct physmem *p, struct msg *msg)
{
	unsigned char *order;
	size_t bytes;
	int err;

	err = reserve(&order, &bytes, order_bytes(p->end_pfn), msg);
	if (err)
		return err;
	p->at = (unsigned long *)(void *)order;
	p->nth = (uint32_t *)(p->at + p->end_pfn);
	return back(order, bytes, msg);
}

static unsigned long nr_leaves(const struct physmem *p)
{
	return div_round_up(p->end_pfn - p->low_pages, PHYSMEM_LEAF_PAGES);
}

static int make_table(struct physmem *p, struct msg *msg)
{
	size_t peek_bytes;

	if (p->guard)
		return reserve(&p->peek, &peek_bytes, host_bytes(1), msg);
	p->leaves = calloc(nr_leaves(p) + 1, sizeof(struct physmem_leaf *));
	if (!p->leaves)
		return no_room(nr_leaves(p) * sizeof(struct physmem_leaf *),
			       ENOMEM, msg);
	return 0;
}

int physmem_create(struct physmem *p, unsigned long end_pfn,
		   unsigned long low_pages, bool guard, struct msg *msg)
{
	int err;

	*p = (struct physmem){
		.end_pfn = end_pfn,
		.low_pages = low_pages,
		.guard = guard,
		.fd = -1,
	};
	if (guard && host_page_bytes() != PAGE_SIZE)
		return msg_set(msg, EINVAL,
			       "a guarded window needs pages of the host's size, %" PRIu64 " bytes, but this build has %lu",
			       host_page_bytes(), PAGE_SIZE);

	err = lies_in_memfd(p) ? open_memfd(p, msg) : make_order(p, msg);
	if (!err)
		err = make_direct(p, msg);
	if (!err)
		err = HIGHMEM_BY_TABLE ? make_table(p, msg) :
					 make_view(p, end_pfn, msg);
	if (err)
		physmem_destroy(p);
	return err;
}

static void destroy_table(struct physmem *p)
{
	if (!p->leaves)
		return;
	for (unsigned long i = 0; i < nr_leaves(p); i++) {
		for (size_t k = 0; p->leaves[i] && k < PHYSMEM_LEAF_PAGES; k++)
			free(p->leaves[i]->page[k]);
		free(p->leaves[i]);
	}
	free(p->leaves);
}

void physmem_destroy(struct physmem *p)
{
	destroy_table(p);
	if (p->peek)
		munmap(p->peek, PAGE_SIZE);
	if (p->view)
		munmap(p->view, p->view_bytes);
	if (p->direct)
		munmap(p->direct, p->direct_bytes);
	if (p->at)
		munmap(p->at, (size_t)order_bytes(p->end_pfn));
	if (p->fd >= 0)
		close(p->fd);
}

uint32_t physmem_first_touch(struct physmem *p, unsigned long pfn)
{
	uint32_t nth = ++p->nr_touched[pfn >= p->low_pages];

	p->at[physmem_nth_place(p, pfn, nth)] = pfn;
	p->nth[pfn] = nth;
	return nth;
}

/* Have the host give these bytes now. Only advice, which hosts before 5.14 do not take. */
static void give(void *from, size_t bytes)
{
#ifdef MADV_POPULATE_WRITE
	unsigned char *start = (unsigned char *)((uintptr_t)from & ~(uintptr_t)(host_page_bytes() - 1));

	madvise(start, bytes + (size_t)((unsigned char *)from - start), MADV_POPULATE_WRITE);
#else
	(void)from;
	(void)bytes;
#endif
}

void physmem_populate(const struct physmem *p, unsigned long nr_pages)
{
	const unsigned long most[2] = { p->low_pages, p->end_pfn - p->low_pages };
	unsigned char *const base[2] = { p->direct, p->view };

	if (!p->nth || p->nr_touched[0] + p->nr_touched[1] == 0)
		return;
	give(p->nth, p->end_pfn * sizeof(*p->nth));
	for (unsigned int high = 0; high < 2; high++) {
		unsigned long first = p->nr_touched[high];
		unsigned long nr = min_t(unsigned long, nr_pages, most[high] - first);

		if (!first || !nr)
			continue;
		first += high ? p->low_pages : 0;
		give(base[high] + ((size_t)first << PAGE_SHIFT), (size_t)nr << PAGE_SHIFT);
		give(p->at + first, nr * sizeof(*p->at));
	}
}

static struct physmem_leaf **leaf_of(const struct physmem *p, unsigned long pfn)
{
	return &p->leaves[(pfn - p->low_pages) / PHYSMEM_LEAF_PAGES];
}

static unsigned char **page_of(struct physmem_leaf *leaf,
			       const struct physmem *p, unsigned long pfn)
{
	return &leaf->page[(pfn - p->low_pages) % PHYSMEM_LEAF_PAGES];
}

static void *forced_lowmem(struct physmem *p, unsigned long pfn)
{
	struct msg msg;

	/* Most runs never force a map, so they do without a second view. */
	if (!p->view && make_view(p, p->low_pages, &msg))
		host_failed("pfn %lu: %s", pfn, msg.text);
	return p->view + ((size_t)pfn << PAGE_SHIFT);
}

/* A map cannot fail, so a host without room for the page is the end. */
void *physmem_table_page(struct physmem *p, unsigned long pfn)
{
	struct physmem_leaf **leaf;
	unsigned char **page;

	if (pfn < p->low_pages)
		return forced_lowmem(p, pfn);

	leaf = leaf_of(p, pfn);
	if (!*leaf)
		*leaf = calloc(1, sizeof(**leaf));
	if (!*leaf)
		host_failed("pfn %lu: the host has no memory left for highmem", pfn);

	page = page_of(*leaf, p, pfn);
	if (!*page) {
		*page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
		if (!*page)
			host_failed("pfn %lu: the host has no memory left for highmem", pfn);
		memset(*page, 0, PAGE_SIZE);
	}
	return *page;
}

void physmem_map_at(const struct physmem *p, unsigned long pfn, void *addr)
{
	off_t offset = (off_t)((uint64_t)pfn << PAGE_SHIFT);

	assert(pfn < p->end_pfn);
	if (mmap(addr, PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		 p->fd, offset) == MAP_FAILED)
		host_failed("the host maps no page for pfn %lu: %s", pfn,
		      strerror(errno));
}

void physmem_unmap_at(void *addr)
{
	if (mmap(addr, PAGE_SIZE, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		host_failed("the host unmaps no page: %s", strerror(errno));
}

static const void *peek_table(const struct physmem *p, unsigned long pfn)
{
	struct physmem_leaf *leaf;
	const unsigned char *page;

	if (p->guard) {
		physmem_map_at(p, pfn, p->peek);
		return p->peek;
	}
	leaf = *leaf_of(p, pfn);
	page = leaf ? *page_of(leaf, p, pfn) : NULL;
	return page ? page : never_touched;
}

const void *physmem_peek(const struct physmem *p, unsigned long pfn)
{
	const unsigned char *base = pfn < p->low_pages ? p->direct : p->view;
	unsigned long place = pfn;

	assert(pfn < p->end_pfn);
	if (HIGHMEM_BY_TABLE && pfn >= p->low_pages)
		return peek_table(p, pfn);
	if (p->nth) {
		if (!p->nth[pfn])
			return never_touched;
		place = physmem_nth_place(p, pfn, p->nth[pfn]);
	}
	return base + ((size_t)place << PAGE_SHIFT);
}

/* Place by place: a page that gets one later is still zero in what was saved. */
void physmem_save(const struct physmem *p, void *buf)
{
	size_t low_bytes = (size_t)p->low_pages << PAGE_SHIFT;
	unsigned char *to = buf;

	if (p->low_pages)
		memcpy(to, p->direct, low_bytes);
	if (HIGHMEM_BY_TABLE)
		for (unsigned long pfn = p->low_pages; pfn < p->end_pfn; pfn++)
			memcpy(to + ((size_t)pfn << PAGE_SHIFT),
			       physmem_peek(p, pfn), PAGE_SIZE);
	else
		memcpy(to + low_bytes, p->view + low_bytes,
		       ((size_t)p->end_pfn << PAGE_SHIFT) - low_bytes);
}

static void write_high_page(struct physmem *p, unsigned long pfn,
			    const void *from)
{
	off_t offset = (off_t)((uint64_t)pfn << PAGE_SHIFT);

	if (!p->guard)
		memcpy(physmem_table_page(p, pfn), from, PAGE_SIZE);
	else if (pwrite(p->fd, from, PAGE_SIZE, offset) != (ssize_t)PAGE_SIZE)
		host_failed("the host writes no page for pfn %lu: %s", pfn,
		      strerror(errno));
}

void physmem_restore(struct physmem *p, const void *buf)
{
	size_t low_bytes = (size_t)p->low_pages << PAGE_SHIFT;
	const unsigned char *from = buf;

	if (p->low_pages)
		memcpy(p->direct, from, low_bytes);
	if (p->nth) {
		memcpy(p->view + low_bytes, from + low_bytes,
		       ((size_t)p->end_pfn << PAGE_SHIFT) - low_bytes);
		return;
	}
	for (unsigned long pfn = p->low_pages; pfn < p->end_pfn; pfn++)
		write_high_page(p, pfn, from + ((size_t)pfn << PAGE_SHIFT));
}
