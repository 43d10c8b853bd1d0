set datafile missing "-"
set encoding utf8
set grid ytics lc rgb "#d8d8d8"
set border 3
set tics nomirror
set key outside bottom center horizontal
set terminal svg size 960,480 font "sans-serif,14" background "#ffffff"
set output "scaling.svg"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 border -1
set boxwidth 0.92
set xtics scale 0
set yrange [0:*]
set offsets 0, 0, graph 0.12, 0
set multiplot layout 1,2 title "Two threads against one, at 1 M connections, driver taken off"
set ylabel "established: M packets/s"
plot "scaling.tsv" index 0 using 2:xtic(1) lc rgb "#56B4E9" title "1 thread", \
     "" index 0 using 3 lc rgb "#0072B2" title "2 threads", \
     "" index 0 using ($0+0.17):3:(sprintf("%.2fx", $3/$2)) with labels offset 0,0.7 notitle
set ylabel "opening: M connections/s"
plot "scaling.tsv" index 1 using 2:xtic(1) lc rgb "#56B4E9" title "1 thread", \
     "" index 1 using 3 lc rgb "#0072B2" title "2 threads", \
     "" index 1 using ($0+0.17):3:(sprintf("%.2fx", $3/$2)) with labels offset 0,0.7 notitle
unset multiplot
