// libFuzzer: whatever a kubeconfig holds, reading it gives a configuration that a client can use,
// or an error that names the file.
#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "kclient/config.h"

namespace {

using vdcu::kclient::Config;

bool IsUsable(const Config& config) {
  const bool has_key = config.cert_data.empty() == config.key_data.empty();
  const bool one_trust = !config.insecure_skip_tls_verify || config.ca_data.empty();
  const bool token_is_a_header = config.token.find_first_of("\r\n ") == std::string::npos;
  return config.server.starts_with("https://") && config.server.size() > 8 &&
         !config.server.ends_with("/") && !config.namespace_name.empty() && has_key && one_trust &&
         token_is_a_header;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const std::string path =
      std::filesystem::temp_directory_path() / ("vdcu-fuzz-" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(data), static_cast<std::streamsize>(size));
  const auto config = vdcu::kclient::LoadKubeconfig({path});
  std::filesystem::remove(path);
  const bool right = config ? IsUsable(*config) : config.error().message.starts_with(path);
  if (!right) std::abort();
  return 0;
}
