#include "crds/hami.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vdcu::crds {
namespace {

dcu::Device Card(int index, const std::string& serial, bool healthy = true) {
  dcu::Device card;
  card.index = index;
  card.uuid = "DCU-" + serial;
  card.model = "K100_AI";
  card.compute_units = 120;
  card.memory = dcu::MiB{65520};
  card.numa_node = index;
  card.healthy = healthy;
  return card;
}

// The segment of HAMi's documents, but for the mode: facts in crds/hami.h.
TEST(Hami, TheRegisterHasASegmentForEachCard) {
  const std::vector<dcu::Device> cards{Card(1, "T6T8290019030301", false),
                                       Card(0, "T6T8290019020401")};
  EXPECT_EQ(HamiRegister(Hami::kDcu, cards),
            "DCU-0,4,65520,100,DCU-K100_AI,0,true,0,vdcu:"
            "DCU-1,4,65520,100,DCU-K100_AI,1,false,1,vdcu:");
  EXPECT_EQ(HamiRegister(Hami::kHcu, cards),
            "HCU-T6T8290019020401,4,65520,100,HCU-K100_AI,0,true,0,vdcu:"
            "HCU-T6T8290019030301,4,65520,100,HCU-K100_AI,1,false,1,vdcu:");
  EXPECT_EQ(HamiRegister(Hami::kDcu, {}), "");
  EXPECT_EQ(HamiRegisterKey(Hami::kDcu), "hami.io/node-dcu-register");
  EXPECT_EQ(HamiHandshakeKey(Hami::kHcu), "hami.io/node-handshake-hcu");
}

TEST(Hami, OurRegisterIsToldFromAnotherPlugins) {
  struct Row {
    const char* sentence;
    std::string text;
    bool want;
  };
  const std::string ours = HamiRegister(Hami::kDcu, {Card(0, "A"), Card(1, "B")});
  const std::string theirs = "DCU-T6T8290019020401,4,65520,100,DCU-K100_AI,0,true,0,hami:";
  const Row rows[] = {
      {"ours", ours, true},
      {"HAMi's", theirs, false},
      {"both", ours + theirs, false},
      {"seven fields", "DCU-A,4,65520,100,DCU-K100_AI,0,true:", false},
      {"nothing", "", false},
      {"no end", "DCU-A,4,65520,100,DCU-K100_AI,0,true,0,vdcu", false},
      {"ten fields", "DCU-A,4,65520,100,DCU-K100_AI,0,true,0,x,vdcu:", false},
  };
  for (const Row& row : rows) EXPECT_EQ(IsOurHamiRegister(row.text), row.want) << row.sentence;
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
