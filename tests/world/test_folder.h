// The temporary folder of this test process, below which all that it starts has its files. When the
// process ends, in whatever way, all that it started is ended and the folder is removed, by a
// process of its own (tests/cluster/guardian).
#pragma once

#include <string>

namespace vdcu::world {

// Made by the first call; what is started after that is marked by its environment.
const std::string& TestFolder();

}  // namespace vdcu::world
