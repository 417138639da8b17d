#include "node/readings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Key;
using testing::Pair;
using testing::SizeIs;

constexpr char kBus[] = "0000:33:00.0";

// A card's folder of sysfs with just these files.
class ReadingsTest : public testing::Test {
 protected:
  void Write(const std::string& name, const std::string& content, const std::string& bus = kBus) {
    const std::string path = "/sys/bus/pci/devices/" + bus + "/" + name;
    std::filesystem::create_directories(std::filesystem::path(root_.Resolve(path)).parent_path());
    ASSERT_TRUE(root_.WriteAtomic(path, content));
  }
  Readings Read() const { return ReadCard(root_, kBus); }

  const TempFolder folder_;
  const base::Root root_{folder_.path()};
};

TEST_F(ReadingsTest, TemperaturesPowerUseAndMemory) {
  Write("hwmon/hwmon7/temp1_label", "edge\n");
  Write("hwmon/hwmon7/temp1_input", "41500\n");
  Write("hwmon/hwmon7/temp2_input", "-2000\n");
  Write("hwmon/hwmon7/temp3_label", "junction\n");
  Write("hwmon/hwmon7/temp3_input", "60000\n");
  Write("hwmon/hwmon7/power1_average", "62250000\n");
  Write("hwmon/hwmon7/power1_input", "1\n");
  Write("gpu_busy_percent", "37\n");
  Write("mem_info_vram_used", "68719476736\n");
  EXPECT_EQ(Read(), (Readings{.celsius = {{"edge", 41.5}, {"temp2", -2}, {"junction", 60}},
                              .watts = 62.25,
                              .busy = 0.37,
                              .memory_used = 68719476736}));
}

TEST_F(ReadingsTest, WhatIsNotThereIsAbsent) {
  EXPECT_EQ(Read(), Readings());
  Write("hwmon/hwmon0/power1_input", "5000000");
  EXPECT_EQ(Read(), (Readings{.watts = 5}));
}

TEST_F(ReadingsTest, WhatIsNoNumberIsAbsent) {
  Write("hwmon/hwmon0/temp1_input", "hot");
  Write("hwmon/hwmon0/power1_average", "");
  Write("gpu_busy_percent", "101");
  Write("mem_info_vram_used", "-1");
  EXPECT_EQ(Read(), Readings());
  Write("gpu_busy_percent", std::string(100'000, '1'));
  Write("mem_info_vram_used", "12 MiB");
  EXPECT_EQ(Read(), Readings());
}

// It would break the text that a label stands in, or be one more series each time.
TEST_F(ReadingsTest, ALabelThatIsNoWordIsNotTakenOver) {
  for (const std::string& label : {std::string("a\"} 1\nx"), std::string(33, 'x'), std::string()}) {
    Write("hwmon/hwmon0/temp1_label", label);
    Write("hwmon/hwmon0/temp1_input", "1000");
    EXPECT_THAT(Read().celsius, ElementsAre(Pair("temp1", 1))) << label;
  }
}

TEST_F(ReadingsTest, OfMoreThanEightSensorsTheFirst) {
  for (int i = 1; i <= 20; ++i) Write("hwmon/hwmon0/temp" + std::to_string(i) + "_input", "1");
  EXPECT_THAT(Read().celsius, SizeIs(8));
}

// As where each read takes a while.
class SlowClock : public base::Clock {
 public:
  base::TimePoint Now() const override {
    now_ += base::Duration(30);
    return now_;
  }
  base::WallTime Wall() const override { return {}; }

 private:
  mutable base::TimePoint now_{};
};

TEST_F(ReadingsTest, CardsThatCouldBeReadOnlyTooLateAreLeftOut) {
  std::vector<dcu::Device> cards;
  for (const char* name : {"a", "b", "c"}) {
    cards.emplace_back().uuid = name;
    cards.back().pci_bus_id = name;
    Write("gpu_busy_percent", "10", name);
  }
  EXPECT_THAT(ReadCards(root_, cards, SlowClock()), ElementsAre(Key("a")));
  EXPECT_THAT(ReadCards(root_, {}, SlowClock()), IsEmpty());
}

}  // namespace
}  // namespace vdcu::node
