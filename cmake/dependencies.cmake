# Libraries that are looked for only when a target needs them, and errors that name the package to
# install instead of a missing config file.

function(uct_missing what debian)
  message(FATAL_ERROR
    "uct needs ${what}, which is not installed.\n"
    "On Debian or Ubuntu:  apt-get install ${debian}\n"
    "For the library alone, which needs nothing:  "
    "cmake -DUCT_BUILD_CLI=OFF -DUCT_BUILD_TESTS=OFF ...")
endfunction()

macro(uct_require_package package debian)
  find_package(${package} QUIET)
  if(NOT ${package}_FOUND)
    uct_missing(${package} ${debian})
  endif()
endmacro()

# Gives     the imported target PkgConfig::<module>.
macro(uct_require_pkg_config module debian)
  find_package(PkgConfig QUIET)
  if(NOT PkgConfig_FOUND)
    uct_missing(pkg-config pkg-config)
  endif()
  pkg_check_modules(${module} QUIET IMPORTED_TARGET ${module})
  if(NOT ${module}_FOUND)
    uct_missing(${module} ${debian})
  endif()
endmacro()
