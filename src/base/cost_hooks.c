/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cost_hooks.c - what the compiler calls at every load and store
 *
 * The watched build (build/watch) compiles the library with -fsanitize=thread and links
 * this file where the race detector would be: the instrumentation is the same,
 * what is done with it is not. A load or store counts when an operation is
 * under way (cost_now) and the address lies in an area of metadata; all else,
 * the stack and the simulator's own books, falls through.
 *
 *	*p = x;      __tsan_write8(p);                   then the store itself
 *	CAS          __tsan_atomic64_compare_exchange_strong(p, ...)  does it, too
 *	memmove()    __wrap_memmove(): the compiler says nothing of calls
 *
 * The instrumentation comes after the optimiser, so what is counted is what
 * the machine would do; and as words are distinct within an operation, a
 * second load of the same word makes no difference between two compilers.
 * The interface is that of gcc and clang alike; 64-bit machines only.
 */
#ifdef PAGETAX_HOOKS
#include <string.h>

#include "base/cost.h"

bool cost_counts_words(void)
{
	return true;
}

static bool is_inside(const struct cost_area *area, uintptr_t addr)
{
	return addr - area->start < area->bytes;
}

static bool is_metadata(const struct cost *cost, uintptr_t addr)
{
	if (is_inside(&cost->except, addr))
		return false;
	for (unsigned int i = 0; i < cost->nr_areas; i++)
		if (is_inside(&cost->areas[i], addr))
			return true;
	return false;
}

static void touched(const volatile void *at, size_t bytes, bool write)
{
	uintptr_t first = (uintptr_t)at / 8;
	struct cost *cost = cost_now;

	if (!cost || !bytes || !is_metadata(cost, (uintptr_t)at))
		return;
	for (uintptr_t word = first; word <= ((uintptr_t)at + bytes - 1) / 8; word++)
		cost_touch(cost, 8 * word, write);
}

/* A locked operation; the word may be another by the time it is tried. */
static void locked(const volatile void *at, size_t bytes, bool wrote)
{
	struct cost *cost = cost_now;

	touched(at, bytes, false);
	if (wrote)
		touched(at, bytes, true);
	if (!cost || !is_metadata(cost, (uintptr_t)at))
		return;
	cost->atomic_tries++;
	cost->atomic_retries += !wrote;
}

/* --- plain loads and stores ---------------------------------------------- */

#define HOOKS_PLAIN(bytes)                                                     \
	void __tsan_read##bytes(void *at);                                     \
	void __tsan_write##bytes(void *at);                                    \
	void __tsan_unaligned_read##bytes(void *at);                           \
	void __tsan_unaligned_write##bytes(void *at);                          \
	void __tsan_read##bytes(void *at) { touched(at, bytes, false); }       \
	void __tsan_write##bytes(void *at) { touched(at, bytes, true); }       \
	void __tsan_unaligned_read##bytes(void *at) { touched(at, bytes, false); } \
	void __tsan_unaligned_write##bytes(void *at) { touched(at, bytes, true); }

HOOKS_PLAIN(1)
HOOKS_PLAIN(2)
HOOKS_PLAIN(4)
HOOKS_PLAIN(8)
HOOKS_PLAIN(16)

void __tsan_read_range(void *at, size_t bytes);
void __tsan_write_range(void *at, size_t bytes);
void __tsan_init(void);
void __tsan_func_entry(void *caller);
void __tsan_func_exit(void);

void __tsan_read_range(void *at, size_t bytes)
{
	touched(at, bytes, false);
}

void __tsan_write_range(void *at, size_t bytes)
{
	touched(at, bytes, true);
}

void __tsan_init(void)
{
}

void __tsan_func_entry(void *caller)
{
	(void)caller;
}

void __tsan_func_exit(void)
{
}

/* --- locked operations: the strongest order serves every caller ----------- */

