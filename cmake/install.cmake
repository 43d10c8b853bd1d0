# Install rules: headers, libraries, CMake package `uct`, pkg-config modules, the program, its man
# page and completion.

include(CMakePackageConfigHelpers)

set(uct_installed uct_core)
if(TARGET uct_sweeper)
  list(APPEND uct_installed uct_sweeper)
endif()
install(TARGETS ${uct_installed} EXPORT uctTargets
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/uct DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")

# GCC's intermediate code is readable by the very same version only: as Debian does with static
# libraries, ship the machine code alone.
if(uct_lto AND NOT BUILD_SHARED_LIBS AND CMAKE_OBJCOPY)
  set(uct_libdir "\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}")
  foreach(target IN LISTS uct_installed)
    install(CODE "execute_process(COMMAND \"${CMAKE_OBJCOPY}\" --wildcard
      \"--remove-section=.gnu.lto_*\" \"--remove-section=.gnu.debuglto_*\"
      \"${uct_libdir}/$<TARGET_FILE_NAME:${target}>\"
      COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
endif()

# --- find_package(uct) --------------------------------------------------------------------------
set(uct_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/uct)
install(EXPORT uctTargets NAMESPACE uct:: DESTINATION ${uct_package_dir})
configure_package_config_file(cmake/uctConfig.cmake.in ${PROJECT_BINARY_DIR}/uctConfig.cmake
                              INSTALL_DESTINATION ${uct_package_dir}
                              NO_SET_AND_CHECK_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/uctConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/uctConfig.cmake ${PROJECT_BINARY_DIR}/uctConfigVersion.cmake
        DESTINATION ${uct_package_dir})

# --- pkg-config: paths relative to the file, so that an installed tree may be moved -------------
set(uct_pc_dir ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH uct_pc_prefix /prefix/${uct_pc_dir} /prefix)
set(uct_modules uct)
if(TARGET uct_sweeper)
  list(APPEND uct_modules uct-sweeper)
endif()
foreach(module IN LISTS uct_modules)
  configure_file(cmake/${module}.pc.in ${PROJECT_BINARY_DIR}/${module}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/${module}.pc DESTINATION ${uct_pc_dir})
endforeach()

# --- the program, its man pages and completion --------------------------------------------------
if(TARGET uct)
  install(TARGETS uct RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

uct_glob(man_sources "*.scd" docs/man)
find_program(SCDOC scdoc)
if(man_sources AND NOT SCDOC)
  message(STATUS "No scdoc: the man pages are left out")
elseif(man_sources)
  set(man_pages "")
  foreach(source IN LISTS man_sources)
    cmake_path(GET source STEM LAST_ONLY page)
    string(REGEX MATCH "[1-9]$" section ${page})
    set(output ${PROJECT_BINARY_DIR}/man/${page})
    add_custom_command(OUTPUT ${output} DEPENDS ${source}
                       COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/man
                       COMMAND sh -c "exec \"$0\" <\"$1\" >\"$2\"" ${SCDOC} ${source} ${output}
                       COMMENT "man page ${page}" VERBATIM)
    install(FILES ${output} DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section})
    list(APPEND man_pages ${output})
  endforeach()
  add_custom_target(uct_man ALL DEPENDS ${man_pages})
endif()

if(EXISTS ${PROJECT_SOURCE_DIR}/share/completions/uct.bash)
  install(FILES share/completions/uct.bash RENAME uct
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
endif()
foreach(file LICENSE README.md)
  if(EXISTS ${PROJECT_SOURCE_DIR}/${file})
    install(FILES ${file} DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/uct)
  endif()
endforeach()
