# What tests, fuzz targets and benchmarks share: the rooms' private headers, the equipment of
# tests/support, and the workloads and rivals of bench.

if(UCT_BUILD_TESTS OR UCT_FUZZ)
  uct_require_package(GTest libgtest-dev)
  uct_require_package(rapidcheck librapidcheck-dev)
endif()

# "table/index.h" is found below src/, "tests/support/x.h" and "ports/capture/x.h" below the top.
add_library(uct_internals INTERFACE)
target_include_directories(uct_internals INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
target_compile_definitions(uct_internals INTERFACE
  UCT_SOURCE_DIR="${PROJECT_SOURCE_DIR}" UCT_BINARY_DIR="${PROJECT_BINARY_DIR}")
target_link_libraries(uct_internals INTERFACE uct_core)
foreach(library uct_capture uct_sweeper uct_bench)
  if(TARGET ${library})
    target_link_libraries(uct_internals INTERFACE ${library})
  endif()
endforeach()

# A static library of the sources below `folder`, or an empty one while there are none.
function(uct_add_support_library target folder)
  uct_find_sources(sources ${folder})
  if(sources)
    add_library(${target} STATIC ${sources})
    uct_flags(${target})
    set(scope PUBLIC)
  else()
    add_library(${target} INTERFACE)
    set(scope INTERFACE)
  endif()
  target_link_libraries(${target} ${scope} uct_internals)
  foreach(library GTest::gtest rapidcheck)
    if(TARGET ${library})
      target_link_libraries(${target} ${scope} ${library})
    endif()
  endforeach()
endfunction()

uct_add_support_library(uct_test_support tests/support)
