#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "controller/webhook/daemon_pods.h"
#include "controller/webhook/fence_rules.h"
#include "controller/webhook/review.h"
#include "controller/webhook/routes.h"

namespace vdcu::controller {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const FenceUsers kUsers{.controller = "system:serviceaccount:vdcu-system:vdcu-controller",
                        .daemon = "system:serviceaccount:vdcu-system:vdcu-node"};
constexpr char kPartitions[] = "vdcupartitions.vdcu.io";
constexpr char kStatus[] = "vdcupartitions.vdcu.io/status";
constexpr char kNodes[] = "dcunodes.vdcu.io";
constexpr char kNodeStatus[] = "dcunodes.vdcu.io/status";

json UserInfo(const std::string& who) {
  static const std::map<std::string, std::string> names = {
      {"controller", kUsers.controller},
      {"collector", "system:serviceaccount:kube-system:generic-garbage-collector"},
      {"manager", "system:kube-controller-manager"}};
  if (!who.starts_with("node-") && who != "no-node") {
    const auto found = names.find(who);
    return {{"username", found == names.end() ? who : found->second}};
  }
  json user{{"username", kUsers.daemon}};
  if (who != "no-node") user["extra"] = {{"authentication.kubernetes.io/node-name", {who}}};
  return user;
}

// As the API server sends it. `old_object`: null for a create.
json Review(const std::string& who, const std::string& resource, const json& object,
            const json& old_object = nullptr) {
  const std::string plain = resource.substr(0, resource.find('/'));
  const size_t dot = plain.find('.');
  json request{{"uid", "r-1"},
               {"operation", old_object.is_null() ? "CREATE" : "UPDATE"},
               {"resource",
                {{"group", dot == std::string::npos ? "" : plain.substr(dot + 1)},
                 {"version", "v1"},
                 {"resource", plain.substr(0, dot)}}},
               {"userInfo", UserInfo(who)},
               {"object", object},
               {"oldObject", old_object}};
  if (plain != resource) request["subResource"] = resource.substr(plain.size() + 1);
  return {{"apiVersion", "admission.k8s.io/v1"}, {"kind", "AdmissionReview"}, {"request", request}};
}

// Why it is refused; empty: it is not.
base::Error WhyNot(const json& review) {
  kclient::JsonParser parser;
  const std::string text = review.dump();
  const auto read = ReadReview(*parser.Parse(text));
  EXPECT_TRUE(read) << text;
  const auto checked =
      CheckWrite(*read, kUsers, [](const Requester& daemon) { return NodeOf(daemon, nullptr); });
  return checked ? base::Error{base::ErrorCode::kCancelled, ""} : checked.error();
}

struct Row {
  const char* sentence;
  std::vector<std::string> who;
  const char* resource;
  json object;
  json old_object;
  const char* want;  // part of the message; empty: it is let through
  base::ErrorCode code = base::ErrorCode::kForbidden;
};

void Check(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    for (const std::string& who : row.who) {
      const base::Error why = WhyNot(Review(who, row.resource, row.object, row.old_object));
      const std::string text = std::string(row.sentence) + ", by " + who;
      if (*row.want == 0) {
        EXPECT_EQ(why.message, "") << text;
        continue;
      }
      EXPECT_THAT(why.message, HasSubstr(row.want)) << text;
      EXPECT_EQ(why.code, row.code) << text;
    }
  }
}

json Changed(json object, const json& patch) {
  object.merge_patch(patch);
  return object;
}

const json kAssignment{{"node", "node-1"}, {"device", "DCU-1"}, {"computeUnits", 9}};
const json kOwners = json::array({{{"kind", "Pod"}, {"name", "p"}, {"uid", "u"}}});
const json kPlain{{"metadata", {{"name", "plain"}}}, {"spec", json::object()}};
const json kSlice{{"metadata",
                   {{"name", "slice"},
                    {"finalizers", {"vdcu.io/in-use", "a.b/c"}},
                    {"ownerReferences", kOwners}}},
                  {"spec", {{"podRef", {{"name", "p"}}}, {"assignment", kAssignment}}}};
