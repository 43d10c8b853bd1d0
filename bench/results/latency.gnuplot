set datafile missing "-"
set encoding utf8
set grid ytics lc rgb "#d8d8d8"
set border 3
set tics nomirror
set key outside bottom center horizontal
set yrange [0.4687:2.721e+04]
set terminal svg size 960,540 font "sans-serif,14" background "#ffffff"
set output "latency.svg"
set title "How long a call with 32 packets takes"
set bmargin 6
set logscale y
set xrange [-0.4:4.4]
set xlabel "of all calls"
set ylabel "\302\265s a call (median of rounds, min to max)"
set format y "%g"
set xtics ("50 %%" 0, "99 %%" 1, "99.9 %%" 2, "99.99 %%" 3, "longest" 4)
$must << END
3 100
4 1000
END
plot "latency.tsv" using ($0-0.09):2:3:4 with yerrorlines lw 2 ps 0.9 lc rgb "#D55E00" pt 7 \
       title "1 M connections expire", \
     "" using ($0-0.03):5:6:7 with yerrorlines lw 1 ps 0.9 lc rgb "#E69F00" pt 6 \
       title "the same, at rest", \
     "" using ($0+0.03):8:9:10 with yerrorlines lw 2 ps 0.9 lc rgb "#0072B2" pt 5 \
       title "table grows to 2 M", \
     "" using ($0+0.09):11:12:13 with yerrorlines lw 1 ps 0.9 lc rgb "#56B4E9" pt 4 \
       title "the same, at rest", \
     $must using 1:2:(0.25) with xerrorbars lw 2 lc rgb "#000000" pt 0 title "goal: at most"
