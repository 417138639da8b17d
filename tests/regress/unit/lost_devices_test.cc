// The kubelet's checkpoint was removed: the container of a pod that runs can never start again, and
// nothing said it.
#include "node/plugin/lost_devices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

constexpr char kDcu[] = "hygon.com/dcunum";

NodePod Running(const std::string& name) {
  NodePod pod = MakePod(name);
  pod.started = true;
  pod.device_requests = {{"main", kDcu, 1}};
  return pod;
}

kubelet::ListedPod Listed(const std::string& name, std::vector<std::string> ids) {
  kubelet::ListedContainer container{.name = "main", .devices = {}};
  if (!ids.empty()) container.devices[kDcu] = std::move(ids);
  return {.ns = "team", .name = name, .containers = {container}};
}

struct Case {
  std::string sentence;
  kubelet::Listing listing;
  std::vector<NodePod> pods;
  std::set<std::string> running = {"uid-a"};
  std::set<std::string> read = {"team/a"};
  std::string want;  // the pods, "? " and what is to be read, or "unsure"
};

std::string Answer(const Case& c) {
  std::map<std::string, NodePod> pods;
  for (const NodePod& pod : c.pods) pods[pod.meta.key()] = pod;
  const Slices slices{
      {"p", {"p", "team", "p", MakeAssignment(0), crds::PodRef{"a", "uid-a", "main"}, ""}},
      {"free", {"free", "team", "free", MakeAssignment(1), {}, ""}}};
  const LostDevices found = FindLostDevices(
      {.listing = c.listing,
       .slices = slices,
       .resources = {kDcu},
       .pod = [&](const std::string& key) -> const NodePod* {
         const auto pod = pods.find(key);
         return pod == pods.end() ? nullptr : &pod->second;
       },
       .has_processes = [&](const std::string& uid) { return c.running.contains(uid); },
       .read = c.read});
  std::string text = found.unsure ? "unsure" : "";
  for (const Asker& container : found.lost) text += container.pod.name;
  for (const std::string& key : found.unknown) text += "? " + key;
  return text;
}

TEST(LostDevices, AreThoseOfContainersThatRunWithASliceAndWithoutADevice) {
  NodePod finished = Running("a");
  finished.phase = "Succeeded";
  NodePod admitted = Running("a");
  admitted.started = false;
  NodePod again = Running("a");
  again.meta.uid = "uid-again";
  for (const Case& c :
       std::vector<Case>{{.sentence = "the kubelet knows its device",
                          .listing = {Listed("a", {"vdcu-1"})},
                          .pods = {Running("a")},
                          .want = ""},
                         {.sentence = "the kubelet knows of none",
                          .listing = {Listed("a", {})},
                          .pods = {Running("a")},
                          .want = "a"},
                         {.sentence = "the pod is read first: it may be another of its name",
                          .listing = {Listed("a", {})},
                          .pods = {Running("a")},
                          .read = {},
                          .want = "? team/a"},
                         {.sentence = "it is another of its name",
                          .listing = {Listed("a", {})},
                          .pods = {again},
                          .want = ""},
                         {.sentence = "it is being admitted",
                          .listing = {Listed("a", {})},
                          .pods = {admitted},
                          .want = ""},
                         {.sentence = "an old kubelet lists it though it has ended",
                          .listing = {Listed("a", {})},
                          .pods = {finished},
                          .want = ""},
                         {.sentence = "the API does not show yet that it has ended",
                          .listing = {Listed("a", {})},
                          .pods = {Running("a")},
                          .running = {},
                          .want = ""},
                         {.sentence = "a kubelet that has just started does not list it yet",
                          .listing = {},
                          .pods = {Running("a")},
                          .want = "unsure"}}) {
    EXPECT_EQ(Answer(c), c.want) << c.sentence;
  }
}

}  // namespace
}  // namespace vdcu::node
