#include "tests/schedulers/workload.h"

#include <gtest/gtest.h>

#include <set>

namespace vdcu::schedulers {

using nlohmann::json;
using world::Limits;

namespace {

constexpr char kVolcanoJobs[] = "/apis/batch.volcano.sh/v1alpha1/namespaces/default/jobs";
constexpr char kPodGroups[] = "/apis/scheduling.volcano.sh/v1beta1/namespaces/default/podgroups";
constexpr char kWork[] = "work";  // a label
// Often more than there is room for: one may ask for a whole card.
constexpr int kMostMembers = 32;

// What of 100 things comes how often.
struct Share {
  int up_to;
  const char* kind;
};
constexpr Share kShares[] = {{22, "ours"}, {44, "kube"},  {54, "hand"},
                             {62, "high"}, {70, "group"}, {80, "gang"}};

json Spec(const std::string& kind, const Limits& limits) {
  json spec = world::Pod("p", limits)["spec"];
  if (kind == "kube") spec["schedulerName"] = "vdcu-kube";
  if (kind == "gang") spec["schedulerName"] = "volcano";
  spec["priorityClassName"] = kind == "high" || kind == "gang" ? "high" : "low";
  return spec;
}

}  // namespace

std::string KindOf(const json& pod) {
  const std::string name = pod["metadata"]["name"];
  return name.substr(0, name.find_first_of("0123456789"));
}

std::string WorkOf(const json& pod) {
  return pod["metadata"].value("/labels/work"_json_pointer, std::string());
}

int Workload::Members() const {
  int members = 0;
  for (const auto& [name, work] : works_) members += work.members;
  return members;
}

void Workload::Act() {
  const int what = Pick(100);
  for (const Share& share : kShares) {
    if (what < share.up_to && Members() < kMostMembers) return Make(share.kind);
  }
  DropOne();
}

Limits Workload::PickLimits(Work& work) {
  const Limits sizes[] = {{{"dcunum", "1"}, {"dcumem", "2000"}, {"dcucores", "25"}},
                          {{"dcunum", "1"}, {"dcumem", "1000"}, {"dcucores", "10"}},
                          {{"dcunum", "1"}, {"dcumem", "8000"}, {"dcucores", "25"}},
                          {{"dcunum", "1"}, {"dcumem", "4000"}, {"dcucores", "60"}},
                          {{"dcunum", "1"}}};
  const int size = Pick(static_cast<int>(std::size(sizes)));
  work.small = size < 3;
  return sizes[size];
}

void Workload::Make(const std::string& kind) {
  const std::string name = kind + std::to_string(made_[kind]++);
  Work work;
  const Limits limits = PickLimits(work);
  if (kind == "group" || kind == "gang") work.members = 2 + Pick(3);
  works_[name] = work;
  if (kind == "group") return MakeGroup(name, work, limits);
  if (kind == "gang") return MakeGang(name, work, limits);
  json pod = world::Pod(name, limits);
  pod["spec"] = Spec(kind, limits);
  pod["metadata"]["labels"][kWork] = name;
  if (kind == "hand") pod["spec"]["nodeName"] = nodes_[Pick(static_cast<int>(nodes_.size()))];
  world::Create(api_, pod);
}

void Workload::MakeGroup(const std::string& name, const Work& work, const Limits& limits) {
  for (int i = 0; i < work.members; ++i) {
    json pod =
        world::Pod(name + "-" + std::to_string(i), limits,
                   {{"vdcu.io/group", name}, {"vdcu.io/group-size", std::to_string(work.members)}});
    pod["metadata"]["labels"][kWork] = name;
    world::Create(api_, pod);
  }
}

void Workload::MakeGang(const std::string& name, const Work& work, const Limits& limits) {
  const json pod{{"metadata", {{"labels", {{kWork, name}}}}}, {"spec", Spec("gang", limits)}};
  const json task{{"name", "main"}, {"replicas", work.members}, {"template", pod}};
  const json job{{"apiVersion", "batch.volcano.sh/v1alpha1"},
                 {"kind", "Job"},
                 {"metadata", {{"name", name}}},
                 {"spec",
                  {{"schedulerName", "volcano"},
                   {"queue", "default"},
                   {"minAvailable", work.members},
                   {"tasks", json::array({task})}}}};
  const auto answer = api_.Call("POST", kVolcanoJobs, job);
  EXPECT_EQ(answer.code, 201) << answer.body.dump();
}

void Workload::Shrink(int members) {
  std::vector<std::string> large;
  for (const auto& [name, work] : works_) {
    if (!work.small) large.push_back(name);
  }
  for (const std::string& name : large) Drop(name);
  while (Members() > members) DropOne();
}

void Workload::DropOne() {
  if (works_.empty()) return;
  const std::string name = std::next(works_.begin(), Pick(static_cast<int>(works_.size())))->first;
  Drop(name);
}

// Its pods go with Tidy.
void Workload::Drop(const std::string& name) {
  works_.erase(name);
  if (name.starts_with("gang")) {
    api_.Call("DELETE", std::string(kVolcanoJobs) + "/" + name + "?propagationPolicy=Background");
  }
}

void Workload::Tidy(const std::vector<json>& pods) {
  std::set<std::string> alive;
  for (const json& pod : pods) {
    const std::string work = WorkOf(pod);
    if (pod["status"]["phase"] == "Failed") Drop(work);
    if (works_.contains(work)) {
      alive.insert(work);
      continue;
    }
    api_.Call("DELETE", std::string(world::kPods) + "/" +
                            pod["metadata"]["name"].get<std::string>() + "?gracePeriodSeconds=0");
  }
  // No garbage collector runs here, and what is left of a gang counts in its queue.
  for (const json& group : api_.List(kPodGroups)) {
    const std::string name = group["metadata"]["name"];
    if (works_.contains(name.substr(0, name.find('-')))) continue;
    api_.Call("DELETE", std::string(kPodGroups) + "/" + name);
  }
  std::erase_if(works_, [&](const auto& item) {
    return !alive.contains(item.first) && !item.first.starts_with("gang");
  });
}

}  // namespace vdcu::schedulers
