# Micro benchmarks: every x_bench.cc goes into one program, uct_bench_micro, when Google Benchmark
# is there. With tests it also runs once as a test, very briefly, so that it never rots.

uct_glob(bench_sources "*_bench.cc" src ports sweeper control cli bench)
find_package(benchmark QUIET)
if(NOT benchmark_FOUND)
  message(STATUS "No Google Benchmark (libbenchmark-dev): uct_bench_micro is left out")
elseif(bench_sources)
  add_executable(uct_bench_micro ${bench_sources})
  uct_flags(uct_bench_micro)
  if(uct_lto)
    target_link_options(uct_bench_micro PRIVATE -flto=auto)
  endif()
  target_link_libraries(uct_bench_micro PRIVATE uct_test_support
                        benchmark::benchmark benchmark::benchmark_main)
  if(UCT_BUILD_TESTS)
    add_dependencies(uct_tests uct_bench_micro)
    # Every benchmark once, but those of a million, which fill memory first.
    add_test(NAME bench.micro.runs
             COMMAND uct_bench_micro --benchmark_min_time=0.001 --benchmark_filter=-1000000
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(bench.micro.runs PROPERTIES LABELS quick TIMEOUT 600)
  endif()
endif()