const json kWithoutOurs{{"metadata", {{"finalizers", {"a.b/c"}}}}};
const std::vector<std::string> kOthers{"jane", "node-1", "node-2", "no-node", "collector"};
const std::vector<std::string> kDaemons{"node-1", "node-2", "no-node"};

json Finalizers(int count) {
  json list = json::array();
  for (int i = 0; i < count; ++i) list.push_back("a.b/" + std::to_string(i));
  return {{"metadata", {{"finalizers", list}}}};
}

json Owners(int count) {
  json list = json::array();
  for (int i = 0; i < count; ++i) list.push_back({{"name", "c" + std::to_string(i)}});
  return {{"metadata", {{"ownerReferences", list}}}};
}

TEST(Fence, TheControllerAloneAssigns) {
  const json assigned{{"spec", {{"assignment", kAssignment}}}};
  const json moved{{"spec", {{"assignment", {{"node", "node-2"}}}}}};
  const json removed{{"spec", {{"assignment", nullptr}}}};
  const json of_pod{{"spec", {{"podRef", {{"name", "q"}}}}}};
  const char* only = "spec.assignment: only vdcu-controller sets or removes it";
  const char* only_ref = "spec.podRef: only vdcu-controller sets it";
  Check({{"a partition of a user", {"jane", "controller"}, kPartitions, kPlain, nullptr, ""},
         {"made with a slice", {"controller"}, kPartitions, kSlice, nullptr, ""},
         {"made assigned", kOthers, kPartitions, Changed(kPlain, assigned), nullptr, only},
         {"assigned", kOthers, kPartitions, Changed(kPlain, assigned), kPlain, only},
         {"assigned", {"controller"}, kPartitions, Changed(kPlain, assigned), kPlain, ""},
         {"moved", kOthers, kPartitions, Changed(kSlice, moved), kSlice, only},
         {"taken away", kOthers, kPartitions, Changed(kSlice, removed), kSlice, only},
         {"taken away", {"controller"}, kPartitions, Changed(kSlice, removed), kSlice, ""},
         {"made for a pod", kOthers, kPartitions, Changed(kPlain, of_pod), nullptr, only_ref},
         {"for another pod", kOthers, kPartitions, Changed(kSlice, of_pod), kSlice, only_ref},
         {"for another pod", {"controller"}, kPartitions, Changed(kSlice, of_pod), kSlice, ""},
         {"a request that nobody changes",
          {"jane"},
          kPartitions,
          Changed(kSlice, {{"spec", {{"cores", 5}}}}),
          kSlice,
          ""}});
}

TEST(Fence, OurFinalizerAndOwnersAreOfThoseWhoLetGo) {
  const char* only = "metadata.finalizers: only vdcu-controller, and vdcu-node of the assigned";
  const char* owners = "metadata.ownerReferences: only vdcu-controller changes them";
  const json ours{{"metadata", {{"finalizers", {"vdcu.io/in-use"}}}}};
  const json none{{"metadata", {{"ownerReferences", nullptr}}}};
  const json label{{"metadata", {{"labels", {{"a", "b"}}}}}};
  Check(
      {{"made with it", {"jane", "collector"}, kPartitions, Changed(kPlain, ours), nullptr, only},
       {"added", {"jane", "node-1"}, kPartitions, Changed(kPlain, ours), kPlain, only},
       {"taken", {"controller", "node-1"}, kPartitions, Changed(kSlice, kWithoutOurs), kSlice, ""},
       {"taken by others",
        {"jane", "node-2", "no-node", "collector"},
        kPartitions,
        Changed(kSlice, kWithoutOurs),
        kSlice,
        only},
       {"another's", {"jane", "collector"}, kPartitions, Changed(kSlice, ours), kSlice, ""},
       {"made with an owner", {"jane"}, kPartitions, Changed(kPlain, Owners(1)), nullptr, ""},
       {"orphaned", {"jane", "node-1"}, kPartitions, Changed(kSlice, none), kSlice, owners},
       {"orphaned",
        {"controller", "collector", "manager"},
        kPartitions,
        Changed(kSlice, none),
        kSlice,
        ""},
       {"labelled", {"jane", "controller"}, kPartitions, Changed(kSlice, label), kSlice, ""}});
}

