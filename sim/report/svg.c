/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * svg.c - copy a drawing mark by mark, its curves thinned on the way
 *
 *     text --> is a mark here?  --no--> one character goes out as it is
 *                   |
 *                  yes: the mark's own copier, which says where it stopped
 *
 * Cost: one step a character; one for each pair of near points of a curve.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/types.h"
#include "sim/report/svg.h"

#define PIXEL_PART     10.0	/* coordinates are whole tenths of a pixel */
#define NEAR           0.1	/* pixels: nobody sees it */
#define CROWD          8	/* points in one pixel's width; a box has five */
#define LONGEST_STRIDE 64	/* points one line may stand for */

struct point {
	double x, y;
};

/* A pattern as first met; later ones that are equal go by its id. */
struct pattern {
	const char *id;			/* into the text */
	size_t id_len;
	const char *body;		/* from behind the id to the end */
	size_t body_len;
	size_t first;			/* place of the first that is equal */
};

struct copy {
	FILE *out;
	unsigned int nr;
	bool failed;			/* no memory: the copy is not complete */

	struct point *points;		/* of the curve at hand */
	size_t nr_points, points_room;

	struct pattern *patterns;	/* all, in the order of the text */
	size_t nr_patterns, patterns_room;
};

/* Room for one more in an array that doubles. */
static bool make_room(struct copy *c, void **array, size_t nr, size_t *room,
		      size_t each)
{
	size_t more = *room ? 2 * *room : 256;
	void *larger;

	if (nr < *room)
		return true;
	larger = realloc(*array, more * each);
	if (!larger) {
		c->failed = true;
		return false;
	}
	*array = larger;
	*room = more;
	return true;
}

/* ---- curves ---- */

static bool add_point(struct copy *c, double x, double y)
{
	void *array = c->points;
	bool room = make_room(c, &array, c->nr_points, &c->points_room,
			      sizeof(*c->points));

	c->points = array;
	if (room)
		c->points[c->nr_points++] = (struct point){ x, y };
	return room;
}

static double distance_to_segment(struct point p, struct point a, struct point b)
{
	double dx = b.x - a.x, dy = b.y - a.y;
	double square = dx * dx + dy * dy;
	double part = square > 0 ?
		((p.x - a.x) * dx + (p.y - a.y) * dy) / square : 0;

	part = part < 0 ? 0 : part > 1 ? 1 : part;
	return hypot(p.x - (a.x + part * dx), p.y - (a.y + part * dy));
}

/*
 *      x             Points [from, end) lie in one pixel's width. What is seen
 *     x x            of them is where the curve comes in, how high and how low
 *    x   x   x       it gets, and where it leaves.
 *         x x
 */
static size_t keep_of_crowd(struct point *p, size_t from, size_t end, size_t to)
{
	size_t low = from, high = from;

	for (size_t i = from; i < end; i++) {
		low = p[i].y < p[low].y ? i : low;
		high = p[i].y > p[high].y ? i : high;
	}
	for (size_t i = from; i < end; i++) {
		if (i == from || i == low || i == high || i == end - 1)
			p[to++] = p[i];
	}
	return to;
}

static size_t thin_crowds(struct point *p, size_t nr)
{
	size_t to = 0;

	for (size_t from = 0, end; from < nr; from = end) {
		for (end = from + 1; end < nr && floor(p[end].x) == floor(p[from].x);)
			end++;
		if (end - from > CROWD) {
			to = keep_of_crowd(p, from, end, to);
			continue;
		}
		memmove(p + to, p + from, (end - from) * sizeof(*p));
		to += end - from;
	}
	return to;
}

/* Whether the line from one to the other passes near all points between. */
static bool line_stands_for(const struct point *p, size_t from, size_t end)
{
	for (size_t i = from + 1; i < end; i++) {
		if (distance_to_segment(p[i], p[from], p[end]) > NEAR)
			return false;
	}
	return true;
}

static size_t thin_lines(struct point *p, size_t nr)
{
	size_t to = 0;

	for (size_t from = 0, end; from < nr; from = end) {
		p[to++] = p[from];
		for (end = from + 1; end + 1 < nr && end - from < LONGEST_STRIDE &&
		     line_stands_for(p, from, end + 1);)
			end++;
	}
	return to;
}

static void put_points(struct copy *c, const char *before)
{
	size_t nr = thin_lines(c->points, thin_crowds(c->points, c->nr_points));

	for (size_t i = 0; i < nr; i++)
		fprintf(c->out, "%s%g,%g", i ? " " : before,
			round(c->points[i].x * PIXEL_PART) / PIXEL_PART,
			round(c->points[i].y * PIXEL_PART) / PIXEL_PART);
	c->nr_points = 0;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t\n");
}

/* "x,y" at *text, which moves on behind it. */
static bool read_point(struct copy *c, const char **text)
{
	char *end;
	double x = strtod(*text, &end), y;

	if (end == *text || *end != ',')
		return false;
	*text = end + 1;
	y = strtod(*text, &end);
	if (end == *text)
		return false;
	*text = skip_blanks(end);
	return add_point(c, x, y);
}

