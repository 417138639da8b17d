#include "node/plugin/kubelet_checkpoint.h"

#include <optional>

#include "kclient/core/json.h"

namespace vdcu::node {

namespace {

constexpr char kFile[] = "/kubelet_internal_checkpoint";
constexpr size_t kMost = 16 * 1024 * 1024;  // one id of a card in use is some 20 bytes

std::optional<kclient::JsonView> RegisteredDevices(kclient::JsonView checkpoint) {
  const auto data = kclient::Get(checkpoint, "Data");
  return data ? kclient::Get(*data, "RegisteredDevices") : std::nullopt;
}

}  // namespace

KubeletCheckpoint::KubeletCheckpoint(const std::string& folder)
    : folder_(folder), path_(folder_.Resolve(kFile)) {}

void KubeletCheckpoint::Note(const std::string& resource) {
  noted_[resource] = base::StampOf(path_);
}

base::Result<std::set<std::string>> KubeletCheckpoint::Resources() const {
  const base::FileStamp stamp = base::StampOf(path_);  // before it is read: it may be replaced
  ASSIGN_OR_RETURN(const std::string text, folder_.Read(kFile, kMost));
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const kclient::JsonView checkpoint, parser.Parse(text));
  std::set<std::string> resources;
  const auto registered = RegisteredDevices(checkpoint);
  for (const auto& [resource, before] : noted_) {
    if (!registered || stamp == before) continue;
    bool any = false;
    kclient::ForEach(*registered, resource, [&any](kclient::JsonView) { any = true; });
    if (any) resources.insert(resource);
  }
  return resources;
}

}  // namespace vdcu::node
