#include "base/memory.h"

#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace vdcu::base {
namespace {

// KiB that /proc/self/status names.
size_t Status(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with(field)) return std::stoul(line.substr(field.size()));
  }
  return 0;
}

TEST(MemoryTest, TrimmingDropsPagesOfCodeAndTheProgramGoesOn) {
  const size_t before = Status("RssFile:");
  TrimMemory();
  const size_t after = Status("RssFile:");
  EXPECT_GT(before, 0u);
  EXPECT_LT(after, before / 2) << "KiB of files' pages, " << before << " before";
}

}  // namespace
}  // namespace vdcu::base
