#include "tests/world/paths.h"

namespace vdcu::world {

std::string ControllerBinary() { return VDCU_CONTROLLER_BINARY; }
std::string NodeBinary() { return VDCU_NODE_BINARY; }
std::string Source(const std::string& path) { return VDCU_SOURCE_DIR "/" + path; }

}  // namespace vdcu::world
