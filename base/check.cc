#include "base/check.h"

#include <cstdlib>

#include <spdlog/spdlog.h>

namespace vdcu::base {

void CheckFailed(const char* file, int line, const char* condition, std::string_view message) {
  spdlog::critical("{}:{}: broken invariant: {} ({})", file, line, message, condition);
  spdlog::shutdown();
  std::abort();
}

}  // namespace vdcu::base
