# How a library, a binary and a test are declared; warnings and sanitizers stand here once.

add_library(vdcu_options INTERFACE)
target_compile_options(vdcu_options INTERFACE -Wall -Wextra -Wpedantic -Werror)
target_include_directories(vdcu_options INTERFACE ${CMAKE_SOURCE_DIR})
if(VDCU_SANITIZE)
  set(VDCU_SANITIZERS -fsanitize=$<IF:$<BOOL:${VDCU_TSAN}>,thread,address$<COMMA>undefined> -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  target_compile_options(vdcu_options INTERFACE ${VDCU_SANITIZERS})
  target_link_options(vdcu_options INTERFACE ${VDCU_SANITIZERS})
endif()
# What a fault of memory meets in a release; tools/check-hardening reads it from the binaries. The
# sanitizers have checks of their own.
if(NOT VDCU_SANITIZE)
  target_compile_options(vdcu_options INTERFACE -fstack-protector-strong
    $<$<NOT:$<STREQUAL:$<TARGET_PROPERTY:TYPE>,SHARED_LIBRARY>>:-fPIE>)
  target_compile_definitions(vdcu_options INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
  target_link_options(vdcu_options INTERFACE $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:-pie>
    -Wl,-z,relro,-z,now)
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64)
    target_compile_options(vdcu_options INTERFACE -fcf-protection)
  endif()
endif()
if(VDCU_FUZZ)
  target_compile_options(vdcu_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# What `make build`, `make test`, `make fuzz` and `make bench` ask for: each flavour builds only what it runs.
add_custom_target(binaries)
add_custom_target(unit-tests)
add_custom_target(fuzzers)
add_custom_target(benchmarks)

# vdcu_library(<name> SOURCES a.cc … [DEPS target …]): a static library
function(vdcu_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC vdcu_options ${ARG_DEPS})
  if(VDCU_UNITY AND NOT CMAKE_CURRENT_SOURCE_DIR MATCHES "^${CMAKE_SOURCE_DIR}/(tests|bench)")
    # All of it: whether names clash must not rest on which sources are put together.
    set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 0)
  endif()
  if(VDCU_SANITIZE AND NOT VDCU_FUZZ)
    target_compile_options(${name} PRIVATE -ffunction-sections)  # for tools/check-dead-code
  endif()
endfunction()

# vdcu_binary(<name> SOURCES a.cc … [DEPS target …]): an executable in <build>/bin
function(vdcu_binary name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS})
  if(VDCU_SANITIZE AND NOT VDCU_FUZZ)
    target_link_options(${name} PRIVATE -Wl,--gc-sections)  # for tools/check-dead-code
  endif()
  add_dependencies(binaries ${name})
endfunction()

# vdcu_test(<name> SOURCES a_test.cc … [DEPS target …] [LABELS unit|integration] [TIMEOUT seconds] [SHARDS n]): one ctest
# entry, called asan.<name> where sanitizers are on, as one ctest run has both flavours (cmake/test_run.cmake); with
# SHARDS n entries <name>.1 …, each with every n-th of the tests, for a test that mostly waits. <name>_ENTRIES names them.
function(vdcu_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;SHARDS" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS} GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 600)
  endif()
  if("unit" IN_LIST ARG_LABELS)
    add_dependencies(unit-tests ${name})
  endif()
  if("unit" IN_LIST ARG_LABELS AND NOT VDCU_UNIT_TESTS)
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
  set(entry ${name})
  if(VDCU_SANITIZE)
    set(entry asan.${name})
    set(ARG_LABELS asan)
  endif()
  set(entries ${entry})
  if(ARG_SHARDS)
    set(entries)
    foreach(shard RANGE 1 ${ARG_SHARDS})
      list(APPEND entries ${entry}.${shard})
    endforeach()
  endif()
  set(index 0)
  foreach(each ${entries})
    add_test(NAME ${each} COMMAND ${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${each} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT ${ARG_TIMEOUT})
    if(ARG_SHARDS)
      set_property(TEST ${each} PROPERTY ENVIRONMENT GTEST_TOTAL_SHARDS=${ARG_SHARDS} GTEST_SHARD_INDEX=${index})
      math(EXPR index "${index} + 1")
    endif()
  endforeach()
  set(${name}_ENTRIES ${entries} PARENT_SCOPE)
endfunction()

# vdcu_fuzz(<name> SOURCES x_fuzz.cc CORPUS folder [DEPS target …]): LLVMFuzzerTestOneInput. With VDCU_FUZZ a libFuzzer
# target, run for VDCU_FUZZ_SECONDS; else a unit test that feeds it every file of CORPUS.
function(vdcu_fuzz name)
  cmake_parse_arguments(ARG "" "CORPUS" "SOURCES;DEPS" ${ARGN})
  set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/${ARG_CORPUS})
  if(NOT VDCU_FUZZ)
    vdcu_test(${name} SOURCES ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fakes/replay_corpus.cc DEPS ${ARG_DEPS})
    target_compile_definitions(${name} PRIVATE VDCU_CORPUS="${corpus}")
    return()
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS})
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzzers ${name})
  set(found ${CMAKE_BINARY_DIR}/corpus/${name})
  file(MAKE_DIRECTORY ${found})
  add_test(NAME fuzz.${name}
    COMMAND ${name} -max_total_time=${VDCU_FUZZ_SECONDS} -print_final_stats=1 -artifact_prefix=${CMAKE_BINARY_DIR}/
      ${found} ${corpus})
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz)
endfunction()

# vdcu_bench(<name> SOURCES a_bench.cc [DEPS target …] [SMOKE filter]): an executable in <build>/bench, of which ctest runs
# the cases that match SMOKE for a moment, so that it cannot rot
function(vdcu_bench name)
  if(NOT VDCU_BENCH)
    return()
  endif()
  cmake_parse_arguments(ARG "" "SMOKE" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_SMOKE)
    set(ARG_SMOKE .)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE vdcu_options ${ARG_DEPS} benchmark::benchmark)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
  add_dependencies(benchmarks ${name})
  add_test(NAME ${name} COMMAND ${name} --benchmark_min_time=0.01 --benchmark_filter=${ARG_SMOKE})
  set_tests_properties(${name} PROPERTIES LABELS bench TIMEOUT 1200)
endfunction()
