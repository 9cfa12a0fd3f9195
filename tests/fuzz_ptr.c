/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_ptr.c - a .ptr whose checksums are right and whose contents are not
 *
 *	[ HEAD | FILE | EVTS | INDX | trailer ]
 *	    |      |  ^^^^^^     |
 *	    unpack    mutate     point at the blocks again
 *	    `------ pack, with new checksums
 *
 * Bytes that are changed anywhere are caught by the checksums, which leaves
 * all behind them untried. So a change is made to what a section unpacks to.
 * One time in eight the file itself is changed, too.
 *
 * What was read as a recording is replayed, as `pagetax replay` would.
 */
#include <stdlib.h>
#include <string.h>

#include <zstd.h>

#include "sim/source/ptr.h"
#include "tests/sim_fuzz.h"

#define MAX_PIECES 32
#define PLAIN_BYTES (256u << 10)

struct piece {
	struct ptr_section section;
	uint8_t plain[PLAIN_BYTES];
};

static struct piece pieces[MAX_PIECES];

/* How many sections there are up to the first that is none. */
static unsigned int unpack(const uint8_t *data, size_t len)
{
	size_t at = PTR_START_BYTES;
	unsigned int nr = 0;

	while (nr < MAX_PIECES && at + PTR_SECTION_BYTES <= len) {
		struct piece *piece = &pieces[nr];
		size_t plain;

		ptr_section_get(&piece->section, data + at);
		at += PTR_SECTION_BYTES;
		if (piece->section.packed > len - at)
			break;
		plain = ZSTD_decompress(piece->plain, PLAIN_BYTES, data + at,
					piece->section.packed);
		if (ZSTD_isError(plain))
			break;
		piece->section.plain = (uint32_t)plain;
		at += piece->section.packed;
		nr++;
	}
	return nr;
}

/* The index names where blocks of events begin. */
static void point_again(struct piece *index, const uint64_t *blocks, size_t nr)
{
	for (size_t i = 0; i < nr && (i + 1) * PTR_INDEX_BYTES <= index->section.plain; i++)
		put_le64(index->plain + i * PTR_INDEX_BYTES, blocks[i]);
}

/* Returns the file's length, or 0 where there is not room for it. */
static size_t pack(uint8_t *data, size_t room, unsigned int nr)
{
	uint64_t blocks[MAX_PIECES];
	size_t nr_blocks = 0;
	size_t at = PTR_START_BYTES;
	size_t begin = at;

	for (unsigned int i = 0; i < nr; i++) {
		struct ptr_section *s = &pieces[i].section;
		size_t packed;

		if (at + PTR_SECTION_BYTES + PTR_TRAILER_BYTES +
		    ZSTD_compressBound(s->plain) > room)
			return 0;
		if (s->type == PTR_EVTS)
			blocks[nr_blocks++] = at;
		if (s->type == PTR_INDX)
			point_again(&pieces[i], blocks, nr_blocks);
		begin = at;
		packed = ZSTD_compress(data + at + PTR_SECTION_BYTES,
				       ZSTD_compressBound(s->plain), pieces[i].plain,
				       s->plain, 1);
		s->packed = (uint32_t)packed;
		s->sequence = i;
		s->crc = 0;
		ptr_section_put(data + at, s);
		s->crc = ptr_section_crc(data + at, data + at + PTR_SECTION_BYTES, packed);
		ptr_section_put(data + at, s);
		at += PTR_SECTION_BYTES + packed;
	}
	put_le64(data + at, begin);
	memcpy(data + at + 8, PTR_TRAILER, 8);
	return at + PTR_TRAILER_BYTES;
}

static void mutate(struct piece *piece, unsigned int how)
{
	if (how % 16 == 0)
		LLVMFuzzerMutate((uint8_t *)&piece->section.nr_events,
				 sizeof(uint32_t), sizeof(uint32_t));
	else if (how % 16 == 1)
		LLVMFuzzerMutate((uint8_t *)&piece->section.time_ns,
				 sizeof(uint64_t), sizeof(uint64_t));
	else
		piece->section.plain = (uint32_t)
			LLVMFuzzerMutate(piece->plain, piece->section.plain, PLAIN_BYTES);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t len, size_t room,
			       unsigned int seed)
{
	unsigned int nr = unpack(data, len);
	size_t packed = 0;

	if (nr && seed % 8) {
		mutate(&pieces[seed / 8 % nr], seed / 8 / nr);
		packed = pack(data, room, nr);
	}
	return packed ? packed : LLVMFuzzerMutate(data, len, room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	fuzz_recording(fuzz_file(data, len));
	return 0;
}