/* The corners of a polygon, up to the quote behind them. */
static const char *copy_corners(struct copy *c, const char *text)
{
	fputs(" points='", c->out);
	text = skip_blanks(text);
	while (read_point(c, &text))
		;
	put_points(c, "");
	return text;
}

/* "Mx,y Lx,y Lx,y ... Z", up to the quote. After M, further points are lines. */
static const char *copy_path(struct copy *c, const char *text)
{
	fputs(" d='", c->out);
	for (text = skip_blanks(text); *text == 'M' || *text == 'L'; ) {
		if (*text == 'M' && c->nr_points)
			put_points(c, "M");
		text++;
		if (!read_point(c, &text))
			break;
	}
	if (c->nr_points)
		put_points(c, "M");
	return text;
}

/* ---- ids and patterns ---- */

/* What comes before a name that must differ from drawing to drawing. */
static const char *const id_marks[] = {
	"id='", "id=\"", "url(#", "href='#", "href=\"#",
};

static const char *id_mark_at(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(id_marks); i++) {
		if (!strncmp(text, id_marks[i], strlen(id_marks[i])))
			return id_marks[i];
	}
	return NULL;
}

/* The pattern that goes for the one named at text, NULL: it names none. */
static const struct pattern *stand_in(const struct copy *c, const char *text)
{
	for (size_t i = c->nr_patterns; i--;) {
		const struct pattern *p = &c->patterns[i];

		if (!strncmp(text, p->id, p->id_len) && text[p->id_len] == ')')
			return &c->patterns[p->first];
	}
	return NULL;
}

static const char *copy_id(struct copy *c, const char *text, const char *mark)
{
	const struct pattern *p;

	fprintf(c->out, "%sd%u-", mark, c->nr);
	text += strlen(mark);
	p = stand_in(c, text);
	if (!p)
		return text;
	fwrite(p->id, 1, p->id_len, c->out);
	return text + strcspn(text, ")");
}

/* Definitions have scales of their own, so nothing but names changes there. */
static const char *copy_definitions(struct copy *c, const char *text,
				    const char *end)
{
	while (text < end) {
		const char *mark = id_mark_at(text);

		if (mark)
			text = copy_id(c, text, mark);
		else
			fputc(*text++, c->out);
	}
	return text;
}

/* Note the pattern defined in [text, end). Whether it is the first of its kind. */
static bool note_pattern(struct copy *c, const char *text, const char *end)
{
	struct pattern p = { .id = strstr(text, "id='"), .first = 0 };
	void *array = c->patterns;

	if (!p.id || p.id >= end)
		return true;
	p.id += strlen("id='");
	p.id_len = strcspn(p.id, "'");
	p.body = p.id + p.id_len;
	p.body_len = (size_t)(end - p.body);
	while (p.first < c->nr_patterns &&
	       (c->patterns[p.first].body_len != p.body_len ||
		memcmp(c->patterns[p.first].body, p.body, p.body_len)))
		p.first++;
	if (make_room(c, &array, c->nr_patterns, &c->patterns_room, sizeof(p)))
		((struct pattern *)array)[c->nr_patterns++] = p;
	c->patterns = array;
	return p.first + 1 >= c->nr_patterns;
}

/* ---- the whole ---- */

static bool begins(const char *text, const char *mark)
{
	return !strncmp(text, mark, strlen(mark));
}

static const char *behind(const char *text, const char *mark)
{
	const char *at = strstr(text, mark);

	return at ? at + strlen(mark) : text + strlen(text);
}

static const char *copy_defs(struct copy *c, const char *text)
{
	const char *end = behind(text, "</defs>");
	const char *inside = skip_blanks(text + strlen("<defs>"));

	if (begins(inside, "<pattern") && !note_pattern(c, inside, end))
		return end;
	return copy_definitions(c, text, end);
}

/* Behind a group of nothing, else NULL. */
static const char *skip_empty_group(const char *text)
{
	const char *inside = skip_blanks(text + strcspn(text, ">") + 1);

	return begins(inside, "</g>") ? behind(inside, "</g>") : NULL;
}

static const char *copy_mark(struct copy *c, const char *text)
{
	const char *mark, *end;

	if (begins(text, "<title>"))
		return behind(text, "</title>");
	if (begins(text, "<defs>"))
		return copy_defs(c, text);
	if (begins(text, "<g fill") && (end = skip_empty_group(text)))
		return end;
	if (begins(text, " points = '"))
		return copy_corners(c, text + strlen(" points = '"));
	if (begins(text, " d='M"))
		return copy_path(c, text + strlen(" d='"));
	mark = id_mark_at(text);
	if (mark)
		return copy_id(c, text, mark);
	fputc(*text, c->out);
	return *text == '\n' ? skip_blanks(text) : text + 1;
}

int svg_copy(FILE *out, const char *text, unsigned int nr)
{
	struct copy c = { .out = out, .nr = nr };

	while (*text && !c.failed)
		text = copy_mark(&c, text);
	free(c.points);
	free(c.patterns);
	return c.failed ? -ENOMEM : 0;
}
