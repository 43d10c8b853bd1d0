# Compiler flags: warnings for everything we compile, sanitizers for the whole build, link-time
# optimisation for the product.

set(uct_warnings -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
    -Wimplicit-fallthrough -Wundef -Wconversion)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  # Clang counts sign conversions among -Wconversion, GCC does not; we follow GCC.
  list(APPEND uct_warnings -Wno-sign-conversion -Wthread-safety)
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 reports correct std::string concatenations (GCC bug 105651).
  list(APPEND uct_warnings -Wno-restrict)
endif()
if(UCT_WERROR)
  list(APPEND uct_warnings -Werror)
endif()

if(UCT_FUZZ AND NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "UCT_FUZZ needs clang, whose libFuzzer it uses: apt-get install clang-14 "
                      "libclang-rt-14-dev, then cmake --preset fuzz")
endif()
if(UCT_SANITIZE)
  add_compile_options(-fsanitize=${UCT_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${UCT_SANITIZE})
endif()
if(UCT_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

set(uct_lto OFF)
if(UCT_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT UCT_SANITIZE)
  set(uct_lto ON)
endif()

# Everything we compile: C++20, warnings, and whether UCT_DCHECK checks.
function(uct_flags target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_options(${target} PRIVATE ${uct_warnings})
  target_compile_definitions(${target} PRIVATE
    UCT_DEBUG_CHECKS=$<BOOL:${UCT_DEBUG_CHECKS}>
    $<$<BOOL:${UCT_DEBUG_CHECKS}>:_GLIBCXX_ASSERTIONS>)
endfunction()

# What is shipped. The objects are fat: machine code beside the intermediate code, so that tests
# link without waiting for the optimiser (uct_test_flags).
function(uct_product_flags target)
  uct_flags(${target})
  get_target_property(type ${target} TYPE)
  if(NOT uct_lto OR type STREQUAL "INTERFACE_LIBRARY")
    return()
  endif()
  target_compile_options(${target} PRIVATE -flto=auto -ffat-lto-objects)
  if(NOT type STREQUAL "STATIC_LIBRARY")
    target_link_options(${target} PRIVATE -flto=auto)
  endif()
endfunction()

function(uct_test_flags target)
  uct_flags(${target})
  if(uct_lto)
    target_link_options(${target} PRIVATE -fno-lto)
  endif()
endfunction()