#define HOOK_CAS(bits, type, suffix, weak)                                     \
	int __tsan_atomic##bits##_compare_exchange_##suffix(                   \
		volatile type *at, type *expected, type target, int mo,        \
		int mo_failed);                                                \
	int __tsan_atomic##bits##_compare_exchange_##suffix(                   \
		volatile type *at, type *expected, type target, int mo,        \
		int mo_failed)                                                 \
	{                                                                      \
		bool done = __atomic_compare_exchange_n(at, expected, target,  \
			weak, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);             \
									       \
		(void)mo, (void)mo_failed;                                     \
		locked(at, sizeof(type), done);                                \
		return done;                                                   \
	}

#define HOOK_RMW(bits, type, name, builtin)                                    \
	type __tsan_atomic##bits##_##name(volatile type *at, type value, int mo); \
	type __tsan_atomic##bits##_##name(volatile type *at, type value, int mo) \
	{                                                                      \
		(void)mo;                                                      \
		locked(at, sizeof(type), true);                                \
		return builtin(at, value, __ATOMIC_SEQ_CST);                   \
	}

#define HOOKS_ATOMIC(bits, type)                                               \
	type __tsan_atomic##bits##_load(const volatile type *at, int mo);      \
	void __tsan_atomic##bits##_store(volatile type *at, type value, int mo); \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *at,     \
		type expected, type target, int mo, int mo_failed);            \
	type __tsan_atomic##bits##_load(const volatile type *at, int mo)       \
	{                                                                      \
		(void)mo;                                                      \
		touched(at, sizeof(type), false);                              \
		return __atomic_load_n(at, __ATOMIC_SEQ_CST);                  \
	}                                                                      \
	void __tsan_atomic##bits##_store(volatile type *at, type value, int mo) \
	{                                                                      \
		(void)mo;                                                      \
		touched(at, sizeof(type), true);                               \
		__atomic_store_n(at, value, __ATOMIC_SEQ_CST);                 \
	}                                                                      \
	HOOK_CAS(bits, type, strong, false)                                    \
	HOOK_CAS(bits, type, weak, true)                                       \
	type __tsan_atomic##bits##_compare_exchange_val(volatile type *at,     \
		type expected, type target, int mo, int mo_failed)             \
	{                                                                      \
		__tsan_atomic##bits##_compare_exchange_strong(at, &expected,   \
			target, mo, mo_failed);                                \
		return expected;                                               \
	}                                                                      \
	HOOK_RMW(bits, type, exchange, __atomic_exchange_n)                    \
	HOOK_RMW(bits, type, fetch_add, __atomic_fetch_add)                    \
	HOOK_RMW(bits, type, fetch_sub, __atomic_fetch_sub)                    \
	HOOK_RMW(bits, type, fetch_and, __atomic_fetch_and)                    \
	HOOK_RMW(bits, type, fetch_or, __atomic_fetch_or)                      \
	HOOK_RMW(bits, type, fetch_xor, __atomic_fetch_xor)                    \
	HOOK_RMW(bits, type, fetch_nand, __atomic_fetch_nand)

HOOKS_ATOMIC(8, uint8_t)
HOOKS_ATOMIC(16, uint16_t)
HOOKS_ATOMIC(32, uint32_t)
HOOKS_ATOMIC(64, uint64_t)

/* --- memory as a whole: linked with --wrap --------------------------------- */

void *__real_memcpy(void *to, const void *from, size_t bytes);
void *__real_memmove(void *to, const void *from, size_t bytes);
void *__real_memset(void *at, int c, size_t bytes);
void *__wrap_memcpy(void *to, const void *from, size_t bytes);
void *__wrap_memmove(void *to, const void *from, size_t bytes);
void *__wrap_memset(void *at, int c, size_t bytes);

void *__wrap_memcpy(void *to, const void *from, size_t bytes)
{
	touched(from, bytes, false);
	touched(to, bytes, true);
	return __real_memcpy(to, from, bytes);
}

void *__wrap_memmove(void *to, const void *from, size_t bytes)
{
	touched(from, bytes, false);
	touched(to, bytes, true);
	return __real_memmove(to, from, bytes);
}

void *__wrap_memset(void *at, int c, size_t bytes)
{
	touched(at, bytes, true);
	return __real_memset(at, c, bytes);
}

#else

#include "base/cost.h"

bool cost_counts_words(void)
{
	return false;
}

#endif
