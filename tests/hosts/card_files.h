// The files of one simulated card: made, changed and removed so that they say what the Card says.
#pragma once

#include "base/file.h"
#include "base/result.h"
#include "tests/hosts/simulated_host.h"

namespace vdcu::hosts {

inline constexpr int kCpuNodes = 2;  // KFD nodes before the first card

base::Status WriteIfOther(const base::Root& root, const std::string& path,
                          const std::string& content);
base::Status MakeFolders(const base::Root& root, const std::string& path);
// A relative symbolic link; with the folders above it.
base::Status Link(const base::Root& root, const std::string& path, const std::string& target);
// Whatever is there, with all below it.
base::Status RemoveAll(const base::Root& root, const std::string& path);
// An empty file, or a character device that may be opened: see HostOptions::real_devices.
base::Status MakeDevice(const base::Root& root, const std::string& path, bool real);

base::Status WriteCardFiles(const base::Root& root, const Card& card);

}  // namespace vdcu::hosts
