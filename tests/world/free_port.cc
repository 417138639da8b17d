#include "tests/world/free_port.h"

#include <string>

#include "base/check.h"
#include "tests/world/process.h"

namespace vdcu::world {

uint16_t FreePort() {
  const Output output = RunProgram({VDCU_SOURCE_DIR "/tests/cluster/free-port"});
  CHECK(output.exit_code == 0, "tests/cluster/free-port: " + output.text);
  return static_cast<uint16_t>(std::stoi(output.text));
}

}  // namespace vdcu::world