TEST(Fence, ADaemonChangesOurFinalizerOfItsOwnNodesAlone) {
  const char* only =
      "vdcu-node may change only the finalizer vdcu.io/in-use of partitions "
      "assigned to its own node; its token's node is '";
  const std::vector<std::string> own{"node-1"};
  const auto with = [](const json& patch) { return Changed(Changed(kSlice, kWithoutOurs), patch); };
  const json all{{"metadata", {{"finalizers", json::array()}}}};
  Check({{"makes one", kDaemons, kPartitions, kPlain, nullptr, only},
         {"nothing of its own", own, kPartitions, kSlice, kSlice, ""},
         {"nothing of another's", {"node-2", "no-node"}, kPartitions, kSlice, kSlice, only},
         {"nothing of nobody's", kDaemons, kPartitions, kPlain, kPlain, only},
         {"a label", own, kPartitions, with({{"metadata", {{"labels", {{"a", "b"}}}}}}), kSlice,
          only},
         {"an annotation", own, kPartitions, with({{"metadata", {{"annotations", {{"a", "b"}}}}}}),
          kSlice, only},
         {"what is asked", own, kPartitions, with({{"spec", {{"cores", 5}}}}), kSlice, only},
         {"another's finalizer", own, kPartitions, Changed(kSlice, all), kSlice, only},
         {"one more", own, kPartitions, with({{"metadata", {{"finalizers", {"a.b/c", "d"}}}}}),
          kSlice, only}});
  EXPECT_THAT(WhyNot(Review("no-node", kPartitions, kSlice, kSlice)).message,
              HasSubstr("its token's node is '' (it names no pod: run vdcu-node as a pod"));
}

TEST(Fence, ListsHaveABound) {
  const auto kInvalid = base::ErrorCode::kInvalid;
  const std::vector<std::string> all{"jane", "controller"};
  const auto many = [](int count) { return Changed(kPlain, Finalizers(count)); };
  const auto owned = [](int count) { return Changed(kPlain, Owners(count)); };
  Check({{"16 finalizers", all, kPartitions, many(16), nullptr, ""},
         {"17", all, kPartitions, many(17), nullptr, "metadata.finalizers: 17 items: at most 16",
          kInvalid},
         {"17 later", all, kPartitions, many(17), many(16), "17 items", kInvalid},
         {"as many as before", all, kPartitions, many(20), many(20), "20 items", kInvalid},
         {"fewer than before", all, kPartitions, many(19), many(20), ""},
         {"16 owners", all, kPartitions, owned(16), nullptr, ""},
         {"17 owners", all, kPartitions, owned(17), nullptr,
          "metadata.ownerReferences: 17 items: at most 16", kInvalid},
         {"fewer owners", {"controller"}, kPartitions, owned(18), owned(20), ""}});
  json stored = Changed(kSlice, Finalizers(20));
  stored["metadata"]["finalizers"].push_back("vdcu.io/in-use");
  Check({{"a daemon lets go of what was stored before there was a bound",
          {"node-1"},
          kPartitions,
          Changed(stored, Finalizers(20)),
          stored,
          ""},
         {"and of no more",
          {"node-1"},
          kPartitions,
          Changed(stored, Finalizers(19)),
          stored,
          "vdcu-node may change only"}});
}

TEST(Fence, AStatusHasItsWriters) {
  const char* only = "status: only vdcu-controller, and vdcu-node of the assigned node '";
  const json status{{"status", {{"vdevFile", "/x"}}}};
  Check({{"of a slice", {"controller", "node-1"}, kStatus, Changed(kSlice, status), kSlice, ""},
         {"of a slice, by others",
          {"jane", "collector", "node-2", "no-node"},
          kStatus,
          Changed(kSlice, status),
          kSlice,
          only},
         {"of nobody's", {"controller"}, kStatus, Changed(kPlain, status), kPlain, ""},
         {"of nobody's, by others", kOthers, kStatus, Changed(kPlain, status), kPlain, only}});
  EXPECT_THAT(WhyNot(Review("node-2", kStatus, kSlice, kSlice)).message,
              HasSubstr("assigned node 'node-1', write it; the node of this request's token is "
                        "'node-2'"));
}

