// vdcu-cards: draws what `kubectl get dcunodes,vdcupartitions -A -o json` prints.

#include <unistd.h>

#include <iostream>
#include <iterator>
#include <string>

#include "base/result.h"
#include "demo/card_picture.h"
#include "kclient/core/json.h"

namespace vdcu::demo {
namespace {

struct Objects {
  std::vector<crds::DcuNode> nodes;
  std::vector<crds::VdcuPartition> partitions;
};

base::Status Add(kclient::JsonView item, Objects& objects) {
  const auto kind = kclient::GetStringOr(item, "kind");
  if (kind == "DCUNode") {
    ASSIGN_OR_RETURN(objects.nodes.emplace_back(), crds::DcuNode::FromJson(item));
  } else if (kind == "VDCUPartition") {
    ASSIGN_OR_RETURN(objects.partitions.emplace_back(), crds::VdcuPartition::FromJson(item));
  } else {
    return base::Invalid("kind \"" + kind + "\": want DCUNode or VDCUPartition");
  }
  return base::Ok();
}

base::Result<Objects> Read(const std::string& text) {
  kclient::JsonParser parser;
  const auto list = parser.Parse(text);
  if (!list) return base::Corrupt("stdin is no JSON: " + list.error().message);
  Objects objects;
  base::Status status = base::Ok();
  kclient::ForEach(*list, "items", [&](kclient::JsonView item) {
    if (status) status = Add(item, objects);
  });
  RETURN_IF_ERROR(status);
  return objects;
}

int Main() {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto objects = Read(text);
  if (!objects) {
    std::cerr << "vdcu-cards: " << objects.error().message << "\n";
    return 1;
  }
  std::cout << DrawCards(objects->nodes, objects->partitions, isatty(STDOUT_FILENO) == 1);
  return 0;
}

}  // namespace
}  // namespace vdcu::demo

int main() { return vdcu::demo::Main(); }
