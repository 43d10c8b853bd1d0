set datafile missing "-"
set encoding utf8
set grid ytics lc rgb "#d8d8d8"
set border 3
set tics nomirror
set key outside bottom center horizontal
set terminal svg size 960,540 font "sans-serif,14" background "#ffffff"
set output "cost-by-connections.svg"
set title "What a packet of an established connection costs (TCP over IPv4, random connections)"
set bmargin 6
set logscale xy
set xlabel "connections"
set ylabel "ns a packet, driver taken off (median, min to max)"
set xrange [6e2:1.6e7]
set xtics ("1 k" 1e3, "10 k" 1e4, "100 k" 1e5, "1 M" 1e6, "4 M" 4e6, "10 M" 1e7)
set ytics (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000)
set yrange [0.2867:1161]
plot "cost-by-connections.tsv" using 1:2:3:4 with yerrorlines lw 2 ps 0.9 lc rgb "#D55E00" pt 5 title "design of 2016", \
     "cost-by-connections.tsv" using 1:5:6:7 with yerrorlines lw 2 ps 0.9 lc rgb "#009E73" pt 9 title "DPDK rte\\_hash, bare", \
     "cost-by-connections.tsv" using 1:8:9:10 with yerrorlines lw 2 ps 0.9 lc rgb "#0072B2" pt 7 title "uct, bytes to verdict", \
     "cost-by-connections.tsv" using 1:11:12:13 with yerrorlines lw 2 ps 0.9 lc rgb "#606060" pt 11 title "floor: two random lines"
