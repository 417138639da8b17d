#include "node/plugin/identity.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

constexpr char kDcu[] = "hygon.com/dcunum";
constexpr char kHcu[] = "hygon.com/hcunum";

NodePod Asking(const std::string& name, std::vector<NodePod::DeviceRequest> requests) {
  NodePod pod = MakePod(name);
  pod.phase = "Pending";
  pod.device_requests = std::move(requests);
  return pod;
}

NodePod Asking(const std::string& name) { return Asking(name, {{"main", kDcu, 1}}); }

kubelet::ListedPod Listed(const std::string& name,
                          std::vector<kubelet::ListedContainer> containers) {
  return {.ns = "team", .name = name, .containers = std::move(containers)};
}

const kubelet::ListedContainer kBare{.name = "main", .devices = {}};
const kubelet::ListedContainer kServed{.name = "main", .devices = {{kDcu, {"vdcu-3"}}}};

struct Case {
  std::string sentence;
  kubelet::Listing listing;
  std::vector<NodePod> pods;
  std::set<std::string> running = {};  // UIDs
  std::set<std::string> read = {};
  std::set<std::string> answered = {};  // "UID container"
  // "pod/container", or the refusal's reason, or "?" and the keys of the unknown.
  std::string want;
};

std::string Answer(const Case& c) {
  std::map<std::string, NodePod> pods;
  for (const NodePod& pod : c.pods) pods[pod.meta.key()] = pod;
  const Identity identity =
      WhoAsks({.listing = c.listing,
               .resource = kDcu,
               .pod = [&](const std::string& key) -> const NodePod* {
                 const auto found = pods.find(key);
                 return found == pods.end() ? nullptr : &found->second;
               },
               .has_processes = [&](const std::string& uid) { return c.running.contains(uid); },
               .answered =
                   [&](const std::string& uid, const std::string& container) {
                     return c.answered.contains(uid + " " + container);
                   },
               .read = c.read});
  if (identity.asker) return identity.asker->pod.name + "/" + identity.asker->pod.container;
  if (identity.refusal) return identity.refusal->reason;
  std::string keys = "?";
  for (const std::string& key : identity.unknown) keys += " " + key;
  return keys;
}

TEST(WhoAsks, NamesTheOneOrNobody) {
  NodePod finished = Asking("done");
  finished.phase = "Failed";
  NodePod started = Asking("x");
  started.started = true;
  const NodePod two = Asking("two", {{"a", kDcu, 1}, {"b", kHcu, 1}, {"c", kDcu, 1}});
  const auto served = [](const std::string& container) {
    return kubelet::ListedContainer{.name = container, .devices = {{kDcu, {"vdcu-1"}}}};
  };
  const auto bare = [](const std::string& container) {
    return kubelet::ListedContainer{.name = container, .devices = {}};
  };
  const std::vector<Case> cases{
      {.sentence = "one pod waits beside one that is served",
       .listing = {Listed("x", {kServed}), Listed("y", {kBare})},
       .pods = {Asking("x"), Asking("y")},
       .want = "y/main"},
      {.sentence = "two pods wait",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("x"), Asking("y")},
       .want = "SeveralAsk"},
      {.sentence = "nobody waits",
       .listing = {Listed("x", {kServed})},
       .pods = {Asking("x")},
       .want = "NobodyAsks"},
      {.sentence = "pods that ask for nothing do not count",
       .listing = {Listed("plain", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("plain", {}), Asking("y")},
       .want = "y/main"},
      {.sentence = "finished pods do not count, once the API has said that they are",
       .listing = {Listed("done", {kBare}), Listed("y", {kBare})},
       .pods = {finished, Asking("y")},
       .want = "y/main"},
      {.sentence = "a pod that runs has been through its admission, if it is the one of that name",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("x"), Asking("y")},
       .running = {"uid-x"},
       .want = "? team/x"},
      {.sentence = "and the API says that it is",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("x"), Asking("y")},
       .running = {"uid-x"},
       .read = {"team/x"},
       .want = "y/main"},
      {.sentence = "so has a pod whose status the kubelet has written",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {started, Asking("y")},
       .read = {"team/x"},
       .want = "y/main"},
      {.sentence = "which may have been replaced by another of its name",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {started, Asking("y")},
       .want = "? team/x"},
      {.sentence = "alone it does not ask either",
       .listing = {Listed("x", {kBare})},
       .pods = {started},
       .read = {"team/x"},
       .want = "NobodyAsks"},
      {.sentence = "a container that has had its answer does not ask again",
       .listing = {Listed("x", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("x"), Asking("y")},
       .answered = {"uid-x main"},
       .want = "y/main"},
      {.sentence = "of its pod the next container asks",
       .listing = {Listed("two", {bare("a"), bare("b"), bare("c")})},
       .pods = {two},
       .answered = {"uid-two a"},
       .want = "two/c"},
      {.sentence = "another pod of the name has had no answer",
       .listing = {Listed("x", {kBare})},
       .pods = {Asking("x")},
       .answered = {"uid-of-the-old main"},
       .want = "x/main"},
      {.sentence = "a pod that the watch does not show is read first: it may be the asker",
       .listing = {Listed("new", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("y")},
       .want = "? team/new"},
      {.sentence = "a pod that the API does not have asks for nothing",
       .listing = {Listed("static", {kBare}), Listed("y", {kBare})},
       .pods = {Asking("y")},
       .read = {"team/static"},
       .want = "y/main"},
      {.sentence = "an unknown pod whose containers all have devices need not be read",
       .listing = {Listed("x", {kServed}), Listed("y", {kBare})},
       .pods = {Asking("y")},
       .want = "y/main"},
      {.sentence = "of several containers the first that has nothing",
       .listing = {Listed("two", {served("a"), bare("b"), bare("c")})},
       .pods = {two},
       .want = "two/c"},
      {.sentence = "the first of all",
       .listing = {Listed("two", {bare("a"), bare("b"), bare("c")})},
       .pods = {two},
       .want = "two/a"},
      {.sentence = "the old pod of the name has its device, the new one waits",
       .listing = {Listed("s-0", {kServed}), Listed("s-0", {kBare})},
       .pods = {Asking("s-0")},
       .want = "s-0/main"},
      {.sentence = "the watch still shows the old pod of the name: the API is asked",
       .listing = {Listed("s-0", {kServed}), Listed("s-0", {kBare})},
       .pods = {Asking("s-0")},
       .running = {"uid-s-0"},
       .want = "? team/s-0"},
      {.sentence = "two entries of one name without devices",
       .listing = {Listed("s-0", {kBare}), Listed("s-0", {kBare})},
       .pods = {Asking("s-0")},
       .want = "SeveralAsk"},
  };
  for (const Case& c : cases) EXPECT_EQ(Answer(c), c.want) << c.sentence;
}

TEST(WhoAsks, TellsHowManyItAsksForAndTheReservedPartition) {
  NodePod pod = Asking("x", {{"main", kDcu, 2}});
  pod.partition = "reserved";
  const kubelet::Listing listing{Listed("x", {kBare})};
  const Identity identity = WhoAsks({.listing = listing,
                                     .resource = kDcu,
                                     .pod = [&](const std::string&) { return &pod; },
                                     .has_processes = [](const std::string&) { return false; },
                                     .answered = [](const auto&, const auto&) { return false; },
                                     .read = {}});
  ASSERT_TRUE(identity.asker);
  EXPECT_EQ(
      *identity.asker,
      (Asker{.pod = {"x", "uid-x", "main"}, .ns = "team", .partition = "reserved", .count = 2}));
}

}  // namespace
}  // namespace vdcu::node
