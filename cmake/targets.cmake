# How a library, a binary and a test are declared; warnings and sanitizers stand here once.

add_library(vdcu_options INTERFACE)
target_compile_options(vdcu_options INTERFACE -Wall -Wextra -Wpedantic -Werror)
target_include_directories(vdcu_options INTERFACE ${CMAKE_SOURCE_DIR})
if(VDCU_SANITIZE)
  set(VDCU_SANITIZERS -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(vdcu_options INTERFACE ${VDCU_SANITIZERS})
  target_link_options(vdcu_options INTERFACE ${VDCU_SANITIZERS})
endif()
if(VDCU_FUZZ)
  target_compile_options(vdcu_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# vdcu_library(<name> SOURCES a.cc … [DEPS target …]): a static library
function(vdcu_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC vdcu_options ${ARG_DEPS})
endfunction()

# vdcu_binary(<name> SOURCES a.cc … [DEPS target …]): an executable in <build>/bin
function(vdcu_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS})
endfunction()

# vdcu_test(<name> SOURCES a_test.cc … [DEPS target …] [LABELS unit|integration] [TIMEOUT seconds]): one ctest entry
function(vdcu_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
endfunction()
