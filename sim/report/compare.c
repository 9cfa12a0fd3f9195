/* SPDX-License-Identifier: GPL-2.0-or-later */
/* compare.c - pairs of runs, their differences, and a small expression */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "sim/report/compare.h"

static int find_run(const struct result *r, const char *allocator)
{
	for (unsigned int i = 0; i < r->nr_runs; i++) {
		if (!strcmp(result_allocator(r, i), allocator))
			return (int)i;
	}
	return -1;
}

int compare_results(struct comparison_of_results *c, const struct result *a,
		    const struct result *b, struct msg *msg)
{
	*c = (struct comparison_of_results){ .a = a, .b = b };
	c->pairs = calloc(a->nr_runs + 1, sizeof(*c->pairs));
	if (!c->pairs)
		return msg_set(msg, ENOMEM, "no memory to compare");
	for (unsigned int i = 0; i < a->nr_runs; i++) {
		int other = find_run(b, result_allocator(a, i));

		if (other < 0 && a->nr_runs == 1 && b->nr_runs == 1)
			other = 0;
		if (other >= 0)
			c->pairs[c->nr_pairs++] =
				(struct compare_pair){ i, (unsigned int)other };
	}
	if (c->nr_pairs)
		return 0;
	compare_free(c);
	return msg_set(msg, ENOENT, "%s and %s have no allocator in common",
		       a->path, b->path);
}

void compare_free(struct comparison_of_results *c)
{
	free(c->pairs);
	*c = (struct comparison_of_results){ .pairs = NULL };
}

/* Percent of a; of nothing, any change is without bound. */
static double relative(double a, double b)
{
	if (a == b)
		return 0;
	return a != 0 ? 100 * (b - a) / fabs(a) : (b > a ? INFINITY : -INFINITY);
}

/* ---- showing them ---- */

/* Six figures, or all of a whole number; a sign if asked for. */
static void print_value(FILE *out, double value, bool sign)
{
	bool whole = value == floor(value) && fabs(value) < 1e15;
	char text[48] = "-";

	if (!isnan(value) && whole)
		snprintf(text, sizeof(text), sign ? "%+.0f" : "%.0f", value);
	else if (!isnan(value))
		snprintf(text, sizeof(text), sign ? "%+.6g" : "%.6g", value);
	fprintf(out, " %16s", text);
}

static void print_percent(FILE *out, double a, double b)
{
	if (isnan(b - a))
		fprintf(out, " %14s", "-");
	else
		fprintf(out, " %+14.2f %%", relative(a, b));
}

static void print_pair(FILE *out, const struct comparison_of_results *c,
		       const struct compare_pair *pair)
{
	const char *left = result_allocator(c->a, pair->a);
	const char *right = result_allocator(c->b, pair->b);

	fprintf(out, "\n%s%s%s\n", left, strcmp(left, right) ? " -> " : "",
		strcmp(left, right) ? right : "");
	for (unsigned int i = 0; i < NR_RESULT_COLUMNS; i++) {
		double a = result_value(c->a, pair->a, i);
		double b = result_value(c->b, pair->b, i);

		if (isnan(a) && isnan(b))
			continue;
		fprintf(out, "  %-22s", result_column_names[i]);
		print_value(out, a, false);
		print_value(out, b, false);
		print_value(out, b - a, true);
		print_percent(out, a, b);
		fprintf(out, "\n");
	}
}

static void print_strangers(FILE *out, const struct result *of,
			    const struct result *other)
{
	for (unsigned int i = 0; i < of->nr_runs; i++) {
		if (find_run(other, result_allocator(of, i)) < 0)
			fprintf(out, "\nonly in %s: %s\n", of->path,
				result_allocator(of, i));
	}
}

void compare_print(FILE *out, const struct comparison_of_results *c)
{
	const json_t *left = json_object_get(c->a->summary, "input");
	const json_t *right = json_object_get(c->b->summary, "input");

	fprintf(out, "A  %s: %s, pagetax %s\n", c->a->path,
		json_text_at(left, "name"),
		json_text_at(c->a->summary, "version"));
	fprintf(out, "B  %s: %s, pagetax %s\n", c->b->path,
		json_text_at(right, "name"),
		json_text_at(c->b->summary, "version"));
	if (strcmp(json_text_at(left, "sha256"), json_text_at(right, "sha256")))
		fprintf(out, "The inputs are not the same.\n");
	fprintf(out, "\n  %-22s %16s %16s %16s %16s\n", "", "A", "B", "B - A",
		"of A");
	for (unsigned int i = 0; i < c->nr_pairs; i++)
		print_pair(out, c, &c->pairs[i]);
	if (c->nr_pairs == 1 && c->a->nr_runs == 1 && c->b->nr_runs == 1)
		return;
	print_strangers(out, c->a, c->b);
	print_strangers(out, c->b, c->a);
}

/* ---- the expression ---- */

struct parser {
	const struct comparison_of_results *c;
	const char *expr;
	const char *at;
	struct msg *msg;
};

static int expected(const struct parser *p, const char *what)
{
	return msg_set(p->msg, EINVAL,
		       "--fail-if: at letter %d, '%.20s': expected %s",
		       (int)(p->at - p->expr) + 1, p->at, what);
}

