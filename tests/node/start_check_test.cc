// Which containers may start, by what the kubelet lists, the API shows and the node holds.
#include "node/plugin/start_check.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/node/builders.h"

namespace vdcu::node {
namespace {

constexpr char kDcu[] = "hygon.com/dcunum";

kubelet::ListedPod Listed(const std::string& name, const std::vector<std::string>& ids) {
  return {.ns = "team", .name = name, .containers = {{.name = "main", .devices = {{kDcu, ids}}}}};
}

Asker Container(const std::string& pod) {
  return {.pod = RefOf(MakePod(pod)), .ns = "team", .partition = "", .count = 1};
}

Slices Held(const std::vector<std::string>& pods) {
  Slices slices;
  for (size_t i = 0; i < pods.size(); ++i) {
    const std::string uid = "slice-" + pods[i];
    slices[uid] = {uid, "team", uid, MakeAssignment(static_cast<int>(i)), RefOf(MakePod(pods[i])),
                   ""};
  }
  return slices;
}

struct Case {
  std::string sentence;
  kubelet::Listing listing;
  std::vector<std::string> pods = {"a", "b"};  // that the API or the watch shows
  std::vector<std::string> holding = {"a", "b"};
  std::set<std::string> running = {"uid-a", "uid-b"};
  std::set<std::string> read = {};
  std::string given_to = "";  // the id, "": nobody
  std::string want;           // the holders, a refusal's reason, "? " and what is to be read
};

std::string Answer(const Case& c) {
  std::map<std::string, NodePod> pods;
  for (const std::string& name : c.pods) pods["team/" + name] = MakePod(name);
  const Slices slices = Held(c.holding);
  Answers answers;
  if (!c.given_to.empty()) answers.Add(kDcu, Container(c.given_to), {"vdcu-0"});
  const StartCheck check =
      CheckStart({.listing = c.listing,
                  .resource = kDcu,
                  .ids = {"vdcu-0"},
                  .slices = slices,
                  .answers = answers,
                  .pod = [&](const std::string& key) -> const NodePod* {
                    const auto pod = pods.find(key);
                    return pod == pods.end() ? nullptr : &pod->second;
                  },
                  .has_processes = [&](const std::string& uid) { return c.running.contains(uid); },
                  .read = c.read});
  std::string text;
  for (const std::string& key : check.unknown) text += "? " + key;
  if (!text.empty()) return text;
  if (check.refusal) return check.refusal->reason;
  for (const Asker& holder : check.holders) text += holder.pod.name;
  return text;
}

TEST(StartCheck, LetsStartWhoseDevicesSlicesAndProcessesAreAllThere) {
  const kubelet::Listing a = {Listed("a", {"vdcu-0"})};
  const kubelet::Listing both = {Listed("a", {"vdcu-0"}), Listed("b", {"vdcu-0"})};
  for (const Case& c : std::vector<Case>{
           {.sentence = "its pod runs and holds its slice", .listing = a, .want = "a"},
           {.sentence = "it was given for it", .listing = a, .given_to = "a", .want = "a"},
           {.sentence = "nobody has the id",
            .listing = {Listed("a", {"vdcu-1"})},
            .want = "NobodyHolds"},
           {.sentence = "the pod is not known", .listing = a, .pods = {"b"}, .want = "? team/a"},
           {.sentence = "the API does not have the pod",
            .listing = a,
            .pods = {"b"},
            .read = {"team/a"},
            .want = "NobodyHolds"},
           {.sentence = "its slice is gone, if it is no other of its name",
            .listing = a,
            .holding = {"b"},
            .want = "? team/a"},
           {.sentence = "its slice is gone",
            .listing = a,
            .holding = {"b"},
            .read = {"team/a"},
            .want = "SliceGone"},
           {.sentence = "it has two devices and one slice",
            .listing = {Listed("a", {"vdcu-0", "vdcu-1"})},
            .read = {"team/a"},
            .want = "SliceGone"},
           {.sentence = "no sandbox of its UID runs",
            .listing = a,
            .running = {"uid-b"},
            .read = {"team/a"},
            .want = "NotRunning"},
           {.sentence = "both that have the id are right", .listing = both, .want = "ab"},
           {.sentence = "one of two is not",
            .listing = both,
            .holding = {"a"},
            .read = {"team/b"},
            .want = "SliceGone"},
           {.sentence = "neither of two is: the first says why",
            .listing = both,
            .holding = {"b"},
            .running = {"uid-a"},
            .read = {"team/a", "team/b"},
            .want = "SliceGone"},
           {.sentence = "one of two is on its way out",
            .listing = both,
            .pods = {"a"},
            .read = {"team/b"},
            .want = "a"},
           {.sentence = "it was given for another, if it is no other of its name",
            .listing = a,
            .given_to = "b",
            .want = "? team/a"},
           {.sentence = "it was given for another",
            .listing = a,
            .read = {"team/a"},
            .given_to = "b",
            .want = "GivenToAnother"},
           {.sentence = "it was given for one whose slice was released",
            .listing = a,
            .holding = {"a"},
            .given_to = "b",
            .want = "a"}}) {
    EXPECT_EQ(Answer(c), c.want) << c.sentence;
  }
}

}  // namespace
}  // namespace vdcu::node
