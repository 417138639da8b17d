#include "node/node_object.h"

#include <utility>

#include "crds/resources.h"
#include "node/report.h"

namespace vdcu::node {

namespace {
constexpr base::Duration kUseDelay{2000};
}  // namespace

NodeObject::NodeObject(std::string node, const kclient::Store<crds::DcuNode>& store,
                       const Holdings& holdings, base::Loop& loop, std::function<void()> add)
    : node_(std::move(node)),
      store_(store),
      holdings_(holdings),
      loop_(loop),
      add_(std::move(add)),
      use_timer_(loop.MakeTimer([this] {
        use_is_due_ = true;
        add_();
      })) {}

void NodeObject::SetScan(std::string driver_version, std::vector<std::string> problems) {
  driver_version_ = std::move(driver_version);
  problems_ = std::move(problems);
}

Work NodeObject::Process(bool serves) {
  const auto object = store_.Get(node_);
  if (!object) {
    return Work{
        .writes = {kclient::MakeCreate(crds::kDcuNodes, "", node_, nlohmann::json::object())}};
  }
  const crds::DcuNodeStatus status =
      BuildStatus({.devices = holdings_.devices(),
                   .slices = holdings_.slices(),
                   .driver_version = driver_version_,
                   .problems = problems_,
                   .disk = holdings_.disk(),
                   .heartbeat = heartbeat_,
                   .serves = serves,
                   .serving_since = serving_since_},
                  object->status, object->meta.generation, loop_.clock().Wall());
  if (status == object->status) {
    published_ = true;
    use_is_due_ = false;
    return {};
  }
  if (OnlyUseDiffers(status, object->status)) {
    published_ = true;
    if (!std::exchange(use_is_due_, false)) {
      if (!use_timer_->armed()) use_timer_->Start(kUseDelay);
      return {};
    }
  }
  return Work{.writes = {kclient::MakePatch(crds::kDcuNodes, "", node_, "status",
                                            {{"status", crds::ToJson(status)}}, object->meta.uid,
                                            object->meta.resource_version)}};
}

Work Advertise(const kclient::Store<kclient::Node>& store, const std::string& node,
               const std::vector<std::string>& resources, size_t slots) {
  const auto object = store.Get(node);
  if (!object) return {};
  nlohmann::json offered = nlohmann::json::object();
  for (const std::string& resource : resources) {
    const auto stands = object->allocatable.find(resource);
    if (stands != object->allocatable.end() && stands->second == static_cast<int64_t>(slots)) {
      continue;
    }
    offered[resource] = std::to_string(slots);
  }
  if (offered.empty()) return {};
  // No resourceVersion: heartbeats change the Node all the time, and these names are ours alone.
  return Work{
      .writes = {kclient::MakePatch(kclient::kNodes, "", node, "status",
                                    {{"status", {{"capacity", offered}, {"allocatable", offered}}}},
                                    object->meta.uid, "")}};
}

}  // namespace vdcu::node
