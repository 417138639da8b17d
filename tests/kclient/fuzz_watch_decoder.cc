// libFuzzer: the first byte says where the rest is cut in two; both cuts must give what the whole
// gives, and nothing may crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "kclient/watch_decoder.h"

namespace {

using vdcu::kclient::WatchDecoder;
using vdcu::kclient::WatchEvent;

std::vector<std::string> Decode(const std::vector<std::string_view>& parts) {
  std::vector<std::string> told;
  WatchDecoder decoder(4096);
  for (const std::string_view part : parts) {
    const auto status = decoder.Feed(part, [&told](const WatchEvent& event) {
      told.push_back(std::to_string(static_cast<int>(event.type)) + event.object.Text());
      return vdcu::base::Ok();
    });
    if (!status) {
      told.emplace_back("error");
      return told;
    }
  }
  told.emplace_back(decoder.End() ? "end" : "cut off");
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const size_t cut = bytes.size() * data[0] / 255;
  if (Decode({bytes}) != Decode({bytes.substr(0, cut), bytes.substr(cut)})) std::abort();
  return 0;
}
