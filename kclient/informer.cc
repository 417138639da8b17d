#include "kclient/informer.h"

namespace vdcu::kclient {

std::string KeyOf(JsonView object) {
  const auto meta = Get(object, "metadata");
  if (!meta) return "";
  std::string key = GetStringOr(*meta, "namespace");
  if (!key.empty()) key += '/';
  return key += GetStringOr(*meta, "name");
}

std::string ResourceVersionOf(JsonView object) {
  const auto meta = Get(object, "metadata");
  return meta ? GetStringOr(*meta, "resourceVersion") : "";
}

}  // namespace vdcu::kclient
