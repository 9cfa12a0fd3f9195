/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenario.c - INI text becomes a scenario, or one message
 *
 * The first word of a section names its table; each key has one setter. What
 * depends on the whole (the machine, phases that name classes) is finished at
 * the end, with the line it stood in kept for messages.
 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/bits.h"
#include "base/nearest.h"
#include "sim/data_dir.h"
#include "sim/workload/ini_file.h"
#include "sim/workload/scenario_reader.h"

#define MAX_INCLUDE_DEPTH 8

int scenario_no_memory(struct msg *msg)
{
	return msg_set(msg, ENOMEM, "no memory for the scenario");
}

/* Above the first section */

static int read_file(struct scenario_reader *r, const char *path);

static int set_description(struct scenario_reader *r, char *value, struct msg *why)
{
	/* An included file describes itself. */
	if (r->depth > 1 || r->s->description)
		return 0;
	r->s->description = strdup(value);
	return r->s->description ? 0 : scenario_no_memory(why);
}

/*
 * A file beside this one. That it cannot be read is a mistake in this file, said
 * with its line; what is wrong within it has been said already.
 */
static int set_include(struct scenario_reader *r, char *value, struct msg *why)
{
	const char *slash = strrchr(r->file, '/');
	const char *file = r->file;
	unsigned int line = r->line;
	char path[4096];
	int err;

	if (r->depth == MAX_INCLUDE_DEPTH)
		return msg_set(why, EINVAL, "files include each other %d deep",
			       MAX_INCLUDE_DEPTH);
	snprintf(path, sizeof(path), "%.*s%s",
		 slash && *value != '/' ? (int)(slash - r->file + 1) : 0, r->file,
		 value);
	err = read_file(r, path);
	r->file = file;
	r->line = line;
	r->kind = NULL;
	r->section[0] = '\0';
	if (!err || err == -EINVAL || err == -ENOMEM)
		return err;
	return msg_set(why, EINVAL, "%s", r->msg->text);
}

static const struct scenario_key top_keys[] = {
	{ "description", set_description },
	{ "include",     set_include },
	{ NULL, NULL },
};

static const struct section_kind section_kinds[] = {
	{ .name = "", .keys = top_keys },
	{ .name = "machine", .begin = machine_begin, .keys = machine_keys },
	{ .name = "phase", .named = true, .begin = phase_begin,
	  .keys = phase_keys, .is_other = phase_names_classes, .other = phase_keep },
	{ .name = "class", .named = true, .begin = class_begin, .keys = class_keys },
	{ .name = "template", .named = true, .begin = template_begin,
	  .keys = class_keys },
};

/* Lines */

/* The message of a setter, with the place in front of it. */
static int at_line(const struct scenario_reader *r, const char *what, int err,
		   const struct msg *why)
{
	return msg_set(r->msg, -err, "%s:%u: %s: %s", r->file, r->line, what,
		       why->text);
}

static int bad_section(const struct scenario_reader *r)
{
	return msg_set(r->msg, EINVAL,
		       "%s:%u: [%s]: expected [machine], [phase NAME], [class NAME] or [template NAME], names up to %d characters",
		       r->file, r->line, r->section, SCENARIO_NAME_MAX - 1);
}

static int begin_section(struct scenario_reader *r, const struct ini_place *at)
{
	const char *section = at->section;
	size_t len = strcspn(section, " ");
	const char *name = section + len + strspn(section + len, " ");
	struct msg why;
	int err;

	snprintf(r->section, sizeof(r->section), "%s", at->section);
	r->section_line = at->section_line;
	r->kind = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(section_kinds); i++) {
		if (strlen(section_kinds[i].name) == len &&
		    !strncmp(section_kinds[i].name, section, len))
			r->kind = &section_kinds[i];
	}
	if (!r->kind || r->kind->named != (*name != '\0') ||
	    strlen(name) >= SCENARIO_NAME_MAX || strchr(name, ' '))
		return bad_section(r);
	err = r->kind->begin ? r->kind->begin(r, name, &why) : 0;
	return err ? at_line(r, section, err, &why) : 0;
}