json Condition(const char* type, const char* status) {
  return {{"type", type}, {"status", status}};
}

json NodeWith(const json& conditions, const json& more = json::object()) {
  return {{"metadata", {{"name", "node-1"}}},
          {"status", Changed({{"deviceCount", 8}, {"conditions", conditions}}, more)}};
}

TEST(Fence, ADCUNodeIsItsDaemonsAndItsSpecAdministrators) {
  const json node{{"metadata", {{"name", "node-1"}}}};
  const json with_spec = Changed(node, {{"spec", {{"memoryReserve", "1Gi"}}}});
  const char* own = "vdcu-node may write only the DCUNode named as its node; its token's node is '";
  const char* spec = "spec: only administrators write it; vdcu-node creates its DCUNode without";
  const char* status = "status: only vdcu-node of this node writes it";
  Check({{"made", {"node-1", "jane"}, kNodes, node, nullptr, ""},
         {"made of another", {"node-2", "no-node"}, kNodes, node, nullptr, own},
         {"made without a name", kDaemons, kNodes, {{"metadata", json::object()}}, nullptr, own},
         {"made with a spec", {"jane"}, kNodes, with_spec, nullptr, ""},
         {"made with a spec", {"node-1"}, kNodes, with_spec, nullptr, spec},
         {"changed", {"jane"}, kNodes, with_spec, node, ""},
         {"changed", {"node-1"}, kNodes, with_spec, node, spec},
         {"labelled by its daemon", {"node-1"}, kNodes, node, node, spec},
         {"its status", {"node-1"}, kNodeStatus, NodeWith({}), node, ""},
         {"another's status", {"node-2", "no-node"}, kNodeStatus, NodeWith({}), node, own},
         {"by others",
          {"jane", "collector", "controller"},
          kNodeStatus,
          NodeWith({}),
          node,
          status}});
}

TEST(Fence, TheControllerMayDoubtThatADCUNodeIsReadyAndNoMore) {
  const json other = Condition("Other", "True");
  const json before = NodeWith({other, Condition("Ready", "True")});
  const json doubt = json::array({other, Condition("Ready", "Unknown")});
  const char* only = "vdcu-controller may turn the condition Ready to Unknown";
  const std::vector<std::string> controller{"controller"};
  Check({{"a silent daemon", controller, kNodeStatus, NodeWith(doubt), before, ""},
         {"by another", {"jane"}, kNodeStatus, NodeWith(doubt), before, only},
         {"it is ready", controller, kNodeStatus, before, before, only},
         {"it is not", controller, kNodeStatus, NodeWith({other, Condition("Ready", "False")}),
          before, only},
         {"another condition", controller, kNodeStatus,
          NodeWith({Condition("Other", "False"), Condition("Ready", "Unknown")}), before, only},
         {"one less", controller, kNodeStatus, NodeWith({Condition("Ready", "Unknown")}), before,
          only},
         {"one more field", controller, kNodeStatus, NodeWith(doubt, {{"vdcus", "0/32"}}), before,
          only},
         {"another value", controller, kNodeStatus, NodeWith(doubt, {{"deviceCount", 7}}), before,
          only},
         {"a field less", controller, kNodeStatus, NodeWith(doubt, {{"deviceCount", nullptr}}),
          before, only},
         {"no status", controller, kNodeStatus, {{"metadata", {{"name", "node-1"}}}}, before, only},
         {"conditions that are none", controller, kNodeStatus, NodeWith("Ready"), before, only},
         {"conditions of another type", controller, kNodeStatus, NodeWith({1, "a", nullptr}),
          before, only},
         {"a type that is none", controller, kNodeStatus,
          NodeWith({other, {{"type", 5}, {"status", "Unknown"}}}), before, only}});
}

