#include "dcu/model.h"

#include <gtest/gtest.h>

namespace vdcu::dcu {
namespace {

TEST(Model, KnownIds) {
  const struct {
    const char* id;
    const char* want_name;
    int want_units;
    int64_t want_mib;
  } cases[] = {
      {"6210", "K100_AI", 120, 65520},  {"55b7", "Z100L", 60, 32768}, {"54b7", "Z100", 60, 0},
      {"6211", "K100_LC_E_AI", 128, 0}, {"62b7", "K100", 120, 0},     {"6370", "BW100", 0, 0},
      {"0x55B7", "Z100L", 60, 32768},
  };
  for (const auto& c : cases) {
    const Model model = ModelOf(c.id);
    EXPECT_EQ(model.name, c.want_name) << c.id;
    EXPECT_EQ(model.compute_units, c.want_units) << c.id;
    EXPECT_EQ(model.memory.value, c.want_mib) << c.id;
  }
}

TEST(Model, UnknownIdsAreNamedByTheirId) {
  EXPECT_EQ(ModelOf("7fff").name, "DCU-7fff");
  EXPECT_EQ(ModelOf("0x7FFF").name, "DCU-7fff");
  EXPECT_EQ(ModelOf("").name, "DCU-unknown");
  EXPECT_EQ(ModelOf("7fff").compute_units, 0);
}

}  // namespace
}  // namespace vdcu::dcu
