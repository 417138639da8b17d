// CHECK(condition, message): a broken invariant ends the process; state is in the objects, so a
// restart is cheap and going on is not.
#pragma once

#include <string_view>

namespace vdcu::base {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);
}  // namespace vdcu::base

#define CHECK(condition, message)                                           \
  do {                                                                      \
    if (!(condition)) [[unlikely]]                                          \
      ::vdcu::base::CheckFailed(__FILE__, __LINE__, #condition, (message)); \
  } while (false)
