#include "node/container_edits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/node/builders.h"

namespace vdcu::node {

// For messages of failed tests.
void PrintTo(const Slice& slice, std::ostream* out) { *out << slice.uid; }

namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Mount = kubelet::ContainerEdits::Mount;
using Node = kubelet::ContainerEdits::DeviceNode;

dcu::Device Card(int minor) {
  dcu::Device device = MakeDevice("DCU-" + std::to_string(minor));
  device.drm_card_minor = minor;
  device.drm_render_minor = 128 + minor;
  return device;
}

kubelet::ContainerEdits Edits(const std::vector<dcu::Assignment>& assignments,
                              const std::vector<dcu::Device>& cards,
                              const std::set<std::string>& paths) {
  std::vector<Slice> slices;
  std::vector<const dcu::Device*> devices;
  for (size_t n = 0; n < assignments.size(); ++n) {
    slices.push_back({"uid-" + std::to_string(n), "team", "p", assignments[n], {}, ""});
    devices.push_back(&cards[n]);
  }
  return EditsFor(slices, devices, "/opt/dtk",
                  [&](const std::string& path) { return paths.contains(path); });
}

TEST(EditsFor, ASliceGetsItsCardsNodesAndItsFolder) {
  const auto edits = Edits({MakeAssignment(0)}, {Card(3)}, {"/dev/kfd", "/dev/mkfd"});
  EXPECT_THAT(edits.devices,
              ElementsAre(Node{"/dev/kfd", "rw"}, Node{"/dev/mkfd", "rw"},
                          Node{"/dev/dri/card3", "rw"}, Node{"/dev/dri/renderD131", "rw"}));
  EXPECT_THAT(edits.mounts, ElementsAre(Mount{"/etc/vdev/docker", "/etc/vdev/slices/uid-0"}));
}

TEST(EditsFor, WholeCardsGetTheirNodesAndNoFolder) {
  const auto edits =
      Edits({MakeWholeCard(), MakeWholeCard()}, {Card(0), Card(2)}, {"/dev/kfd", "/dev/mkfd"});
  EXPECT_THAT(edits.devices,
              ElementsAre(Node{"/dev/kfd", "rw"}, Node{"/dev/mkfd", "rw"},
                          Node{"/dev/dri/card0", "rw"}, Node{"/dev/dri/renderD128", "rw"},
                          Node{"/dev/dri/card2", "rw"}, Node{"/dev/dri/renderD130", "rw"}));
  EXPECT_THAT(edits.mounts, IsEmpty());
}

TEST(EditsFor, TheVendorsFoldersWhereTheHostHasThem) {
  const auto edits = Edits({MakeWholeCard()}, {Card(0)}, {"/dev/kfd", "/opt/dtk", "/opt/hyhal"});
  EXPECT_THAT(edits.mounts, ElementsAre(Mount{"/opt/hygondriver", "/opt/dtk"},
                                        Mount{"/opt/hyhal", "/opt/hyhal"}));
}

}  // namespace
}  // namespace vdcu::node
