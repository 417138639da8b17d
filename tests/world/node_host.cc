#include "tests/world/node_host.h"

#include <filesystem>
#include <sstream>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace vdcu::world {

using hosts::SimulatedHost;
using nlohmann::json;

NodeHost::NodeHost(std::string name, std::string folder, const hosts::HostOptions& options)
    : name_(std::move(name)),
      folder_(std::move(folder)),
      host_(SimulatedHost::Create(folder_, options).value()) {}

std::map<std::string, std::string> NodeHost::Files() const {
  std::map<std::string, std::string> files;
  for (const char* top : {"/etc/vdev", "/var/lib/vdcu"}) {
    // The daemon may take away what is being looked at.
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder_ + top, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
      std::error_code gone;
      if (!at->is_regular_file(gone) || gone) continue;
      const std::string path = at->path().string().substr(folder_.size());
      if (const auto bytes = host_.root().Read(path)) files[path] = *bytes;
    }
  }
  return files;
}

std::string NodeHost::VdevFile(const json& assignment) const {
  const hosts::Card* card = nullptr;
  for (const hosts::Card& other : host_.cards()) {
    if (assignment["device"] == host_.Uuid(other.index)) card = &other;
  }
  CHECK(card != nullptr, assignment.dump());
  std::string mebibytes = assignment["memory"];
  CHECK(mebibytes.ends_with("Mi"), mebibytes);
  mebibytes.resize(mebibytes.size() - 2);
  std::ostringstream file;
  file << "PciBusId: " << card->pci_bus_id
       << "\ncu_mask: " << assignment["cuMasks"][0].get<std::string>()
       << "\ncu_mask: " << assignment["cuMasks"][1].get<std::string>()
       << "\ncu_count: " << assignment["computeUnits"] << "\nmem: " << mebibytes
       << " MiB\ndevice_id: 0\nvdev_id: " << assignment["vdev"]
       << "\npipe_id: " << assignment["pipe"] << "\nenable: 1\n";
  return file.str();
}

}  // namespace vdcu::world
