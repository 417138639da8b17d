// Whatever ParseVdevFile accepts, Render writes back byte for byte.
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "dcu/vdev.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto file = vdcu::dcu::ParseVdevFile(text);
  if (file && vdcu::dcu::Render(*file) != text) std::abort();
  return 0;
}
