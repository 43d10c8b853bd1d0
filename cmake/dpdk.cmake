# uct-bench-rte-hash: DPDK's hash table under two workloads of `uct bench`, to compare with. DPDK is
# large and needs a processor with SSE 4.2, so the program is built when asked for only.

uct_require_pkg_config(libdpdk libdpdk-dev)
uct_require_package(CLI11 libcli11-dev)
uct_require_package(nlohmann_json nlohmann-json3-dev)
if(NOT TARGET uct_bench)
  message(FATAL_ERROR "UCT_DPDK compares with `uct bench`, which this build leaves out.\n"
                      "Add -DUCT_BUILD_CLI=ON, or take -DUCT_DPDK=ON away.")
endif()

uct_find_sources(rte_hash_sources bench/peers/rte_hash)
add_executable(uct_bench_rte_hash ${rte_hash_sources})
uct_product_flags(uct_bench_rte_hash)
set_target_properties(uct_bench_rte_hash PROPERTIES OUTPUT_NAME uct-bench-rte-hash)
target_link_libraries(uct_bench_rte_hash PRIVATE uct_bench PkgConfig::libdpdk CLI11::CLI11
                      nlohmann_json::nlohmann_json)

# Each prints its one line and nothing besides: DPDK's own words would be seen here.
if(UCT_BUILD_TESTS)
  foreach(workload established setup)
    add_test(NAME bench.rte_hash.${workload}_runs
             COMMAND uct_bench_rte_hash ${workload} --connections 10k --packets 32k --runs 1 --json)
    set_tests_properties(bench.rte_hash.${workload}_runs PROPERTIES LABELS quick
      PASS_REGULAR_EXPRESSION "^{\"workload\":\"${workload}\",[^\n]*\"ns_per_[^\n]*}\n$"
      FAIL_REGULAR_EXPRESSION "\"wrong\"")
  endforeach()
endif()
