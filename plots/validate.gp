# SPDX-License-Identifier: GPL-2.0-or-later
#
# validate.gp - do predicted free blocks follow the recorded ones, order by order?
#
#     gnuplot -c plots/validate.gp OUTPUT RESULT
#
# One panel an order, for the zone that comes last in the table (the largest of
# an ordinary machine). Recorded samples are circles, shaded where the sample
# was left out; each level of prediction is a line.

output = ARG1; result = ARG2; i = strlen(ARG0)
while (i > 0 && ARG0[i:i] ne "/") { i = i - 1 }
folder = ARG0[1:i]
load folder."common.gp"
set datafile missing NaN		# rows of other zones do not cut a line

table = result."/validation.tsv"
width = 1200
height = 860

levels = ""
zone = ""
note_level(s) = strstrt(" ".levels." ", " ".s." ") ? 0 : (levels = levels.(levels eq "" ? "" : " ").s, 0)
stats table using (zone = strcol("zone"), note_level(strcol("level"))) nooutput
eval open_output
eval time_range
if (words(levels) == 0) { levels = "L0" }

hue = "#D55E00 #0072B2 #009E73 #CC79A7 #E69F00"
at(level) = strcol("zone") eq zone && strcol("level") eq level ? column("time_ns") * seconds : NaN
black = 0x000000; gray = 0xbbbbbb
ink(x) = strcol("flag") eq "counts" ? black : gray
first = word(levels, 1)

set multiplot layout 3, 4 title "Free blocks by order, zone ".zone.": recorded and predicted" \
	margins char (letters ? 9 : 12), char 3, char 4, char 4 spacing char 9, char 5
unset key
few = 2
eval panel_tics
do for [o = 0:10] {
	set title sprintf("order %d", o) offset 0, -0.7
	set xlabel (o > 6 ? (letters ? "time [s]" : "time since the first sample [s]") : "")
	set ylabel (o % 4 == 0 ? "free blocks" : "")
	recorded = sprintf("recorded_order%d_blocks", o)
	predicted = sprintf("predicted_order%d_blocks", o)
	plot table using (at(first)):(column(recorded)):(ink(0)) with points \
			pointtype 6 pointsize 0.5 linecolor rgb variable, \
		for [k = 1:words(levels)] table using (at(word(levels, k))):(column(predicted)) \
			with lines linetype k linecolor rgb word(hue, (k - 1) % 5 + 1) \
			linewidth 2 dashtype k
}
unset border
unset grid
unset tics
unset title
unset xlabel
unset ylabel
set key center center noenhanced samplen (letters ? 1 : 4)
named(level) = letters ? base(strstrt(level, "L1:") == 1 ? level[4:strlen(level)] : level) : "predicted, ".level
set xrange [0:1]
set yrange [0:1]
plot NaN notitle, \
	keyentry with points pointtype 6 linecolor rgb black title "recorded", \
	keyentry with points pointtype 6 linecolor rgb gray title (letters ? "" : "recorded, ")."left out", \
	for [k = 1:words(levels)] keyentry with lines linetype k linewidth 2 dashtype k \
		linecolor rgb word(hue, (k - 1) % 5 + 1) title named(word(levels, k))
unset multiplot
