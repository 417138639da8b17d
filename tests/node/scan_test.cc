#include "node/scan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "tests/hosts/simulated_host.h"
#include "tests/node/temp_folder.h"

namespace vdcu::node {
namespace {

using hosts::Sickness;
using hosts::SimulatedHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

SimulatedHost MakeHost(const TempFolder& folder, const hosts::HostOptions& options) {
  auto host = SimulatedHost::Create(folder.path(), options);
  EXPECT_TRUE(host) << host.error().message;
  return std::move(*host);
}

std::string TopologyFile(int card, const std::string& name) {
  return "/sys/devices/virtual/kfd/kfd/topology/nodes/" + std::to_string(2 + card) + "/" + name;
}

// The folder of a card: /sys has links to it.
std::string CardFolder(const SimulatedHost& host, size_t card) {
  const std::string path =
      host.root().Resolve("/sys/bus/pci/devices/" + host.cards()[card].pci_bus_id);
  return std::filesystem::canonical(path).string().substr(
      std::filesystem::canonical(host.root().Resolve("/")).string().size());
}

void Replace(const SimulatedHost& host, const std::string& path, const std::string& from,
             const std::string& to) {
  auto text = host.root().Read(path);
  ASSERT_TRUE(text) << text.error().message;
  const size_t at = text->find(from);
  ASSERT_NE(at, std::string::npos) << path << " has no " << from;
  ASSERT_TRUE(host.root().WriteAtomic(path, text->replace(at, from.size(), to)));
}

TEST(Scan, ShowsEachCardOfAHost) {
  const TempFolder folder;
  const auto host = MakeHost(folder, {.cards = 4, .model = "Z100L", .serial_prefix = "n-1"});
  const Scan scan = ScanHost(host.root());
  EXPECT_THAT(scan.problems, IsEmpty());
  EXPECT_EQ(scan.driver_version, "6.3.8");
  ASSERT_EQ(scan.devices.size(), 4u);
  for (int i = 0; i < 4; ++i) {
    const dcu::Device& device = scan.devices[static_cast<size_t>(i)];
    const hosts::Card& card = host.cards()[static_cast<size_t>(i)];
    EXPECT_EQ(device.index, i);
    EXPECT_EQ(device.uuid, "DCU-n-1-0" + std::to_string(i));
    EXPECT_EQ(device.model, "Z100L");
    EXPECT_EQ(device.pci_device_id, "55b7");
    EXPECT_EQ(device.pci_bus_id, card.pci_bus_id);
    EXPECT_EQ(device.compute_units, 60);
    EXPECT_EQ(device.memory.value, 32768);
    EXPECT_EQ(device.numa_node, i < 2 ? 0 : 1);
    // From the card's own drm/ folder: 0 is another vendor's, and the order is turned round.
    EXPECT_EQ(device.drm_card_minor, 4 - i);
    EXPECT_EQ(device.drm_render_minor, 128 + 4 - i);
    EXPECT_EQ(device.mode, dcu::Mode::kVdcu);
    EXPECT_TRUE(device.healthy) << device.message;
  }
}

TEST(Scan, FindsEachSignOfIllnessOnItsCardAlone) {
  struct Case {
    Sickness how;
    std::string want_reason;
  };
  for (const Case& c :
       {Case{Sickness::kDriver, "DriverUnbound"}, Case{Sickness::kRas, "UncorrectableErrors"},
        Case{Sickness::kDri, "DeviceNodesMissing"}}) {
    SCOPED_TRACE(c.want_reason);
    const TempFolder folder;
    auto host = MakeHost(folder, {.cards = 2});
    ASSERT_TRUE(host.MakeSick(1, c.how));
    Scan scan = ScanHost(host.root());
    ASSERT_EQ(scan.devices.size(), 2u);
    EXPECT_TRUE(scan.devices[0].healthy);
    EXPECT_FALSE(scan.devices[1].healthy);
    EXPECT_EQ(scan.devices[1].reason, c.want_reason);
    EXPECT_NE(scan.devices[1].message, "");
    ASSERT_TRUE(host.Heal(1));
    scan = ScanHost(host.root());
    EXPECT_TRUE(scan.devices[1].healthy);
    EXPECT_EQ(scan.devices[1].reason, "");
  }
}

TEST(Scan, ReadsWhatACardSays) {
  struct Case {
    std::string sentence;
    std::function<void(SimulatedHost&)> change;
    std::function<void(const dcu::Device&)> check;
  };
  const std::vector<Case> cases = {
      {"MIG mode", [](SimulatedHost& host) { ASSERT_TRUE(host.SetMig(0, true)); },
       [](const dcu::Device& device) { EXPECT_EQ(device.mode, dcu::Mode::kMig); }},
      {"units of the model where simd_count is 0",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(0, "properties"), "simd_count 480", "simd_count 0");
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.compute_units, 120); }},
      {"units of simd_count before those of the model",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(0, "properties"), "simd_count 480", "simd_count 512");
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.compute_units, 128); }},
      {"memory of mem_info_vram_total where no bank is of the card",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(0, "mem_banks/0/properties"), "heap_type 1", "heap_type 0");
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.memory.value, 65520); }},
      {"unique id where there is no serial number",
       [](SimulatedHost& host) {
         const std::string card = CardFolder(host, 0);
         ASSERT_TRUE(host.root().RemoveFile(card + "/serial_number"));
         ASSERT_TRUE(host.root().WriteAtomic(card + "/unique_id", "00ab12\n"));
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.uuid, "DCU-00ab12"); }},
      {"unique id where the serial number is zeros",
       [](SimulatedHost& host) {
         const std::string card = CardFolder(host, 0);
         ASSERT_TRUE(host.root().WriteAtomic(card + "/serial_number", "0000000\n"));
         ASSERT_TRUE(host.root().WriteAtomic(card + "/unique_id", "00ab12\n"));
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.uuid, "DCU-00ab12"); }},
      {"bus id where there is neither",
       [](SimulatedHost& host) {
         const std::string card = CardFolder(host, 0);
         ASSERT_TRUE(host.root().RemoveFile(card + "/serial_number"));
         ASSERT_TRUE(host.root().RemoveFile(card + "/unique_id"));
       },
       [](const dcu::Device& device) {
         std::string want = "DCU-" + device.pci_bus_id;
         for (char& c : want) c = c == ':' || c == '.' ? '-' : c;
         EXPECT_EQ(device.uuid, want);
       }},
      {"the PCI domain",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(0, "properties"), "domain 0", "domain 10");
       },
       [](const dcu::Device& device) { EXPECT_THAT(device.pci_bus_id, HasSubstr("000a:")); }},
      {"an unknown model by its id",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(0, "properties"), "device_id 25104", "device_id 4660");
       },
       [](const dcu::Device& device) { EXPECT_EQ(device.model, "DCU-1234"); }},
      {"correctable errors are no illness",
       [](SimulatedHost& host) {
         ASSERT_TRUE(host.root().WriteAtomic(CardFolder(host, 0) + "/ras/umc_err_count",
                                             "ue: 0\nce: 99\n"));
       },
       [](const dcu::Device& device) { EXPECT_TRUE(device.healthy); }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.sentence);
    const TempFolder folder;
    auto host = MakeHost(folder, {.cards = 1});
    c.change(host);
    const Scan scan = ScanHost(host.root());
    EXPECT_THAT(scan.problems, IsEmpty());
    ASSERT_EQ(scan.devices.size(), 1u);
    c.check(scan.devices[0]);
  }
}

