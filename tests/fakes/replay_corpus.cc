// What libFuzzer's main would be, without libFuzzer: each file of the corpus (VDCU_CORPUS, set by
// CMake) goes through the fuzz target once, so that a found input stays a test in every build.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

TEST(Corpus, EachInputIsSurvived) {
  int inputs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(VDCU_CORPUS)) {
    SCOPED_TRACE(entry.path());
    std::ifstream file(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()),
              0);
    ++inputs;
  }
  EXPECT_GT(inputs, 0) << VDCU_CORPUS << " is empty";
}

}  // namespace
