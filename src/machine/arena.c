/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.c - metadata memory: one range of addresses, filled from the bottom
 *
 *   base                                used                       limit
 *    | struct arena | A | B |free| C |free|                          |
 *                             |        |    never touched, reads as 0
 *                             +--------+
 *                        chain of one size
 *
 * The arena's own state lies at the base of the range and every list node
 * inside the block that is free, so [base, base + used) is all there is: a
 * snapshot is one copy of it.
 *
 * A block given back goes on the chain of its size:
 *
 *   free -> [64 B] -> [192 B] -> ...     next: another size
 *             |                          same: another block of this size
 *           [64 B]
 *
 * Invariants:  base, used and every block are multiples of BLOCK_ALIGN
 *              no two heads on `free` have the same size
 *              all of [used, limit) is zero
 *
 * Sizes are in bytes, rounded up to BLOCK_ALIGN, from LARGE_BYTES on to
 * LARGE_ALIGN; charges are not rounded. alloc is O(distinct sizes given back)
 * and mostly O(1), as a size that is found moves to the front; free is the
 * same. A large block that is given back returns its host pages at once.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <assert.h>
#include <string.h>
#include <sys/mman.h>

#include "machine/arena.h"

#define BLOCK_ALIGN 64			/* a cache line; holds struct free_block */
#define LARGE_BYTES (64 * 1024)
#define LARGE_ALIGN 4096		/* a host page, for madvise() */

struct free_block {
	uint64_t bytes;			/* rounded */
	struct free_block *same;
	struct free_block *next;	/* of the head of a chain only */
};
_Static_assert(sizeof(struct free_block) <= BLOCK_ALIGN, "fits the smallest block");

struct arena {
	uint64_t limit;			/* set at create */
	uint64_t used;			/* from the base, this struct included */
	struct meta_account *account;	/* set at create */
	struct free_block *free;	/* one head a size */
};

/* How a snapshot begins; the range from its base follows. */
struct snapshot {
	struct meta_account account;
	uint64_t used;
};

static uint64_t align_up(uint64_t n, uint64_t align)
{
	return (n + align - 1) / align * align;
}

static uint64_t block_bytes(uint64_t bytes)
{
	if (bytes >= LARGE_BYTES)
		return align_up(bytes, LARGE_ALIGN);
	return align_up(bytes ? bytes : 1, BLOCK_ALIGN);
}

static unsigned char *arena_base(struct arena *arena)
{
	return (unsigned char *)arena;
}

struct arena *arena_create(uint64_t limit, struct meta_account *account)
{
	struct arena *arena;

	limit = align_up(limit, LARGE_ALIGN);
	if (limit < LARGE_ALIGN || limit > SIZE_MAX / 2)
		return NULL;
	arena = mmap(NULL, (size_t)limit, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (arena == MAP_FAILED)
		return NULL;
	arena->limit = limit;
	arena->used = align_up(sizeof(*arena), BLOCK_ALIGN);
	arena->account = account;
	return arena;
}

void arena_destroy(struct arena *arena)
{
	if (arena)
		munmap(arena, (size_t)arena->limit);
}

/* Find the chain of a size, bring it to the front and return its head. */
static struct free_block *find_chain(struct arena *arena, uint64_t bytes)
{
	struct free_block **link = &arena->free;
	struct free_block *head;

	while (*link && (*link)->bytes != bytes)
		link = &(*link)->next;
	head = *link;
	if (head && link != &arena->free) {
		*link = head->next;
		head->next = arena->free;
		arena->free = head;
	}
	return head;
}

/* Take a block that was given back, zeroed; NULL when there is none. */
static void *reuse_block(struct arena *arena, uint64_t bytes)
{
	struct free_block *head = find_chain(arena, bytes);
	struct free_block *block;

	if (!head)
		return NULL;
	block = head->same;
	if (block) {
		head->same = block->same;
	} else {
		block = head;
		arena->free = head->next;
	}
	/* Of a large block only this header is not already zero. */
	memset(block, 0, bytes >= LARGE_BYTES ? sizeof(*block) : (size_t)bytes);
	return block;
}

static void *fresh_block(struct arena *arena, uint64_t bytes)
{
	uint64_t align = bytes >= LARGE_BYTES ? LARGE_ALIGN : BLOCK_ALIGN;
	uint64_t start = align_up(arena->used, align);

	if (start > arena->limit || bytes > arena->limit - start)
		return NULL;
	arena->used = start + bytes;
	return arena_base(arena) + start;
}

void *arena_alloc_charged(struct arena *arena, uint64_t bytes, uint64_t charge,
			  enum meta_column column)
{
	uint64_t rounded;
	void *block;

	assert(charge <= bytes);
	if (bytes > arena->limit)
		return NULL;
	rounded = block_bytes(bytes);
	block = reuse_block(arena, rounded);
	if (!block)
		block = fresh_block(arena, rounded);
	if (block)
		meta_charge(arena->account, column, charge);
	return block;
}

void *arena_alloc(struct arena *arena, uint64_t bytes, enum meta_column column)
{
	return arena_alloc_charged(arena, bytes, bytes, column);
}

void arena_free(struct arena *arena, void *ptr, uint64_t bytes,
		enum meta_column column)
{
	uint64_t rounded = block_bytes(bytes);
	struct free_block *block = ptr;
	struct free_block *head;

	if (!ptr)
		return;
	assert((unsigned char *)ptr > arena_base(arena));
	assert((unsigned char *)ptr + rounded <= arena_base(arena) + arena->used);
	assert(arena->account->now[column] >= bytes);
	meta_uncharge(arena->account, column, bytes);

	if (rounded >= LARGE_BYTES &&
	    madvise(ptr, (size_t)rounded, MADV_DONTNEED))
		memset(ptr, 0, (size_t)rounded);

	head = find_chain(arena, rounded);
	if (head) {
		*block = (struct free_block){ .bytes = rounded, .same = head->same };
		head->same = block;
	} else {
		*block = (struct free_block){ .bytes = rounded, .next = arena->free };
		arena->free = block;
	}
}

uint64_t arena_limit(const struct arena *arena)
{
	return arena->limit;
}

uint64_t arena_used(const struct arena *arena)
{
	return arena->used;
}

uint64_t arena_snapshot_bytes(const struct arena *arena)
{
	return sizeof(struct snapshot) + arena->used;
}

void arena_save(const struct arena *arena, void *buf)
{
	struct snapshot head = {
		.account = *arena->account,
		.used = arena->used,
	};

	memcpy(buf, &head, sizeof(head));
	memcpy((unsigned char *)buf + sizeof(head), arena, (size_t)arena->used);
}

void arena_restore(struct arena *arena, const void *buf)
{
	uint64_t used_now = arena->used;
	struct snapshot head;

	memcpy(&head, buf, sizeof(head));
	memcpy(arena, (const unsigned char *)buf + sizeof(head),
	       (size_t)head.used);
	*arena->account = head.account;
	if (used_now > head.used)
		memset(arena_base(arena) + head.used, 0,
		       (size_t)(used_now - head.used));
}