static int unknown_key(const struct scenario_reader *r, const char *key)
{
	struct names names = { 0 };

	for (const struct scenario_key *k = r->kind->keys; k->name; k++)
		names_add(&names, "%s", k->name);
	return msg_set(r->msg, EINVAL, "%s:%u: unknown key '%s'%s%s%s; allowed are %s",
		       r->file, r->line, key, *r->section ? " in [" : "",
		       r->section, *r->section ? "]" : "", names.text);
}

static int take_value(void *ctx, const struct ini_place *at, const char *key,
		      char *value)
{
	struct scenario_reader *r = ctx;
	const struct scenario_key *k;
	struct msg why = { "" };
	int err;

	r->line = at->line;
	if (!r->kind || at->section_line != r->section_line) {
		int bad = begin_section(r, at);

		if (bad)
			return bad;
	}
	for (k = r->kind->keys; k->name; k++) {
		if (k->set && !strcmp(k->name, key))
			break;
	}
	if (k->name)
		err = k->set(r, value, &why);
	else if (r->kind->is_other && r->kind->is_other(key))
		err = r->kind->other(r, key, value, &why);
	else
		return unknown_key(r, key);
	/* An included file has said where it went wrong itself. */
	if (err && *why.text)
		return at_line(r, key, err, &why);
	return err;
}

static void take_bytes(void *ctx, const char *bytes, size_t len)
{
	struct scenario_reader *r = ctx;

	sha256_update(&r->sha256, len, (const uint8_t *)bytes);
}

static int read_file(struct scenario_reader *r, const char *path)
{
	struct scenario *s = r->s;
	int err;

	if (array_grow(s->files, s->nr_files) ||
	    !(s->files[s->nr_files] = strdup(path)))
		return scenario_no_memory(r->msg);
	r->file = s->files[s->nr_files++];
	r->kind = NULL;
	r->depth++;
	err = ini_file_read(r->file, take_value, take_bytes, r, r->msg);
	r->depth--;
	return err;
}

static int finish(struct scenario_reader *r)
{
	struct scenario *s = r->s;
	int err = machine_finish(r);

	if (err)
		return err;
	if (!s->nr_classes || !s->nr_phases)
		return msg_set(r->msg, EINVAL, "%s: there is no [%s]", s->files[0],
			       s->nr_classes ? "phase NAME" : "class NAME");
	for (unsigned int p = 0; p < s->nr_phases; p++) {
		if (!s->phases[p].duration_ns)
			return msg_set(r->msg, EINVAL,
				       "%s: [phase %s] lacks the key duration",
				       s->files[0], s->phases[p].name);
		s->duration_ns += s->phases[p].duration_ns;
		if (s->duration_ns > PARAM_LIMIT)
			return msg_set(r->msg, EINVAL,
				       "%s: [phase %s]: with those before it, it ends after more than 146 years",
				       s->files[0], s->phases[p].name);
	}
	err = phases_finish(r);
	for (unsigned int c = 0; c < s->nr_classes && !err; c++)
		err = class_finish(r, &s->classes[c]);
	return err;
}