static void skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if (strncmp(p->at, word, len) || isalnum((unsigned char)p->at[len]))
		return false;
	p->at += len;
	return true;
}

struct condition {
	const char *allocator;		/* NULL: any */
	size_t allocator_len;
	char side;			/* 'a', 'b', or 0 for the difference */
	enum result_column column;
	const char *op;
	double number;
	bool percent;
};

/* What stands there is `written` letters long. */
static int expected_column(const struct parser *p, size_t written)
{
	struct nearest near = nearest_to(p->at, written);
	char names[1200];

	for (unsigned int i = 0; i < NR_RESULT_COLUMNS; i++)
		nearest_try(&near, result_column_names[i]);
	snprintf(names, sizeof(names), "a column%s: %s", nearest_hint(&near),
		 near.tried.text);
	return expected(p, names);
}

static int parse_subject(struct parser *p, struct condition *cond)
{
	size_t len;

	skip_blanks(p);
	len = strcspn(p->at, "/ \t<>!");	/* not =, which options have */
	if (p->at[len] == '/') {
		cond->allocator = p->at;
		cond->allocator_len = len;
		p->at += len + 1;
	}
	if ((p->at[0] == 'a' || p->at[0] == 'b') && p->at[1] == '.') {
		cond->side = p->at[0];
		p->at += 2;
	}
	len = strspn(p->at, "abcdefghijklmnopqrstuvwxyz_0123456789");
	cond->column = result_column_find(p->at, len);
	if (cond->column == NR_RESULT_COLUMNS)
		return expected_column(p, len);
	p->at += len;
	return 0;
}

static int parse_condition(struct parser *p, struct condition *cond)
{
	static const char *const ops[] = { ">=", "<=", "==", "!=", ">", "<" };
	char *end;
	int err = parse_subject(p, cond);

	if (err)
		return err;
	skip_blanks(p);
	for (size_t i = 0; i < ARRAY_SIZE(ops) && !cond->op; i++) {
		if (!strncmp(p->at, ops[i], strlen(ops[i])))
			cond->op = ops[i];
	}
	if (!cond->op)
		return expected(p, ">, >=, <, <=, == or !=");
	p->at += strlen(cond->op);
	skip_blanks(p);
	cond->number = strtod(p->at, &end);
	if (end == p->at || !isfinite(cond->number))
		return expected(p, "a number");
	p->at = end;
	cond->percent = *p->at == '%';
	if (cond->percent && cond->side)
		return expected(p, "no %, which is for a change, not for a. or b.");
	p->at += cond->percent;
	return 0;
}

/* What the number is held against; NAN: a result does not have it. */
static double pair_figure(const struct comparison_of_results *c,
			  const struct compare_pair *pair,
			  const struct condition *cond)
{
	double a = result_value(c->a, pair->a, cond->column);
	double b = result_value(c->b, pair->b, cond->column);

	if (isnan(a) || isnan(b))
		return NAN;
	if (cond->side)
		return cond->side == 'a' ? a : b;
	return cond->percent ? relative(a, b) : b - a;
}

static bool fulfils(double value, const struct condition *cond)
{
	if (!strcmp(cond->op, ">="))
		return value >= cond->number;
	if (!strcmp(cond->op, "<="))
		return value <= cond->number;
	if (!strcmp(cond->op, "=="))
		return value == cond->number;
	if (!strcmp(cond->op, "!="))
		return value != cond->number;
	return *cond->op == '>' ? value > cond->number : value < cond->number;
}

static int evaluate_condition(struct parser *p, bool *holds)
{
	struct condition cond = { .op = NULL };
	bool named = false, told = false;
	const char *begin;
	int err;

	skip_blanks(p);
	begin = p->at;
	err = parse_condition(p, &cond);
	if (err)
		return err;
	*holds = false;
	for (unsigned int i = 0; i < p->c->nr_pairs; i++) {
		const char *name = result_allocator(p->c->b, p->c->pairs[i].b);
		double figure;

		if (cond.allocator && (strlen(name) != cond.allocator_len ||
				       memcmp(name, cond.allocator, cond.allocator_len)))
			continue;
		named = true;
		figure = pair_figure(p->c, &p->c->pairs[i], &cond);
		if (isnan(figure))
			continue;
		told = true;
		if (fulfils(figure, &cond))
			*holds = true;
	}
	if (told)
		return 0;
	/* What is not known is not well: a check on it would never fail. */
	p->at = begin;
	return expected(p, named ? "a figure that both results have"
				 : "an allocator that both results have");
}

static int evaluate_term(struct parser *p, bool *holds)
{
	int err = evaluate_condition(p, holds);

	while (!err && take_word(p, "and")) {
		bool more;

		err = evaluate_condition(p, &more);
		*holds = *holds && more;
	}
	return err;
}

int compare_evaluate(const struct comparison_of_results *c, const char *expr,
		     bool *holds, struct msg *msg)
{
	struct parser p = { c, expr, expr, msg };
	int err = evaluate_term(&p, holds);

	while (!err && take_word(&p, "or")) {
		bool more;

		err = evaluate_term(&p, &more);
		*holds = *holds || more;
	}
	skip_blanks(&p);
	if (!err && *p.at)
		return expected(&p, "and, or, or nothing more");
	return err;
}
