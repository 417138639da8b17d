#include "controller/extender/leader_address.h"

#include <utility>

namespace vdcu::controller {

using nlohmann::json;

namespace {

constexpr kclient::Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices",
                                            "EndpointSlice"};
const kclient::Key kAddressKey{.kind = "endpointslice", .name = "leader"};

}  // namespace

LeaderAddress::LeaderAddress(Parts parts, Of of, base::Random random)
    : parts_(std::move(parts)),
      of_(std::move(of)),
      executor_({parts_.loop, parts_.client, parts_.events, *this}, 1, std::move(random)) {}

void LeaderAddress::Publish() {
  executor_.Add(kAddressKey);
  executor_.Start();
}

kclient::WorkPlan LeaderAddress::Reconcile(const kclient::Key& /*key*/) {
  return {.read = kclient::PlannedRead{
              .resource = kEndpointSlices,
              .ns = of_.ns,
              .name = of_.service,
              .on_answer = [this](const kclient::Answer& found) { return PlanFor(found); }}};
}

kclient::WorkPlan LeaderAddress::PlanFor(const kclient::Answer& found) const {
  const json endpoints =
      json::array({{{"addresses", {of_.address}}, {"conditions", {{"ready", true}}}}});
  const json ports =
      json::array({{{"name", of_.port_name}, {"port", of_.port}, {"protocol", "TCP"}}});
  const json labels{{"kubernetes.io/service-name", of_.service},
                    {"endpointslice.kubernetes.io/managed-by", "vdcu-controller"}};
  const char* family = of_.address.find(':') == std::string::npos ? "IPv4" : "IPv6";
  if (!found) {
    return kclient::PlanOf(kclient::MakeCreate(
        kEndpointSlices, of_.ns, of_.service,
        {{"apiVersion", "discovery.k8s.io/v1"},
         {"kind", "EndpointSlice"},
         {"metadata", {{"name", of_.service}, {"namespace", of_.ns}, {"labels", labels}}},
         {"addressType", family},
         {"endpoints", endpoints},
         {"ports", ports}}));
  }
  const auto meta = kclient::Get(*found, "metadata");
  if (!meta) return {};  // an answer that is no object
  return kclient::PlanOf(kclient::MakePatch(
      kEndpointSlices, of_.ns, of_.service, "",
      {{"metadata", {{"labels", labels}}}, {"endpoints", endpoints}, {"ports", ports}},
      kclient::GetStringOr(*meta, "uid"), kclient::GetStringOr(*meta, "resourceVersion")));
}

}  // namespace vdcu::controller
