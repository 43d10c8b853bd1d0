# The commit that is built, for figures that say what they were measured of.

# Gives the commit's short name, "unknown" outside a clone of this tree. A new commit makes the next
# build configure again; what is changed but not committed does not show.
function(uct_find_commit result)
  set(${result} unknown PARENT_SCOPE)
  # A copy inside somebody else's clone would give the name of theirs.
  if(NOT EXISTS ${PROJECT_SOURCE_DIR}/.git)
    return()
  endif()
  find_package(Git QUIET)
  if(NOT Git_FOUND)
    return()
  endif()
  execute_process(COMMAND ${GIT_EXECUTABLE} rev-parse --short HEAD
                  WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
                  OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE
                  RESULT_VARIABLE code ERROR_QUIET)
  if(NOT code EQUAL 0)
    return()
  endif()
  set(${result} ${commit} PARENT_SCOPE)
  set(log ${PROJECT_SOURCE_DIR}/.git/logs/HEAD)
  if(EXISTS ${log})
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${log})
  endif()
endfunction()
