# How sources are found. A folder that is not there yet yields an empty list, so that the tree
# builds at every moment of its growth.

# Gives every .cc below the folders that is product code: not a test, benchmark or fuzz target.
function(uct_find_sources result)
  uct_glob(files "*.cc" ${ARGN})
  list(FILTER files EXCLUDE REGEX "_(test|bench|fuzz)\\.cc$")
  set(${result} ${files} PARENT_SCOPE)
endfunction()

# Gives every file below the folders whose name matches; new files make the next build configure.
function(uct_glob result pattern)
  set(files "")
  foreach(folder IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${folder}/${pattern}")
    list(APPEND files ${found})
  endforeach()
  set(${result} ${files} PARENT_SCOPE)
endfunction()

# Gives the names of the folders directly inside `folder`.
function(uct_folders result folder)
  file(GLOB entries CONFIGURE_DEPENDS LIST_DIRECTORIES true RELATIVE
       "${PROJECT_SOURCE_DIR}/${folder}" "${PROJECT_SOURCE_DIR}/${folder}/*")
  set(folders "")
  foreach(entry IN LISTS entries)
    if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/${folder}/${entry}")
      list(APPEND folders ${entry})
    endif()
  endforeach()
  set(${result} ${folders} PARENT_SCOPE)
endfunction()