TEST(Scan, NamesWhatItLeavesOutAndCountsTheOthers) {
  struct Case {
    std::string sentence;
    std::function<void(SimulatedHost&)> change;
    std::string want_problem;  // empty: none
    size_t want_devices = 2;
  };
  const std::vector<Case> cases = {
      {"a number that is none", [](SimulatedHost& host) { ASSERT_TRUE(host.MakeGarbage(1)); },
       "location_id is missing"},
      {"simd_count that is none",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(1, "properties"), "simd_count 480", "simd_count many");
       },
       "simd_count \"many\": want a number"},
      {"more units than a vdev file has bits",
       [](SimulatedHost& host) {
         Replace(host, TopologyFile(1, "properties"), "simd_count 480", "simd_count 516");
       },
       "129 compute units: want 1 to 128"},
      {"an unreadable gpu_id",
       [](SimulatedHost& host) {
         ASSERT_TRUE(host.root().WriteAtomic(TopologyFile(1, "gpu_id"), "x"));
       },
       "gpu_id"},
      {"a file without end",
       [](SimulatedHost& host) {
         ASSERT_TRUE(
             host.root().WriteAtomic(TopologyFile(1, "properties"), std::string(1 << 20, 'x')));
       },
       "longer than"},
      {"two cards with one serial number",
       [](SimulatedHost& host) {
         ASSERT_TRUE(host.root().WriteAtomic(CardFolder(host, 1) + "/serial_number", "host-00"));
       },
       "call themselves DCU-host-00", 1},
      {"another vendor's card is no problem",
       [](SimulatedHost& host) { ASSERT_TRUE(host.MakeForeign(1)); }, ""},
      {"a card that is not there is no problem",
       [](SimulatedHost& host) { ASSERT_TRUE(host.SetVanished(1, true)); }, ""},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.sentence);
    const TempFolder folder;
    auto host = MakeHost(folder, {.cards = 3});
    c.change(host);
    const Scan scan = ScanHost(host.root());
    EXPECT_EQ(scan.devices.size(), c.want_devices);
    if (c.want_problem.empty()) {
      EXPECT_THAT(scan.problems, IsEmpty());
    } else {
      EXPECT_THAT(scan.problems, ElementsAre(HasSubstr(c.want_problem)));
    }
  }
}

