#include "dcu/vdev.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/dcu/cards.h"
#include "tests/dcu/vdev_parser.h"

namespace vdcu::dcu {
namespace {

constexpr char kNineUnits[] =
    "PciBusId: 0000:33:00.0\n"
    "cu_mask: 0x00000000000001ff\n"
    "cu_mask: 0x0000000000000000\n"
    "cu_count: 9\n"
    "mem: 2000 MiB\n"
    "device_id: 0\n"
    "vdev_id: 4\n"
    "pipe_id: 0\n"
    "enable: 1\n";

TEST(Vdev, RendersAnAssignmentAtThePresentBusId) {
  Assignment assignment = Held("n", "DCU-1", 0, 9, 2000, 0, 4);
  assignment.pci_bus_id = "0000:99:00.0";
  EXPECT_EQ(Render(MakeVdevFile(assignment, "0000:33:00.0")), kNineUnits);
}

TEST(Vdev, ParseReadsWhatRenderWrites) {
  std::mt19937 random(TestSeed(20));
  const auto up_to = [&random](int most) { return static_cast<int>(random() % (most + 1)); };
  const char* bus_ids[] = {"0000:33:00.0", "ffff:ff:1f.7", "10000:e1:00.0"};
  for (int i = 0; i < 2000; ++i) {
    VdevFile file;
    file.pci_bus_id = bus_ids[up_to(2)];
    const uint64_t low = (uint64_t{random()} << 32) | random();
    file.units = CuMask(low | 1, i % 2 ? (uint64_t{random()} << 32) | random() : 0);
    file.cu_count = file.units.Count();
    file.memory = MiB{1 + up_to(200'000)};
    file.vdev_id = up_to(63);
    file.pipe_id = up_to(3);
    file.enable = up_to(1) == 1;
    const auto parsed = ParseVdevFile(Render(file));
    ASSERT_TRUE(parsed.has_value()) << Render(file) << parsed.error().message;
    ASSERT_EQ(*parsed, file);
  }
}

std::string With(const std::string& from, const std::string& to) {
  std::string text = kNineUnits;
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(Vdev, ParseRefusesEachMutation) {
  const struct {
    const char* sentence;
    std::string text;
    const char* want_error;
  } cases[] = {
      {"an empty file", "", "fewer than nine lines"},
      {"a file cut in a line", With("enable: 1\n", "enable: 1"), "line 9"},
      {"a file cut after a line", With("enable: 1\n", ""), "fewer than nine lines"},
      {"a tenth line", With("enable: 1\n", "enable: 1\nenable: 1\n"), "more than nine lines"},
      {"an empty line at the end", With("enable: 1\n", "enable: 1\n\n"), "more than nine lines"},
      {"two lines swapped", With("device_id: 0\nvdev_id: 4\n", "vdev_id: 4\ndevice_id: 0\n"),
       "line 6: \"vdev_id: 4\": want \"device_id: ...\""},
      {"a key in other case", With("PciBusId", "pcibusid"), "line 1"},
      {"no space after the colon", With("cu_count: 9", "cu_count:9"), "line 4"},
      {"a carriage return", With("cu_count: 9\n", "cu_count: 9\r\n"), "line 4"},
      {"a bus id without its domain", With("0000:33:00.0", "33:00.0"), "line 1"},
      {"a bus id in capitals", With("0000:33", "0000:AA"), "line 1"},
      {"a bus id with an eighth function", With("00.0", "00.8"), "line 1"},
      {"a domain with a needless zero", With("0000:33", "00000:33"), "line 1"},
      {"a short mask", With("0x00000000000001ff", "0x1ff"), "line 2"},
      {"a mask in capitals", With("1ff", "1FF"), "line 2"},
      {"a second mask that is none", With("0x0000000000000000", "none"), "line 3"},
      {"a count that is not the mask's", With("cu_count: 9", "cu_count: 8"),
       "line 4: \"cu_count: 8\": want the number of units in cu_mask, 9"},
      {"no unit at all", With("1ff\n", "000\n"), "line 4"},
      {"a count with a needless zero", With("cu_count: 9", "cu_count: 09"), "line 4"},
      {"memory in another unit", With("2000 MiB", "2000 MB"), "line 5"},
      {"memory without a unit", With("2000 MiB", "2000"), "line 5"},
      {"no memory", With("2000 MiB", "0 MiB"), "line 5"},
      {"memory below zero", With("2000 MiB", "-1 MiB"), "line 5"},
      {"memory past all numbers", With("2000", "99999999999999999999"), "line 5"},
      {"another device", With("device_id: 0", "device_id: 1"), "line 6"},
      {"a signed vdev", With("vdev_id: 4", "vdev_id: +4"), "line 7"},
      {"a vdev in hex", With("vdev_id: 4", "vdev_id: 0x4"), "line 7"},
      {"a fifth pipe", With("pipe_id: 0", "pipe_id: 4"), "line 8"},
      {"neither on nor off", With("enable: 1", "enable: 2"), "line 9"},
      {"something after the value", With("enable: 1", "enable: 1 "), "line 9"},
  };
  ASSERT_TRUE(ParseVdevFile(kNineUnits).has_value());
  for (const auto& c : cases) {
    const auto parsed = ParseVdevFile(c.text);
    ASSERT_FALSE(parsed.has_value()) << c.sentence;
    EXPECT_EQ(parsed.error().code, base::ErrorCode::kCorrupt) << c.sentence;
    EXPECT_NE(parsed.error().message.find(c.want_error), std::string::npos)
        << c.sentence << ": " << parsed.error().message;
  }
}

TEST(Vdev, WhatParseAcceptsRenderWritesBack) {
  std::mt19937 random(TestSeed(21));
  const std::string alphabet = "0123456789abcdef:. \nxMiB_PcIduvenl";
  int accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text = kNineUnits;
    text[random() % text.size()] = alphabet[random() % alphabet.size()];
    const auto parsed = ParseVdevFile(text);
    if (!parsed) continue;
    ++accepted;
    ASSERT_EQ(Render(*parsed), text);
  }
  EXPECT_GT(accepted, 0);
}

}  // namespace
}  // namespace vdcu::dcu
