/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tax.c - columns of the account become the tax of a run */
#include "sim/metrics/tax.h"

static uint64_t above(uint64_t value, uint64_t base)
{
	return value > base ? value - base : 0;
}

void tax_compute(struct tax *tax, const struct meta_account *start,
		 const struct meta_account *end)
{
	uint64_t structures = start->now[META_structures];

	*tax = (struct tax){
		.static_bytes = start->now[META_descriptors] + structures,
		.dynamic_peak_bytes = end->peak[META_nodes] +
			above(end->peak[META_structures], structures),
		.dynamic_end_bytes = end->now[META_nodes] +
			above(end->now[META_structures], structures),
		.caller_peak_bytes = end->peak[META_caller],
		.borrowed_bytes = end->peak[META_borrowed],
		.inband_peak_bytes = end->peak[META_inband],
		.parked_peak_bytes = end->peak[META_parked],
		.lowmem_peak_bytes = end->lowmem_peak,
	};
}

uint64_t tax_own(const struct tax *tax)
{
	return tax->static_bytes + tax->dynamic_peak_bytes;
}

uint64_t tax_total(const struct tax *tax)
{
	return tax_own(tax) + tax->allocatee_peak_bytes +
	       tax->caller_peak_bytes + tax->borrowed_bytes +
	       tax->inband_peak_bytes;
}

double tax_percent(uint64_t bytes, const struct layout *layout)
{
	uint64_t memory = (uint64_t)layout_present(layout) << PAGE_SHIFT;

	return memory ? 100.0 * (double)bytes / (double)memory : 0;
}