TEST(Fence, WhatElseADaemonWritesIsItsOwnNodes) {
  const auto lease = [](const char* name) { return json{{"metadata", {{"name", name}}}}; };
  const auto event = [](const char* field, const char* by, const char* instance) {
    return json{{"metadata", {{"name", "e"}}}, {field, by}, {"reportingInstance", instance}};
  };
  const char* leases = "leases.coordination.k8s.io";
  const char* only_lease = "vdcu-node may write only the Lease named as its node";
  const char* only_event = "vdcu-node writes events only with reportingController vdcu.io/node and";
  const json own = event("reportingController", "vdcu.io/node", "node-1");
  const json old_own = event("reportingComponent", "vdcu.io/node", "node-1");
  const json another = event("reportingController", "x", "node-1");
  Check({{"its Lease", {"node-1", "jane"}, leases, lease("node-1"), nullptr, ""},
         {"again", {"node-1"}, leases, lease("node-1"), lease("node-1"), ""},
         {"another's", {"node-2", "no-node"}, leases, lease("node-1"), nullptr, only_lease},
         {"the controller's", kDaemons, leases, lease("vdcu-controller"), nullptr, only_lease},
         {"the controller's, by a node of that name",
          {"node-1"},
          leases,
          lease("vdcu-controller"),
          lease("vdcu-controller"),
          only_lease},
         {"the controller's", {"controller"}, leases, lease("vdcu-controller"), nullptr, ""},
         {"its event", {"node-1"}, "events.events.k8s.io", own, nullptr, ""},
         {"by the older name", {"node-1"}, "events", old_own, nullptr, ""},
         {"counted", {"node-1"}, "events.events.k8s.io", own, own, ""},
         {"anybody's", {"jane", "controller"}, "events", another, nullptr, ""},
         {"as another", {"node-1"}, "events", another, nullptr, only_event},
         {"as another node", {"node-2", "no-node"}, "events", own, nullptr, only_event},
         {"another's, taken over", {"node-1"}, "events", own, another, only_event}});
  EXPECT_THAT(WhyNot(Review("node-1", "events", own, another)).message,
              HasSubstr("its token's node is 'node-1', this event is by 'x node-1'"));
}

TEST(Fence, ForWhichPartitionAPodIsBoundIsWrittenOnce) {
  const auto pod = [](const char* value) {
    return json{{"metadata", {{"annotations", {{"vdcu.io/bound-partition", value}}}}}};
  };
  const json none{{"metadata", json::object()}};
  const char* only = "metadata.annotations: only vdcu-controller sets vdcu.io/bound-partition";
  const std::vector<std::string> all{"jane", "controller", "node-1"};
  Check({{"bound for one", {"controller"}, "pods/binding", pod("r/u"), nullptr, ""},
         {"bound for one", {"jane", "node-1"}, "pods/binding", pod("r/u"), nullptr, only},
         {"by the older path", {"jane"}, "bindings", pod("r/u"), nullptr, only},
         {"bound for none", all, "pods/binding", none, nullptr, ""},
         {"an update", all, "pods", pod("r/u"), pod("r/u"), ""},
         {"a status", all, "pods/status", pod("r/u"), pod("r/u"), ""},
         {"another", all, "pods", pod("s/u"), pod("r/u"), only},
         {"added", all, "pods/status", pod("s/u"), none, only},
         {"removed", all, "pods", none, pod("r/u"), only},
         {"of no interest", all, "pods", none, none, ""}});
}

TEST(Fence, WhatItHasNoRuleForIsRefused) {
  for (const char* resource : {"nodes/status", "vdcupartitions.example.com", "vdcupartitions"}) {
    const base::Error why = WhyNot(Review("controller", resource, kPlain));
    EXPECT_EQ(why.code, base::ErrorCode::kInvalid);
    EXPECT_EQ(why.message,
              "resource \"" + std::string(resource) +
                  "\": the fence has no rule for it; take it out of its configuration");
  }
}

// ---- whose token it is ----

