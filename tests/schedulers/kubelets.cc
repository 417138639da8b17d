#include "tests/schedulers/kubelets.h"

#include "tests/schedulers/workload.h"
#include "tests/world/objects.h"

namespace vdcu::schedulers {

using nlohmann::json;

namespace {

// As node/plugin waits inside the kubelet's call.
constexpr base::Duration kAdmission{10'000};

}  // namespace

void Kubelets::Look(const std::vector<json>& pods) {
  std::map<std::string, size_t> prepared;  // by pod's UID
  for (const json& partition : api_.List(world::kPartitions)) {
    const json said = world::Condition(partition, "Prepared");
    if (said.is_object() && said["status"] == "True")
      ++prepared[partition["spec"]["podRef"]["uid"]];
  }
  for (const json& pod : pods) {
    if (pod["metadata"].contains("deletionTimestamp")) {
      End(pod);
    } else if (pod["spec"].contains("nodeName") && !pod["status"].contains("startTime")) {
      Admit(pod, prepared[pod["metadata"]["uid"]]);
    }
  }
}

void Kubelets::Admit(const json& pod, size_t prepared) {
  const base::TimePoint now = clock_.Now();
  const base::TimePoint since = since_.emplace(pod["metadata"]["uid"], now).first->second;
  const std::string start = base::FormatTime(clock_.Wall());
  if (prepared >= world::CardsOf(pod)) {
    ++admitted_[KindOf(pod)];
    return SetStatus(pod, {{"phase", "Running"}, {"startTime", start}});
  }
  if (now - since < kAdmission) return;
  const json said = world::Condition(pod, "vdcu.io/SliceAssigned");
  failed_.push_back({pod["metadata"]["name"], since, said.is_object() ? said["reason"] : json("")});
  SetStatus(pod,
            {{"phase", "Failed"}, {"reason", "UnexpectedAdmissionError"}, {"startTime", start}});
}

void Kubelets::End(const json& pod) {
  const json disrupted = world::Condition(pod, "DisruptionTarget");
  if (disrupted.is_object() && disrupted["reason"] == "EvictionByEvictionAPI") ++evicted_;
  // Somebody else may have ended it.
  api_.Call("DELETE", std::string(world::kPods) + "/" + pod["metadata"]["name"].get<std::string>() +
                          "?gracePeriodSeconds=0");
}

void Kubelets::SetStatus(const json& pod, const json& status) const {
  const std::string name = pod["metadata"]["name"];
  api_.Call("PATCH", std::string(world::kPods) + "/" + name + "/status", {{"status", status}});
}

}  // namespace vdcu::schedulers
