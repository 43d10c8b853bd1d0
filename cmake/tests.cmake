# Tests. One program for each room, named <room>_test; every case of it is a ctest of its own.
#
# Labels    quick      everything that is not below; a few seconds in all
#           threads    cases named *Threads*, *Concurrent*, *Hammer* or *Sweeper*: the tsan build
#           full       also runs by night with larger sizes (tests/model)
#           full-long  cases named *LongRun*: minutes; the sanitizer builds leave them out
#           tools      checks of the tree and of the tools, which no sanitizer needs
#           install    the installed package, built against

include(GoogleTest)
add_custom_target(uct_tests COMMENT "every test program of this build")

set(uct_thread_pattern "Threads|Concurrent|Hammer|Sweeper")

# Gives TRUE when one of the files has a case with threads, and makes changes in them configure.
function(uct_has_thread_tests result)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${ARGN})
  set(found FALSE)
  # The name of a case may stand on the line after its macro.
  set(word "[A-Za-z0-9]*(${uct_thread_pattern})[A-Za-z0-9]*")
  foreach(file IN LISTS ARGN)
    file(STRINGS ${file} lines REGEX "(TEST|TEST_F|TEST_P|PROP)\\(.*${word}|^ +${word}[,)]")
    if(lines)
      set(found TRUE)
    endif()
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()

# Makes each case of the program a ctest. Its labels depend on its name, so a script that ctest
# reads gives them after the cases are known.
function(uct_discover target labels)
  gtest_discover_tests(${target}
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    TEST_LIST ${target}_cases
    PROPERTIES TIMEOUT 900)
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/${target}_labels.cmake @ONLY CONTENT [[
foreach(case IN LISTS @target@_cases)
  set(labels @labels@)
  if(case MATCHES "LongRun")
    set(labels full-long)
  elseif(case MATCHES "@uct_thread_pattern@")
    list(APPEND labels threads)
  endif()
  set_tests_properties("${case}" PROPERTIES LABELS "${labels}")
endforeach()
]])
  set_property(DIRECTORY APPEND PROPERTY
               TEST_INCLUDE_FILES ${PROJECT_BINARY_DIR}/${target}_labels.cmake)
endfunction()

# One test program of all *_test.cc below the folder; nothing while there are none.
function(uct_add_room_tests target folder labels)
  uct_glob(sources "*_test.cc" ${folder})
  if(UCT_ONLY_THREAD_TESTS AND sources)
    uct_has_thread_tests(threads ${sources})
    if(NOT threads)
      return()
    endif()
  endif()
  if(NOT sources)
    return()
  endif()
  add_executable(${target} ${sources})
  uct_test_flags(${target})
  target_link_libraries(${target} PRIVATE uct_test_support GTest::gtest_main)
  add_dependencies(uct_tests ${target})
  uct_discover(${target} "${labels}")
endfunction()

uct_folders(rooms src)
foreach(room IN LISTS rooms)
  uct_add_room_tests(${room}_test src/${room} quick)
endforeach()
uct_folders(rooms ports)
foreach(room IN LISTS rooms)
  uct_add_room_tests(${room}_test ports/${room} quick)
endforeach()
uct_add_room_tests(sweeper_test sweeper quick)
uct_add_room_tests(control_test control quick)
uct_add_room_tests(peers_test bench quick)
if(TARGET uct_cli)
  uct_add_room_tests(cli_test cli quick)
  if(TARGET cli_test)
    target_link_libraries(cli_test PRIVATE uct_cli)
  endif()
endif()
uct_folders(kinds tests)
foreach(kind IN LISTS kinds)
  if(kind STREQUAL "model")
    uct_add_room_tests(model_test tests/model "quick;full")
  elseif(NOT kind MATCHES "^(misuse|install|system)$")
    uct_add_room_tests(${kind}_test tests/${kind} quick)
  endif()
endforeach()