TEST(FenceToken, ItsNodeIsWhatItSaysOrThatOfItsPod) {
  DaemonPod pod{.meta = {}, .node = "node-1"};
  pod.meta.uid = "u-1";
  const DaemonPod unbound{.meta = pod.meta, .node = ""};
  const struct {
    const char* sentence;
    Requester daemon;
    const DaemonPod* pod;
    const char* want;
    const char* why;
  } rows[] = {
      {"it says its node", {"d", "node-9", "p", "u-1"}, &pod, "node-9", ""},
      {"it says a node alone", {"d", "node-9", "", ""}, nullptr, "node-9", ""},
      {"it says its pod", {"d", "", "p", "u-1"}, &pod, "node-1", ""},
      {"one of before, of that name", {"d", "", "p", "u-0"}, &pod, "", "knows no node"},
      {"one that is not shown",
       {"d", "", "p", "u-1"},
       nullptr,
       "",
       "it names pod p of UID u-1, of which vdcu-controller knows no node"},
      {"one that is nowhere", {"d", "", "p", "u-1"}, &unbound, "", "knows no node"},
      {"a pod without UID", {"d", "", "p", ""}, &pod, "", "it names no pod"},
      {"nothing", {"d", "", "", ""}, &pod, "", "it names no pod: run vdcu-node as a pod"},
  };
  for (const auto& row : rows) {
    const auto node = NodeOf(row.daemon, row.pod);
    EXPECT_EQ(node ? *node : "", row.want) << row.sentence;
    EXPECT_THAT(node ? "" : node.error().message, HasSubstr(row.why)) << row.sentence;
  }
}

TEST(FenceToken, IsReadFromTheReview) {
  json review = Review("jane", kPartitions, kPlain);
  review["request"]["userInfo"]["extra"] = {
      {"authentication.kubernetes.io/pod-name", {"p"}},
      {"authentication.kubernetes.io/pod-uid", {"u"}},
      {"authentication.kubernetes.io/node-name", {"n", "second"}},
      {"other", {"x"}}};
  const std::string text = review.dump();
  kclient::JsonParser parser;
  const auto read = ReadReview(*parser.Parse(text));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->by.user, "jane");
  EXPECT_EQ(read->by.node, "n");
  EXPECT_EQ(read->by.pod, "p");
  EXPECT_EQ(read->by.pod_uid, "u");
}

TEST(FenceToken, APodIsReadWithItsNode) {
  kclient::JsonParser parser;
  const auto pod = DaemonPod::FromJson(*parser.Parse(
      R"({"metadata": {"name": "p", "namespace": "vdcu-system", "uid": "u"},
          "spec": {"nodeName": "node-1"}})"));
  ASSERT_TRUE(pod);
  EXPECT_EQ(pod->meta.key(), "vdcu-system/p");
  EXPECT_EQ(pod->meta.uid, "u");
  EXPECT_EQ(pod->node, "node-1");
}

// ---- the path ----

TEST(FenceRoute, AnswersWithTheCodeOfTheRefusal) {
  Metrics metrics;
  const base::HttpRoute route =
      FenceRoute(kUsers, [](const Requester& daemon) { return NodeOf(daemon, nullptr); }, metrics);
  EXPECT_EQ(route.path, "/fence");
  const auto ask = [&](const json& review) {
    json answered;
    route.handler({.method = "POST", .path = "/fence", .body = review.dump()},
                  base::HttpResponder([&](const base::HttpAnswer& answer) {
                    answered = json::parse(answer.body)["response"];
                  }));
    return answered;
  };
  EXPECT_EQ(ask(Review("jane", kPartitions, kPlain)), (json{{"uid", "r-1"}, {"allowed", true}}));
  const json forbidden = ask(Review("jane", kPartitions, kSlice));
  EXPECT_EQ(forbidden["allowed"], false);
  EXPECT_EQ(forbidden["status"]["code"], 403);
  EXPECT_EQ(forbidden["status"]["reason"], "Forbidden");
  const json invalid = ask(Review("jane", kPartitions, Changed(kPlain, Finalizers(17))));
  EXPECT_EQ(invalid["status"]["code"], 422);
  EXPECT_EQ(invalid["status"]["reason"], "Invalid");
}

}  // namespace
}  // namespace vdcu::controller
