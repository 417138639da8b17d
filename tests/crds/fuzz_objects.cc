// Whatever the API server may send as one of our kinds, or as a pod: what is read of it, written
// and read again is the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "crds/dcunode.h"
#include "crds/decode.h"
#include "crds/pod_request.h"
#include "crds/vdcupartition.h"

namespace {

using vdcu::crds::DcuNode;
using vdcu::crds::VdcuPartition;

template <class T>
vdcu::base::Result<T> Read(const std::string& text) {
  vdcu::kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const auto view, parser.Parse(text));
  return vdcu::crds::Decode<T>(view);
}

void CheckPartition(const std::string& text) {
  const auto partition = Read<VdcuPartition>(text);
  if (!partition) return;
  const auto again =
      Read<VdcuPartition>(vdcu::crds::ToJson(*partition)
                              .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  if (!again || again->spec.assignment != partition->spec.assignment ||
      again->spec.share != partition->spec.share ||
      again->spec.pod_ref != partition->spec.pod_ref) {
    std::abort();
  }
}

void CheckPod(const std::string& text) {
  const auto pod = Read<vdcu::kclient::Pod>(text);
  if (!pod || !pod->scheduling) return;
  const auto request = vdcu::crds::ParsePodRequest(*pod);
  if (!request) return;
  int slices = 0;
  for (const auto& container : request->containers) slices += container.cards;
  if (slices > 64 + 256) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  CheckPartition(text);
  CheckPod(text);
  const auto node = Read<DcuNode>(text);
  if (node) vdcu::crds::ToJson(node->status);
  return 0;
}
