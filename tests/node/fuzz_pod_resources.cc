// Any answer of the kubelet's pod-resources API: whoever is named as the asker is listed, asks, and
// has no device yet.
#include <podresources.pb.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <set>
#include <string>

#include "node/plugin/identity.h"

namespace {

using vdcu::kubelet::Listing;
using vdcu::node::NodePod;

constexpr char kResource[] = "hygon.com/dcunum";

// Each pod of a short name is known, and asks.
std::map<std::string, NodePod> PodsOf(const Listing& listing) {
  std::map<std::string, NodePod> pods;
  for (const auto& listed : listing) {
    if (listed.name.size() > 2) continue;
    NodePod pod;
    pod.meta.ns = listed.ns;
    pod.meta.name = listed.name;
    pod.meta.uid = "uid-" + listed.name;
    pod.phase = "Pending";
    pod.device_requests = {{"main", kResource, 1}};
    pods[pod.meta.key()] = pod;
  }
  return pods;
}

bool IsOpen(const Listing& listing, const vdcu::node::Asker& asker) {
  return std::any_of(listing.begin(), listing.end(), [&](const auto& pod) {
    return pod.ns == asker.ns && pod.name == asker.pod.name;
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  v1::ListPodResourcesResponse response;
  if (!response.ParseFromArray(data, static_cast<int>(size))) return 0;
  const auto listing = vdcu::kubelet::ToListing(response);
  const auto pods = PodsOf(*listing);
  const std::set<std::string> read;
  const auto identity =
      vdcu::node::WhoAsks({.listing = *listing,
                           .resource = kResource,
                           .pod = [&](const std::string& key) -> const NodePod* {
                             const auto found = pods.find(key);
                             return found == pods.end() ? nullptr : &found->second;
                           },
                           .has_processes = [](const std::string&) { return false; },
                           .answered = [](const std::string&, const std::string&) { return false; },
                           .read = read});
  if (identity.asker && !IsOpen(*listing, *identity.asker)) std::abort();
  return 0;
}
