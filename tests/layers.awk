# SPDX-License-Identifier: GPL-2.0-or-later
#
# layers.awk - print every #include that points up
#
#	awk -f tests/layers.awk FILE...
#
#     sim        the program
#      | alloc     the allocators
#      |  | machine   zones, memory, metadata
#      |  |  | lib       trees and lists
#      |  |  |  | base      types, bits, messages
#      v  v  v  v  v
#
# A file belongs to the layer its path names (include/lib/deque.h and
# src/lib/deque.c to lib) and may include its own layer and those below it. A
# header without a folder, or one that begins with "../", is looked up from
# the folder of the file that includes it. Exits with 1 when a line was
# printed, or when there was nothing to look at.

BEGIN {
	height["base"] = 1
	height["lib"] = 2
	height["machine"] = 3
	height["alloc"] = 4
	height["sim"] = 5
}

function fold(path)
{
	while (sub(/^\.\//, "", path) || sub(/\/\.\//, "/", path) ||
	       sub(/[^\/]+\/\.\.\//, "", path))
		;
	return path
}

# The layer that a path from the top of the tree lies in; "" for none.
function layer_of(path,	part)
{
	sub(/^(include|src)\//, "", path)
	split(path, part, "/")
	return part[1] in height ? part[1] : ""
}

FNR == 1 {
	nr_files++
	layer = layer_of(FILENAME)
	if (!layer) {
		print FILENAME ": in no layer"
		bad = 1
	}
}

/^[ \t]*#[ \t]*include[ \t]*["<]/ {
	path = $0
	sub(/^[^"<]*/, "", path)
	quoted = path ~ /^"/
	path = substr(path, 2)
	sub(/[">].*/, "", path)

	target = layer_of(path)
	if (quoted && !target) {
		folder = FILENAME
		sub(/[^\/]*$/, "", folder)
		target = layer_of(fold(folder path))
		if (!target) {
			print FILENAME ":" FNR ": \"" path "\" is in no layer"
			bad = 1
		}
	}
	if (target && height[target] > height[layer]) {
		print FILENAME ":" FNR ": " layer " includes " path " of " target
		bad = 1
	}
}

END {
	if (!nr_files)
		print "layers: no files given"
	exit bad || !nr_files
}
