/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * arena.h - the only place a backend gets metadata memory from
 *
 * Footprint is measured here, never claimed by a formula: what a backend
 * allocates is charged to a column of the machine's account, and its own
 * state (its struct, its list heads) comes from here too.
 *
 * The arena is one reserved range of addresses, filled from the bottom, with
 * a free list for each size given back. So a copy of its used part, put back
 * in place, is a copy of the allocator's whole state, pointers included: the
 * complete exploration of small machines rests on that.
 *
 * Fresh memory is zero and not resident until touched, so a descriptor that
 * is never written costs the host nothing.
 */
#ifndef PAGETAX_MACHINE_ARENA_H
#define PAGETAX_MACHINE_ARENA_H

#include "machine/meta.h"

struct arena;

/*
 * Reserve `limit` bytes of address space; charges go to *account. Returns
 * NULL when the host cannot reserve that much.
 */
struct arena *arena_create(uint64_t limit, struct meta_account *account);
void arena_destroy(struct arena *arena);

/*
 * Zeroed memory, 64-byte aligned (4096 from 64 KiB up). NULL when the limit is
 * reached. `bytes` is charged to the column exactly as asked, without rounding.
 */
void *arena_alloc(struct arena *arena, uint64_t bytes, enum meta_column column);

/*
 * The same, but only `charge` of the bytes are charged: for an array with parts
 * that nobody will ever touch. Not to be given back.
 */
void *arena_alloc_charged(struct arena *arena, uint64_t bytes, uint64_t charge,
			  enum meta_column column);

/* Give back what arena_alloc() gave, with the same size and column. */
void arena_free(struct arena *arena, void *ptr, uint64_t bytes,
		enum meta_column column);

/* Bytes of address space reserved, from the arena on. */
uint64_t arena_limit(const struct arena *arena);

/* Bytes of the range in use, from its base: the length of a snapshot. */
uint64_t arena_used(const struct arena *arena);

/*
 * Copy the used part into buf (at least arena_used() bytes), and put such a
 * copy back. The snapshot holds the account too. Memory that was allocated
 * after the snapshot is forgotten and reads as zero when allocated again.
 */
uint64_t arena_snapshot_bytes(const struct arena *arena);
void arena_save(const struct arena *arena, void *buf);
void arena_restore(struct arena *arena, const void *buf);

#endif
