# Read by ctest itself (TEST_INCLUDE_FILES): the release folder's ctest also runs the unit tests of
# the flavour with sanitizers, so that `make test` is one run with one summary. A folder that was
# never configured is left out.
get_filename_component(asan "${CMAKE_CURRENT_LIST_DIR}/../build/asan" ABSOLUTE)
if(EXISTS "${asan}/CTestTestfile.cmake")
  subdirs("${asan}")
endif()
