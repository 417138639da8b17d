#include "crds/hami.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vdcu::crds {
namespace {

dcu::Device Card(int index, const std::string& serial) {
  dcu::Device card;
  card.index = index;
  card.uuid = "DCU-" + serial;
  card.compute_units = 120;
  card.memory = dcu::MiB{65520};
  return card;
}

TEST(Hami, ThePodsAnnotationHasASlotForEachContainerInitContainersFirst) {
  const dcu::Device first = Card(3, "T6T8290019020401");
  const dcu::Device second = Card(4, "B");
  const HamiShare slice{first, dcu::MiB{2000}, 71};  // 59.2 percent
  const HamiShare whole{second, dcu::MiB{65520}, 120};
  const auto at = *base::ParseTime("2026-01-01T00:00:00Z");
  const auto hcu = HamiPodAnnotations(Hami::kHcu, "n", {{}, {slice}, {}}, at);
  EXPECT_EQ(hcu, (kclient::Labels{
                     {"hami.io/vgpu-node", "n"},
                     {"hami.io/vgpu-time", "1767225600"},
                     {"hami.io/bind-phase", "success"},
                     {"hami.io/hcu-devices-allocated", ";HCU-T6T8290019020401,HCU,2000,60:;;"}}));
  const auto dcu = HamiPodAnnotations(Hami::kDcu, "n", {{slice}, {whole, whole}}, at);
  EXPECT_EQ(dcu.find("hami.io/dcu-devices-allocated")->second,
            "DCU-3,DCU,2000,60:;DCU-4,DCU,65520,100:DCU-4,DCU,65520,100:;");
  for (const auto& [key, value] : dcu) {
    EXPECT_THAT(key, testing::Not(testing::HasSubstr("to-allocate")));
  }
}

}  // namespace
}  // namespace vdcu::crds
