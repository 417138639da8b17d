#include <algorithm>
#include <array>

#include <openssl/evp.h>

#include "base/check.h"
#include "crds/vdcupartition.h"

namespace vdcu::crds {
namespace {

constexpr size_t kPodNameKept = 40;
constexpr size_t kHashBytes = 5;
constexpr size_t kMostLabel = 63;  // characters of a label's value
constexpr size_t kNodeNameKept = 54;
constexpr size_t kNodeHashBytes = 4;

std::string HashPrefix(std::string_view text, size_t bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  CHECK(EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1,
        "sha256 failed");
  static constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (size_t i = 0; i < bytes; ++i) {
    hex += kDigits[digest[i] >> 4];
    hex += kDigits[digest[i] & 15];
  }
  return hex;
}

}  // namespace

std::string PartitionName(std::string_view pod_name, std::string_view pod_uid,
                          std::string_view container, int card_number) {
  std::string name(pod_name.substr(0, kPodNameKept));
  std::replace(name.begin(), name.end(), '.', '-');
  name.resize(name.find_last_not_of('-') + 1);
  std::string hashed = std::string(pod_uid) + "/" + std::string(container);
  if (card_number > 0) hashed += "/" + std::to_string(card_number);
  return name + "-" + HashPrefix(hashed, kHashBytes);
}

std::string NodeLabel(std::string_view node) {
  if (node.size() <= kMostLabel) return std::string(node);
  return std::string(node.substr(0, kNodeNameKept)) + "-" + HashPrefix(node, kNodeHashBytes);
}

}  // namespace vdcu::crds