TEST(Scan, SaysThatThereIsNoTopology) {
  const TempFolder folder;
  const Scan scan = ScanHost(base::Root(folder.path()));
  EXPECT_THAT(scan.devices, IsEmpty());
  EXPECT_THAT(scan.problems, ElementsAre(HasSubstr("no KFD topology")));
}

TEST(Scan, FindsTheTopologyWithoutTheClassLink) {
  const TempFolder folder;
  const auto host = MakeHost(folder, {.cards = 2});
  ASSERT_TRUE(host.root().RemoveFile("/sys/class/kfd/kfd"));
  EXPECT_EQ(ScanHost(host.root()).devices.size(), 2u);
}

TEST(Scan, IsTheSameAgainAfterACardWasAway) {
  const TempFolder folder;
  auto host = MakeHost(folder, {.cards = 3});
  const Scan before = ScanHost(host.root());
  ASSERT_TRUE(host.SetVanished(0, true));
  const Scan meanwhile = ScanHost(host.root());
  ASSERT_EQ(meanwhile.devices.size(), 2u);
  EXPECT_EQ(meanwhile.devices[0].uuid, before.devices[1].uuid);
  ASSERT_TRUE(host.SetVanished(0, false));
  EXPECT_EQ(ScanHost(host.root()), before);
}

TEST(SimulatedHosts, DifferInSerialNumbersAndBusIds) {
  const TempFolder a;
  const TempFolder b;
  const auto first = ScanHost(MakeHost(a, {.cards = 1, .serial_prefix = "node-1"}).root());
  const auto second = ScanHost(MakeHost(b, {.cards = 1, .serial_prefix = "node-2"}).root());
  EXPECT_NE(first.devices[0].uuid, second.devices[0].uuid);
  EXPECT_NE(first.devices[0].pci_bus_id, second.devices[0].pci_bus_id);
}

TEST(SimulatedHosts, RefuseWhatIsWrong) {
  for (const hosts::HostOptions& options :
       {hosts::HostOptions{.cards = 0}, hosts::HostOptions{.cards = 33},
        hosts::HostOptions{.model = "H100"}, hosts::HostOptions{.compute_units = 129},
        hosts::HostOptions{.model = "BW100"}, hosts::HostOptions{.serial_prefix = "a/b"}}) {
    const TempFolder folder;
    const auto host = SimulatedHost::Create(folder.path(), options);
    ASSERT_FALSE(host);
    EXPECT_EQ(host.error().code, base::ErrorCode::kInvalid) << host.error().message;
  }
}

}  // namespace
}  // namespace vdcu::node
