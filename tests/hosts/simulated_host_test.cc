#include "tests/hosts/simulated_host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "tests/node/temp_folder.h"

namespace vdcu::hosts {
namespace {

const std::string kNodes[] = {"/dev/kfd",       "/dev/mkfd",
                              "/dev/dri/card0", "/dev/dri/renderD128",
                              "/dev/dri/card1", "/dev/dri/renderD129"};

bool IsDevice(const SimulatedHost& host, const std::string& path) {
  struct stat status{};
  return stat(host.root().Resolve(path).c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

bool Opens(const SimulatedHost& host, const std::string& path) {
  const int descriptor = open(host.root().Resolve(path).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor >= 0) close(descriptor);
  return descriptor >= 0;
}

TEST(SimulatedHostTest, DevicesArePlainFilesUnlessTheyAreToBeReal) {
  node::TempFolder folder;
  const auto host = SimulatedHost::Create(folder.path(), {.cards = 1});
  ASSERT_TRUE(host) << host.error().message;
  for (const std::string& node : kNodes) {
    EXPECT_TRUE(Opens(*host, node)) << node;
    EXPECT_FALSE(IsDevice(*host, node)) << node;
  }
}

TEST(SimulatedHostTest, RealDevicesCanBeOpened) {
  node::TempFolder folder;
  const auto host = SimulatedHost::Create(folder.path(), {.cards = 1, .real_devices = true});
  if (getuid() != 0) {
    ASSERT_FALSE(host);
    EXPECT_NE(host.error().message.find("make real device"), std::string::npos);
    return;
  }
  ASSERT_TRUE(host) << host.error().message;
  for (const std::string& node : kNodes) {
    EXPECT_TRUE(Opens(*host, node)) << node;
    EXPECT_TRUE(IsDevice(*host, node)) << node;
  }
}

TEST(SimulatedHostTest, ACardThatReturnsHasRealDevicesAgain) {
  if (getuid() != 0) GTEST_SKIP() << "only root makes devices";
  node::TempFolder folder;
  ASSERT_TRUE(SimulatedHost::Create(folder.path(), {.cards = 1, .real_devices = true}));
  auto host = SimulatedHost::Open(folder.path());
  ASSERT_TRUE(host) << host.error().message;
  ASSERT_TRUE(host->SetVanished(0, true));
  EXPECT_FALSE(Opens(*host, "/dev/dri/card1"));
  ASSERT_TRUE(host->SetVanished(0, false));
  EXPECT_TRUE(IsDevice(*host, "/dev/dri/card1"));
  EXPECT_TRUE(IsDevice(*host, "/dev/dri/renderD129"));
}

}  // namespace
}  // namespace vdcu::hosts
