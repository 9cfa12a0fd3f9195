/* SPDX-License-Identifier: GPL-2.0-or-later */
/* live.c - a table of lives, and rings of their ids */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/host_memory.h"
#include "sim/workload/live.h"

#define NO_SPARE UINT32_MAX

void live_init(struct live_table *t)
{
	*t = (struct live_table){ .first_spare = NO_SPARE };
}

void live_destroy(struct live_table *t)
{
	free(t->lives);
	live_init(t);
}

static int live_grow(struct live_table *t)
{
	uint64_t room = t->room ? t->room + (uint64_t)t->room / 2 : 1024;
	struct life *lives;

	if (t->room == NO_SPARE)
		return -ENOMEM;
	room = min_t(uint64_t, room, NO_SPARE);
	lives = host_table_grow(t->lives, t->nr_ids * sizeof(*lives),
				room * sizeof(*lives));
	if (!lives)
		return -ENOMEM;
	t->lives = lives;
	t->room = (uint32_t)room;
	return 0;
}

int live_add(struct live_table *t, struct life life, uint32_t *id)
{
	if (t->first_spare != NO_SPARE) {
		*id = t->first_spare;
		t->first_spare = (uint32_t)(t->lives[*id].bits >> LIFE_PFN_SHIFT);
		if (t->first_spare != NO_SPARE)	/* the next to be asked for */
			__builtin_prefetch(&t->lives[t->first_spare], 1);
	} else {
		int err = t->nr_ids == t->room ? live_grow(t) : 0;

		if (err)
			return err;
		*id = t->nr_ids++;
	}
	t->lives[*id] = life;
	return 0;
}

void live_end(struct live_table *t, uint32_t id)
{
	t->lives[id].bits = (uint64_t)t->first_spare << LIFE_PFN_SHIFT | LIFE_SPARE;
	t->first_spare = id;
}

void live_move(struct live_table *t, uint32_t id, unsigned long pfn)
{
	struct life *life = &t->lives[id];

	assert(life_is_live(*life));
	life->bits = (uint64_t)pfn << LIFE_PFN_SHIFT |
		     (life->bits & ((UINT64_C(1) << LIFE_PFN_SHIFT) - 1));
}

void live_make_ghost(struct live_table *t, uint32_t id)
{
	assert(life_state(t->lives[id]) == LIFE_HELD);
	t->lives[id].bits |= LIFE_GHOST;
}

int id_list_push(struct id_list *list, uint32_t id)
{
	if (list->nr == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		uint32_t *ids = malloc(room * sizeof(*ids));
		size_t to_end = list->room - list->first;

		if (!ids)
			return -ENOMEM;
		if (list->nr) {
			memcpy(ids, list->ids + list->first, to_end * sizeof(*ids));
			memcpy(ids + to_end, list->ids, list->first * sizeof(*ids));
		}
		free(list->ids);
		list->ids = ids;
		list->first = 0;
		list->room = room;
	}
	list->ids[(list->first + list->nr++) & (list->room - 1)] = id;
	return 0;
}

uint32_t id_list_pop(struct id_list *list)
{
	uint32_t id = list->ids[list->first];

	assert(list->nr);
	list->first = (list->first + 1) & (list->room - 1);
	list->nr--;
	return id;
}

void id_list_destroy(struct id_list *list)
{
	free(list->ids);
	*list = (struct id_list){ 0 };
}
