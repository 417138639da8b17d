#include "controller/extender/leader_address.h"

#include <utility>

namespace vdcu::controller {

using nlohmann::json;

namespace {

constexpr kclient::Resource kEndpointSlices{"discovery.k8s.io", "v1", "endpointslices",
                                            "EndpointSlice"};
const kclient::Key kKey{.kind = "endpointslice", .name = kExtenderName};

}  // namespace

LeaderAddress::LeaderAddress(Parts parts, std::string ns, std::string address, uint16_t port,
                             base::Random random)
    : parts_(std::move(parts)),
      ns_(std::move(ns)),
      address_(std::move(address)),
      port_(port),
      executor_({parts_.loop, parts_.client, parts_.events, *this}, 1, std::move(random)) {}

void LeaderAddress::Publish() {
  executor_.Add(kKey);
  executor_.Start();
}

kclient::WorkPlan LeaderAddress::Reconcile(const kclient::Key& /*key*/) {
  return {.read = kclient::PlannedRead{
              .resource = kEndpointSlices,
              .ns = ns_,
              .name = kExtenderName,
              .on_answer = [this](const kclient::Answer& found) { return PlanFor(found); }}};
}

kclient::WorkPlan LeaderAddress::PlanFor(const kclient::Answer& found) const {
  const json endpoints =
      json::array({{{"addresses", {address_}}, {"conditions", {{"ready", true}}}}});
  const json ports = json::array({{{"name", "extender"}, {"port", port_}, {"protocol", "TCP"}}});
  const json labels{{"kubernetes.io/service-name", kExtenderName},
                    {"endpointslice.kubernetes.io/managed-by", "vdcu-controller"}};
  const char* family = address_.find(':') == std::string::npos ? "IPv4" : "IPv6";
  if (!found) {
    return kclient::PlanOf(kclient::MakeCreate(
        kEndpointSlices, ns_, kExtenderName,
        {{"apiVersion", "discovery.k8s.io/v1"},
         {"kind", "EndpointSlice"},
         {"metadata", {{"name", kExtenderName}, {"namespace", ns_}, {"labels", labels}}},
         {"addressType", family},
         {"endpoints", endpoints},
         {"ports", ports}}));
  }
  const auto meta = kclient::Get(*found, "metadata").value_or(kclient::JsonView());
  return kclient::PlanOf(kclient::MakePatch(
      kEndpointSlices, ns_, kExtenderName, "",
      {{"metadata", {{"labels", labels}}}, {"endpoints", endpoints}, {"ports", ports}},
      kclient::GetStringOr(meta, "uid"), kclient::GetStringOr(meta, "resourceVersion")));
}

}  // namespace vdcu::controller
