#include "node/plugin/tokens.h"

#include <gtest/gtest.h>

#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

// "+" Healthy, "-" Unhealthy, in the order of the list; ids that are not vdcu-<place> follow by
// name.
std::string Picture(const std::vector<kubelet::Device>& tokens) {
  std::string picture;
  for (size_t n = 0; n < tokens.size(); ++n) {
    picture += tokens[n].healthy ? "+" : "-";
    if (tokens[n].id != "vdcu-" + std::to_string(n)) picture += tokens[n].id;
  }
  return picture;
}

Slice SliceOn(const std::string& uid, dcu::Assignment assignment) {
  return {uid, "team", uid, std::move(assignment), {}, ""};
}

TEST(Tokens, AreFourACardAndFreeOnesOfSickCardsUnhealthy) {
  const dcu::Device well = MakeDevice("DCU-1");
  const dcu::Device sick = MakeSick(MakeDevice("DCU-0"));
  dcu::Device mig = MakeDevice("DCU-2");
  mig.mode = dcu::Mode::kMig;
  const Slices one{{"a", SliceOn("a", MakeAssignment(0))}};
  const Slices whole{{"a", SliceOn("a", MakeWholeCard())}};
  struct Case {
    std::string sentence;
    std::vector<dcu::Device> devices;
    Slices slices;
    std::set<std::string> in_use;
    std::string want;
  };
  for (const Case& c : std::vector<Case>{
           {"no card", {}, {}, {}, ""},
           {"two cards", {MakeDevice("DCU-0"), well}, {}, {}, "++++++++"},
           {"a card in MIG mode has none", {well, mig}, {}, {}, "++++"},
           {"a sick card without slices", {sick, well}, {}, {}, "++++----"},
           {"one of its slots is taken", {sick, well}, one, {"vdcu-2"}, "+++++---"},
           {"it is taken whole", {sick, well}, whole, {"vdcu-2"}, "++++++++"},
           {"ids in use stay healthy",
            {sick, well},
            {},
            {"vdcu-7", "vdcu-5"},
            "++--"
            "-+-+"},
           {"fewer ids are free than slots", {sick}, {}, {"vdcu-0", "vdcu-1"}, "++--"},
           {"an id in use outlives its card", {well}, {}, {"vdcu-6"}, "+++++vdcu-6"}}) {
    EXPECT_EQ(Picture(Tokens(c.devices, c.slices, c.in_use)), c.want) << c.sentence;
  }
}

}  // namespace
}  // namespace vdcu::node
