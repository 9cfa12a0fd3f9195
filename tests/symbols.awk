# SPDX-License-Identifier: GPL-2.0-or-later
#
# symbols.awk - print every symbol that is used from below, and what the
# library may not have
#
#	nm -A -f sysv OBJECT... | awk -v objects=build/obj/ -f tests/symbols.awk
#
# The includes (layers.awk) cannot tell a function that is declared by hand
# where it is called; the linker's view can. The library has no files, no
# clock, no exit and no variable that is written, and never prints; only
# fatal.c may, on its way down after a broken invariant. src/lib is for kernels,
# too: all it has from outside is how to copy bytes, and what a compiler brings
# itself, whose names begin with "__". Lines come from the objects' debug
# information. Exits with 1 when a line was printed, or when
# there was nothing to look at.

BEGIN {
	FS = "[ \t]*[|][ \t]*"

	height["base"] = 1
	height["lib"] = 2
	height["machine"] = 3
	height["alloc"] = 4
	height["sim"] = 5

	nr = split("printf fprintf vprintf vfprintf dprintf vdprintf " \
		"puts fputs putchar putc fputc fwrite write pwrite perror " \
		"stdout stderr fopen fdopen freopen open open64 openat creat " \
		"fopen64 read pread fread fgets getline mkstemp tmpfile " \
		"exit _exit _Exit quick_exit atexit " \
		"time clock clock_gettime gettimeofday " \
		"getenv secure_getenv rand srand random srandom drand48 " \
		"__printf_chk __fprintf_chk __vfprintf_chk", names, " ")
	for (i = 1; i <= nr; i++)
		outside[names[i]] = 1
	nr = split("memcpy memmove memset memcmp", names, " ")
	for (i = 1; i <= nr; i++)
		of_kernels[names[i]] = 1
}

function source_of(object,	path)
{
	path = substr(object, length(objects) + 1)
	sub(/\.o$/, ".c", path)
	return path
}

function layer_of(source,	part)
{
	sub(/^src\//, "", source)
	split(source, part, "/")
	return part[1]
}

# "file:line" where an object refers to a name or defines it.
function place(object, name,	command, line, part, where)
{
	where = source_of(object)
	command = "nm -l " object
	while ((command | getline line) > 0) {
		split(line, part, "\t")
		if (part[1] ~ (" " name "$") && part[2] ~ /:[0-9]+$/) {
			sub(/.*:/, "", part[2])
			where = where ":" part[2]
			break
		}
	}
	close(command)
	return where
}

# "object.o:name  |value|class|type|size|line|section"
NF >= 7 {
	split_at = index($1, ".o:")
	if (!split_at)
		next
	object = substr($1, 1, split_at + 1)
	name = substr($1, split_at + 3)
	section = $7
	sub(/\t.*/, "", section)

	nr_symbols++
	if (section == "*UND*") {
		nr_used++
		user[nr_used] = object
		used[nr_used] = name
	} else if ($3 ~ /^[A-Z]$/) {
		definer[name] = object
	}
	if (section ~ /^(\.data|\.bss|\.tdata|\.tbss|\*COM\*)$/ ||
	    section ~ /^\.(data|bss)\.[^r]/)
		if ($4 == "OBJECT" || $4 == "TLS") {
			nr_written++
			written[nr_written] = name
			holder[nr_written] = object
		}
}

END {
	for (i = 1; i <= nr_used; i++) {
		name = used[i]
		from = layer_of(source_of(user[i]))
		if (name in definer) {
			to = layer_of(source_of(definer[name]))
			if (height[to] > height[from]) {
				print place(user[i], name) ": " from " uses " name \
					" of " to " (" source_of(definer[name]) ")"
				bad = 1
			}
		} else if (from != "sim" && name in outside &&
			   source_of(user[i]) != "src/base/fatal.c") {
			print place(user[i], name) ": the library uses " name
			bad = 1
		} else if (from == "lib" && name !~ /^__/ && !(name in of_kernels)) {
			print place(user[i], name) ": src/lib uses " name \
				", which a kernel need not have"
			bad = 1
		}
	}
	for (i = 1; i <= nr_written; i++) {
		if (layer_of(source_of(holder[i])) == "sim")
			continue
		print place(holder[i], written[i]) ": the library has a variable " \
			"that is written, " written[i]
		bad = 1
	}
	if (!nr_symbols)
		print "layers: no symbols to look at"
	exit bad || !nr_symbols
}
