/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ptr.h - the compact binary trace: what both its reader and its writer know
 *
 *	magic version | HEAD | FILE ... | EVTS | EVTS | ... | INDX | trailer
 *	8     8                                ^
 *	                                       `-- the index tells where each is
 *
 *	section   [ type | sequence | packed | plain | events | crc | time_ns ] payload
 *	          4      4          4        4       4        4     8           packed bytes
 *
 * All numbers are little-endian. A payload is one zstd frame; the checksum is
 * the CRC-32 of the section's 32 bytes, with `crc` as zero, and of the packed
 * payload, so it is proved before anything is decompressed. Sequence numbers
 * count sections from 0: one that is missing, doubled or moved is noticed.
 *
 * HEAD is text, FILE a piece of a file that stood beside the trace, EVTS a
 * block of events that needs nothing but HEAD to be read. pagetax-trace(5)
 * says all of it.
 *
 *	EVTS    shape low | high | delta low | high | pfns | long deltas | shapes
 *	bytes   n           n      n           n      ?      8 each        16 each
 *
 * A shape is all of an event but its time and its pfn; a machine has few
 * hundred. Bytes of one meaning stand together, as zstd likes them. Pfns are
 * either absolute, four bytes each, for zstd to find the sequences that come
 * again, or differences to the last pfn of the same kind of event, of variable
 * length: the writer tries both and keeps what packs better.
 */
#ifndef PAGETAX_SIM_PTR_H
#define PAGETAX_SIM_PTR_H

#include "base/types.h"
#include "sim/source/event.h"
#include "sim/source/little_endian.h"

#define PTR_MAGIC "\x8bptr\r\n\x1a\n"	/* falls to what text modes do to line ends */
#define PTR_MAGIC_BYTES 8
#define PTR_VERSION 1
#define PTR_START_BYTES 16		/* magic, version, zero */
#define PTR_SECTION_BYTES 32
#define PTR_CRC_AT 20			/* in a section */
#define PTR_TRAILER "endofptr"		/* behind the offset of INDX */
#define PTR_TRAILER_BYTES 16

#define PTR_BLOCK_EVENTS 65536u		/* most a block may have: 16 bits name a shape */
#define PTR_SHAPE_BYTES 16
#define PTR_PIECE_BYTES (256u << 10)	/* most bytes of a file in a section */
#define PTR_NAME_BYTES 256		/* of a file, with the 0 behind it */
#define PTR_INDEX_BYTES 24		/* offset, time_ns, first event */

#define PTR_LONG_DELTA 0xffff		/* its true value is in the list of long ones */
#define PTR_PFN_FAILED UINT32_MAX	/* EVENT_PFN_FAILED among absolute pfns */
#define PTR_VARINT_BYTES 10		/* 64 bits, seven a byte */

/* No honest section is larger, however it is packed. */
#define PTR_PLAIN_MAX (PTR_BLOCK_EVENTS * (4u + PTR_VARINT_BYTES + 8u + PTR_SHAPE_BYTES) + \
		       16u)
#define PTR_HEAD_MAX  (64u << 20)	/* 65535 process names, and room */

enum ptr_type {
	PTR_HEAD = 0x44414548,		/* "HEAD" and so on, as bytes in a file */
	PTR_FILE = 0x454c4946,
	PTR_EVTS = 0x53545645,
	PTR_INDX = 0x58444e49,
};

enum ptr_pfn_coding {
	PTR_PFN_ABSOLUTE,		/* u32 */
	PTR_PFN_DELTA,			/* zigzag of the difference, seven bits a byte */
	NR_PTR_PFN_CODINGS,
};

struct ptr_section {
	uint32_t type;			/* enum ptr_type */
	uint32_t sequence;
	uint32_t packed;		/* bytes of payload in the file */
	uint32_t plain;			/* bytes of it unpacked */
	uint32_t nr_events;		/* EVTS only, as is the time of the first */
	uint32_t crc;
	uint64_t time_ns;
};

/* What an EVTS payload begins with. */
#define PTR_EVTS_BYTES 16		/* pfn coding, bytes of pfns, long deltas, shapes: u32 each */

/* An event without time and pfn, in two words. */
struct ptr_shape {
	uint64_t who;			/* gfp: 32 bits, cpu: 16, process: 16 */
	uint64_t what;			/* kind, order, migratetype, flags, fallback_order,
					   fallback_migratetype: 8 bits each, from the lowest */
};

/* Small numbers of either sign become small ones: 0, -1, 1, -2 ... */
static inline uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t code)
{
	return code >> 1 ^ (0 - (code & 1));
}

/* The section's 32 bytes, and back. */
void ptr_section_put(uint8_t bytes[PTR_SECTION_BYTES], const struct ptr_section *s);
void ptr_section_get(struct ptr_section *s, const uint8_t bytes[PTR_SECTION_BYTES]);

/* What `crc` has to be. */
uint32_t ptr_section_crc(const uint8_t bytes[PTR_SECTION_BYTES],
			 const uint8_t *payload, size_t len);

struct msg;
struct output;
struct trace;
struct layout;

/*
 * Write a trace with the files that came with it. layout: the machine's zones,
 * or NULL when nobody recorded them. *file_bytes is how much of the output
 * those files take. 0, or -ENOMEM with a message; what happens to the output
 * shows when it is committed.
 */
int ptr_write(struct output *out, const struct trace *trace,
	      const struct layout *layout, uint64_t *file_bytes, struct msg *msg);

#endif