# --- tools: every tools/x.cc is a program of its own, in bin/ ------------------------------------
if(NOT UCT_ONLY_THREAD_TESTS)
  file(GLOB tool_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/*.cc)
  list(FILTER tool_sources EXCLUDE REGEX "_test\\.cc$")
  foreach(file IN LISTS tool_sources)
    cmake_path(GET file STEM name)
    add_executable(${name} ${file})
    uct_test_flags(${name})
    target_link_libraries(${name} PRIVATE uct_test_support)
  endforeach()
  uct_add_room_tests(tools_test tools quick)
endif()

# --- the programs of tests/system, and the tests of their parts that need no root ---------------
if(TARGET uct_cli AND CMAKE_SYSTEM_NAME STREQUAL "Linux" AND NOT UCT_ONLY_THREAD_TESTS)
  uct_find_sources(gateway_sources tests/system/gateway)
  add_library(uct_test_gateway STATIC ${gateway_sources})
  uct_flags(uct_test_gateway)
  target_link_libraries(uct_test_gateway PUBLIC uct_cli)
  foreach(name IN ITEMS tap_gateway nat_pipe)
    add_executable(${name} tests/system/${name}.cc)
    uct_test_flags(${name})
    target_link_libraries(${name} PRIVATE uct_test_gateway)
  endforeach()
  uct_add_room_tests(gateway_test tests/system quick)
  if(TARGET gateway_test)
    target_link_libraries(gateway_test PRIVATE uct_test_gateway)
  endif()
endif()

# --- misuse must not compile --------------------------------------------------------------------
# Each tests/misuse/x.cc compiles as it is and does not with -DMISUSE: two tests a file.
set(uct_syntax_only ${CMAKE_CXX_COMPILER} -std=c++20 -fsyntax-only ${uct_warnings} -Werror
    -DUCT_DEBUG_CHECKS=0 -I${PROJECT_SOURCE_DIR}/include)

function(uct_add_misuse_tests folder)
  uct_glob(files "*.cc" ${folder})
  foreach(file IN LISTS files)
    cmake_path(GET file STEM name)
    set(command ${uct_syntax_only} -I${PROJECT_SOURCE_DIR}/src ${file})
    add_test(NAME misuse.${name}.correct_use_compiles COMMAND ${command})
    add_test(NAME misuse.${name}.misuse_is_rejected COMMAND ${command} -DMISUSE)
    set_tests_properties(misuse.${name}.misuse_is_rejected PROPERTIES WILL_FAIL TRUE)
    set_tests_properties(misuse.${name}.correct_use_compiles misuse.${name}.misuse_is_rejected
                         PROPERTIES LABELS quick)
  endforeach()
endfunction()

# Every public header compiles alone: it includes what it uses.
function(uct_add_header_tests)
  uct_glob(headers "*.h" include/uct)
  foreach(header IN LISTS headers)
    cmake_path(GET header STEM name)
    add_test(NAME header.${name}.stands_alone
             COMMAND ${uct_syntax_only} -include ${header} -x c++ /dev/null)
    set_tests_properties(header.${name}.stands_alone PROPERTIES LABELS quick)
  endforeach()
endfunction()

if(UCT_ONLY_THREAD_TESTS)
  return()
endif()
uct_add_misuse_tests(tests/misuse)
uct_add_header_tests()

# --- the tree and the tools ---------------------------------------------------------------------
find_package(Python3 3.9 QUIET COMPONENTS Interpreter)
if(Python3_FOUND)
  if(EXISTS ${PROJECT_SOURCE_DIR}/tools/tidy.py)
    add_test(NAME tidy COMMAND ${Python3_EXECUTABLE} tools/tidy.py
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(tidy PROPERTIES LABELS "quick;tools")
  endif()
  if(TARGET uct)
    add_test(NAME golden COMMAND ${Python3_EXECUTABLE} tools/golden.py --uct $<TARGET_FILE:uct>
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(golden PROPERTIES LABELS "quick;tools")
  endif()
  file(GLOB_RECURSE tool_tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tools/*_test.py)
  foreach(file IN LISTS tool_tests)
    cmake_path(GET file STEM name)
    add_test(NAME tools.${name} COMMAND ${Python3_EXECUTABLE} ${file}
             WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(tools.${name} PROPERTIES LABELS "quick;tools" SKIP_RETURN_CODE 77)
  endforeach()
else()
  message(STATUS "No Python 3.9: the tests tidy and tools.* are left out")
endif()

# --- the installed package ----------------------------------------------------------------------
if(UCT_INSTALL AND CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT UCT_SANITIZE
   AND EXISTS ${PROJECT_SOURCE_DIR}/examples/embed/main.cc)
  add_test(NAME install.package_is_usable
           COMMAND ${PROJECT_SOURCE_DIR}/tests/install/run.sh ${PROJECT_BINARY_DIR})
  set_tests_properties(install.package_is_usable PROPERTIES LABELS install SKIP_RETURN_CODE 77)
endif()