static void note_sha256(struct scenario_reader *r)
{
	uint8_t digest[SHA256_DIGEST_SIZE];

	sha256_digest(&r->sha256, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		snprintf(r->s->sha256 + 2 * i, 3, "%02x", digest[i]);
}

const char *scenario_dir(void)
{
	static struct data_dir dir = {
		.variable = "PAGETAX_SCENARIOS",
		.in_sources = "sim/scenarios",
		.installed = PAGETAX_DATADIR "/scenarios",
		.proof = "server.ini",
	};

	return data_dir_find(&dir);
}

static bool name_is_path(const char *name)
{
	size_t len = strlen(name);

	return strchr(name, '/') || (len > 4 && !strcmp(name + len - 4, ".ini"));
}

/* Last part of the path, without the ending. */
static char *short_name(const char *name)
{
	const char *slash = strrchr(name, '/');
	const char *last = slash ? slash + 1 : name;
	const char *dot = strrchr(last, '.');

	return strndup(last, dot && dot > last ? (size_t)(dot - last) : strlen(last));
}

static void find_path(const char *name, char *path, size_t size)
{
	if (name_is_path(name))
		snprintf(path, size, "%s", name);
	else
		snprintf(path, size, "%s/%s.ini", scenario_dir(), name);
}

static int is_scenario(const struct dirent *entry)
{
	return !fnmatch("*.ini", entry->d_name, 0);
}

int scenario_names(char ***names)
{
	struct dirent **entries;
	int nr = scandir(scenario_dir(), &entries, is_scenario, alphasort);

	*names = nr > 0 ? calloc((size_t)nr, sizeof(**names)) : NULL;
	for (int i = 0; i < nr; i++) {
		if (*names)
			(*names)[i] = strndup(entries[i]->d_name,
					      strlen(entries[i]->d_name) - strlen(".ini"));
		free(entries[i]);
	}
	if (nr >= 0)
		free(entries);
	return *names ? nr : 0;
}

void scenario_names_free(char **names, int nr)
{
	for (int i = 0; i < nr; i++)
		free(names[i]);
	free(names);
}

static int no_such_scenario(const char *name, struct msg *msg)
{
	struct nearest near = nearest_to(name, strlen(name));
	char **names;
	int nr = scenario_names(&names);

	for (int i = 0; i < nr; i++)
		if (names[i])
			nearest_try(&near, names[i]);
	msg_set(msg, EINVAL,
		"there is no scenario '%s'%s in %s; `pagetax list scenarios` names them, and a file's name ends in .ini",
		name, nearest_hint(&near), scenario_dir());
	scenario_names_free(names, nr);
	return -EINVAL;
}

bool scenario_exists(const char *name)
{
	char path[4096];

	find_path(name, path, sizeof(path));
	return !access(path, R_OK);
}

int scenario_read(struct scenario *s, const char *name, double scale,
		  struct msg *msg)
{
	struct scenario_reader r = { .s = s, .msg = msg, .scale = scale };
	char path[4096];
	int err = -ENOMEM;

	*s = (struct scenario){ .name = short_name(name) };
	r.late = calloc(MAX_LATE_KEYS, sizeof(*r.late));
	sha256_init(&r.sha256);
	find_path(name, path, sizeof(path));
	if (!name_is_path(name) && access(path, R_OK))
		err = no_such_scenario(name, msg);
	else if (s->name && r.late)
		err = read_file(&r, path);
	else
		scenario_no_memory(msg);
	if (!err)
		err = finish(&r);
	note_sha256(&r);
	for (unsigned int i = 0; i < r.nr_late; i++)
		free(r.late[i].value);
	free(r.late);
	for (unsigned int i = 0; i < r.nr_templates; i++)
		class_free(&r.templates[i]);
	free(r.templates);
	if (err)
		scenario_free(s);
	return err;
}

int scenario_machine(struct layout *layout, const char *name, double scale,
		     struct msg *msg)
{
	struct scenario s;
	int err = scenario_read(&s, name, scale, msg);

	if (err)
		return err;
	if (layout_copy(layout, &s.layout))
		err = msg_set(msg, ENOMEM, "no memory for the machine");
	scenario_free(&s);
	return err;
}

void scenario_free(struct scenario *s)
{
	for (unsigned int i = 0; i < s->nr_classes; i++)
		class_free(&s->classes[i]);
	free(s->classes);
	for (unsigned int i = 0; i < s->nr_phases; i++)
		free(s->phases[i].releases);
	free(s->phases);
	for (unsigned int i = 0; i < s->nr_files; i++)
		free(s->files[i]);
	free(s->files);
	free(s->name);
	free(s->description);
	layout_free(&s->layout);
	*s = (struct scenario){ 0 };
}
