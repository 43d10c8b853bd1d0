# Fuzz targets: every x_fuzz.cc is a program of its own, named x_fuzz.
#
# With UCT_FUZZ it is a libFuzzer program in bin/. Otherwise fuzz/replay_main.cc drives it over the
# inputs kept in fuzz/corpus/x and fuzz/regressions/x, as the ctest fuzz.x.replay.

uct_glob(fuzz_sources "*_fuzz.cc" src ports control sweeper cli tests)
if(UCT_ONLY_THREAD_TESTS)
  set(fuzz_sources "")
endif()
foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM program)
  string(REGEX REPLACE "_fuzz$" "" name ${program})
  if(TARGET ${program})
    message(FATAL_ERROR "Two fuzz targets are named ${program}: rename ${source}")
  endif()
  add_executable(${program} ${source})
  uct_test_flags(${program})
  target_link_libraries(${program} PRIVATE uct_test_support)
  if(UCT_FUZZ)
    target_link_options(${program} PRIVATE -fsanitize=fuzzer)
  else()
    target_sources(${program} PRIVATE ${PROJECT_SOURCE_DIR}/fuzz/replay_main.cc)
    add_dependencies(uct_tests ${program})
    add_test(NAME fuzz.${name}.replay COMMAND ${program}
                     fuzz/corpus/${name} fuzz/regressions/${name}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(fuzz.${name}.replay PROPERTIES LABELS quick TIMEOUT 600)
  endif()
endforeach()
