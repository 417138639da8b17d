#include "controller/extender/wire.h"

#include <optional>

#include <nlohmann/json.hpp>

#include "crds/decode.h"
#include "crds/pod_request.h"
#include "kclient/core/json.h"

namespace vdcu::controller {

using kclient::JsonView;
using nlohmann::json;

namespace {

base::Result<std::string> ReadText(JsonView object, std::string_view field) {
  std::string text = kclient::GetStringOr(object, field);
  if (!text.empty()) return text;
  return base::Invalid(std::string(field) + ": must be set, and a text");
}

base::Result<JsonView> ParseBody(kclient::JsonParser& parser, std::string_view body) {
  auto call = parser.Parse(body);
  if (!call) return base::Invalid("the body: must be JSON: " + call.error().message);
  return call;
}

base::Result<PodIdentity> ReadPod(JsonView call) {
  const auto pod = kclient::Get(call, "Pod");
  const auto meta = pod ? kclient::Get(*pod, "metadata") : std::nullopt;
  if (!meta) return base::Invalid("Pod: must be an object with metadata");
  PodIdentity identity{
      .uid = kclient::GetStringOr(*meta, "uid"),
      .key = kclient::GetStringOr(*meta, "namespace") + "/" + kclient::GetStringOr(*meta, "name")};
  if (identity.uid.empty()) return base::Invalid("Pod.metadata.uid: must be set, and a text");
  return identity;
}

base::Result<JsonView> ReadObject(JsonView call, std::string_view field) {
  const auto object = kclient::Get(call, field);
  if (object && object->IsObject()) return *object;
  return base::Invalid(std::string(field) + ": must be an object");
}

// Volcano's task is the pod. Its Pod.spec.nodeName is only what was last tried.
base::Result<PodIdentity> ReadTask(JsonView task) {
  PodIdentity identity{
      .uid = kclient::GetStringOr(task, "UID"),
      .key = kclient::GetStringOr(task, "Namespace") + "/" + kclient::GetStringOr(task, "Name")};
  if (identity.uid.empty()) return base::Invalid("task.UID: must be set, and a text");
  return identity;
}

// Whether it waits or is bound is not read of it.
bool TaskAsksForCards(JsonView task) {
  const auto pod = kclient::Get(task, "Pod");
  if (!pod) return true;
  const auto parsed = crds::Decode<kclient::Pod>(*pod);
  return !parsed || crds::AsksForCards(*parsed);
}

// A name may have bytes that are no UTF-8 only where the API server let them through.
std::string Dump(const json& answer) {
  return answer.dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

base::Result<FilterCall> ReadFilterCall(std::string_view body) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView call, ParseBody(parser, body));
  FilterCall filter;
  ASSIGN_OR_RETURN(filter.pod, ReadPod(call));
  bool texts = true;
  kclient::ForEach(call, "NodeNames", [&](JsonView node) {
    const auto name = node.String();
    texts = texts && name;
    if (name) filter.nodes.emplace_back(*name);
  });
  if (!texts) return base::Invalid("NodeNames: must be texts");
  if (!filter.nodes.empty()) return filter;
  return base::Invalid(
      "NodeNames: must name nodes; set nodeCacheCapable: true in the scheduler's configuration");
}

base::Result<PreemptCall> ReadPreemptCall(std::string_view body) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView call, ParseBody(parser, body));
  PreemptCall preempt;
  ASSIGN_OR_RETURN(preempt.pod, ReadPod(call));
  kclient::ForEachMember(
      call, "NodeNameToMetaVictims", [&](std::string_view node, JsonView victims) {
        auto& pods = preempt.victims[std::string(node)];
        preempt.texts.emplace(node, victims.Text());
        kclient::ForEach(victims, "Pods",
                         [&](JsonView pod) { pods.insert(kclient::GetStringOr(pod, "UID")); });
      });
  if (!preempt.victims.empty()) return preempt;
  return base::Invalid(
      "NodeNameToMetaVictims: must name nodes; set nodeCacheCapable: true in the scheduler's "
      "configuration");
}

base::Result<BindCall> ReadBindCall(std::string_view body) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView call, ParseBody(parser, body));
  BindCall bind;
  ASSIGN_OR_RETURN(bind.pod.uid, ReadText(call, "PodUID"));
  ASSIGN_OR_RETURN(const std::string name, ReadText(call, "PodName"));
  ASSIGN_OR_RETURN(const std::string ns, ReadText(call, "PodNamespace"));
  ASSIGN_OR_RETURN(bind.node, ReadText(call, "Node"));
  bind.pod.key = ns + "/" + name;
  return bind;
}

base::Result<PredicateCall> ReadPredicateCall(std::string_view body) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView call, ParseBody(parser, body));
  ASSIGN_OR_RETURN(const JsonView task, ReadObject(call, "task"));
  ASSIGN_OR_RETURN(const JsonView node, ReadObject(call, "node"));
  PredicateCall predicate;
  ASSIGN_OR_RETURN(predicate.pod, ReadTask(task));
  predicate.asks = TaskAsksForCards(task);
  predicate.node = kclient::GetStringOr(node, "Name");
  if (predicate.node.empty()) return base::Invalid("node.Name: must be set, and a text");
  std::optional<std::string> wrong;
  kclient::ForEachMember(node, "Tasks", [&](std::string_view name, JsonView beside) {
    std::string uid = kclient::GetStringOr(beside, "UID");
    if (uid.empty()) wrong = name;
    if (uid != predicate.pod.uid) predicate.beside.push_back(std::move(uid));
  });
  if (!wrong) return predicate;
  return base::Invalid("node.Tasks[" + *wrong + "].UID: must be set, and a text");
}

base::Result<TaskCall> ReadTaskCall(std::string_view body) {
  constexpr int64_t kPipelined = 4;
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView call, ParseBody(parser, body));
  ASSIGN_OR_RETURN(const JsonView task, ReadObject(call, "task"));
  TaskCall read;
  ASSIGN_OR_RETURN(read.pod, ReadTask(task));
  read.asks = TaskAsksForCards(task);
  read.node = kclient::GetStringOr(task, "NodeName");
  if (read.node.empty()) return base::Invalid("task.NodeName: must be set, and a text");
  read.pipelined = kclient::GetInt(task, "Status") == kPipelined;
  return read;
}

// Nodes in FailedNodes would have kube-scheduler look for pods to evict there, which cannot help:
// it sees no units and no MiB.
std::string FilterAnswer(const reconcilers::Offer& offer) {
  return Dump({{"Nodes", nullptr},
               {"NodeNames", offer.nodes},
               {"FailedNodes", json::object()},
               {"FailedAndUnresolvableNodes", offer.refused},
               {"Error", ""}});
}

std::string FilterError(const std::string& why) { return Dump({{"Error", why}}); }

std::string PreemptAnswer(const PreemptCall& call, const std::vector<std::string>& nodes) {
  json left = json::object();
  for (const std::string& node : nodes)
    left[node] = json::parse(call.texts.at(node), nullptr, false);
  return Dump({{"NodeNameToMetaVictims", std::move(left)}});
}

std::string BindAnswer(const std::string& error) { return Dump({{"Error", error}}); }

std::string PredicateAnswer(const std::string& why, Unfit unfit) {
  if (why.empty()) return "{}";
  return Dump({{"status", why}, {"code", static_cast<int>(unfit)}});
}

std::string TaskAnswer(const std::string& error) {
  return error.empty() ? "{}" : Dump({{"errorMessage", error}});
}

}  // namespace vdcu::controller
