#include "node/slices.h"

#include <gtest/gtest.h>

namespace vdcu::node {
namespace {

const std::vector<dcu::Device>& Devices() {
  static const std::vector<dcu::Device> devices = [] {
    std::vector<dcu::Device> made(3);
    for (size_t i = 0; i < made.size(); ++i) {
      made[i].uuid = "DCU-" + std::to_string(i);
      made[i].compute_units = 60;
      made[i].memory = {32768};
    }
    made[2].mode = dcu::Mode::kMig;
    return made;
  }();
  return devices;
}

dcu::Assignment Part(const std::string& device, uint64_t mask, int64_t memory, int pipe, int vdev) {
  dcu::Assignment part;
  part.node = "n";
  part.device = device;
  part.units = dcu::CuMask(mask, 0);
  part.compute_units = part.units.Count();
  part.memory = {memory};
  part.pipe = pipe;
  part.vdev = vdev;
  return part;
}

dcu::Assignment Whole(const std::string& device) {
  dcu::Assignment whole;
  whole.node = "n";
  whole.device = device;
  whole.units = dcu::CuMask::FirstUnits(60);
  whole.compute_units = 60;
  whole.memory = {32768};
  return whole;
}

Slices Held(const std::vector<dcu::Assignment>& assignments) {
  Slices slices;
  for (const dcu::Assignment& assignment : assignments) {
    const std::string uid = "u" + std::to_string(slices.size());
    slices[uid] = {uid, "team", "p" + std::to_string(slices.size()), assignment, {}, ""};
  }
  return slices;
}

TEST(Admit, RefusesWhatCannotStandBesideWhatIsHeld) {
  dcu::Assignment wrong_count = Part("DCU-0", 0xf, 100, 0, 0);
  wrong_count.compute_units = 5;
  dcu::Assignment high = Part("DCU-0", 0, 100, 0, 0);
  high.units = dcu::CuMask(0, 1);
  high.compute_units = 1;
  struct Case {
    std::string sentence;
    std::vector<dcu::Assignment> held;
    dcu::Assignment wanted;
    std::string want_reason;  // empty: admitted
    std::string want_in_message;
  };
  const std::vector<Case> cases = {
      {"an empty card", {}, Part("DCU-0", 0xf, 100, 0, 0), "", ""},
      {"an empty card, whole", {}, Whole("DCU-0"), "", ""},
      {"beside another slice",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Part("DCU-0", 0xf0, 100, 1, 1),
       "",
       ""},
      {"all of the memory",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Part("DCU-0", 0xf0, 32668, 1, 1),
       "",
       ""},
      {"the same units of another card",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Part("DCU-1", 0xf, 100, 0, 1),
       "",
       ""},
      {"a whole card beside another whole card", {Whole("DCU-0")}, Whole("DCU-1"), "", ""},
      {"a card of another node", {}, Part("DCU-9", 0xf, 100, 0, 0), "UnknownDevice", "DCU-9"},
      {"a card in MIG mode", {}, Part("DCU-2", 0xf, 100, 0, 0), "MigMode", "DCU-2"},
      {"a whole card in MIG mode", {}, Whole("DCU-2"), "MigMode", "DCU-2"},
      {"masks that do not count", {}, wrong_count, "MaskCountMismatch", "4 units"},
      {"no units", {}, Part("DCU-0", 0, 100, 0, 0), "MaskCountMismatch", "0 units"},
      {"unit 60 of 60", {}, Part("DCU-0", uint64_t{1} << 60, 100, 0, 0), "UnitsOutOfRange", "60"},
      {"unit 64 of 60", {}, high, "UnitsOutOfRange", "60"},
      {"more memory than the card has",
       {},
       Part("DCU-0", 0xf, 32769, 0, 0),
       "MemoryExceedsCard",
       "32768 MiB"},
      {"more memory than is left",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Part("DCU-0", 0xf0, 32669, 1, 1),
       "MemoryExceedsCard",
       "100 MiB"},
      {"a unit that another has",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Part("DCU-0", 0x18, 100, 1, 1),
       "UnitsOverlap",
       "team/p0"},
      {"a pipe that another has",
       {Part("DCU-0", 0xf, 100, 2, 0)},
       Part("DCU-0", 0xf0, 100, 2, 1),
       "PipeTaken",
       "team/p0"},
      {"a vdev that another card's slice has",
       {Part("DCU-0", 0xf, 100, 0, 7)},
       Part("DCU-1", 0xf, 100, 0, 7),
       "VdevTaken",
       "team/p0"},
      {"a slice of a card that is held whole",
       {Whole("DCU-0")},
       Part("DCU-0", 0xf, 100, 0, 0),
       "CardInUse",
       "team/p0"},
      {"a whole card that has a slice",
       {Part("DCU-0", 0xf, 100, 0, 0)},
       Whole("DCU-0"),
       "CardInUse",
       "team/p0"},
      {"a whole card that is held whole", {Whole("DCU-0")}, Whole("DCU-0"), "CardInUse", "team/p0"},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.sentence);
    const auto refusal = Admit(Held(c.held), "new", "team", c.wanted, Devices());
    EXPECT_EQ(refusal ? refusal->reason : "", c.want_reason);
    if (!refusal) continue;
    EXPECT_NE(refusal->message.find(c.want_in_message), std::string::npos) << refusal->message;
  }
}

TEST(Admit, RefusesAFifthSlice) {
  const Slices held = Held({Part("DCU-0", 0x1, 1, 0, 0), Part("DCU-0", 0x2, 1, 1, 1),
                            Part("DCU-0", 0x4, 1, 2, 2), Part("DCU-0", 0x8, 1, 3, 3)});
  // A pipe that no card has, so that only the count can refuse it.
  const auto refusal = Admit(held, "new", "team", Part("DCU-0", 0x10, 1, 4, 4), Devices());
  ASSERT_TRUE(refusal);
  EXPECT_EQ(refusal->reason, "TooManySlices");
}

TEST(Admit, DoesNotCompareASliceWithItself) {
  const Slices held = Held({Part("DCU-0", 0xf, 100, 0, 0)});
  EXPECT_FALSE(Admit(held, "u0", "team", Part("DCU-0", 0xf, 100, 0, 0), Devices()));
}

}  // namespace
}  // namespace vdcu::node
