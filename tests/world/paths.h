// Where this build's binaries and the project's sources are.
#pragma once

#include <string>

namespace vdcu::world {

std::string ControllerBinary();
std::string NodeBinary();
// `path` below the project's folder.
std::string Source(const std::string& path);

}  // namespace vdcu::world
