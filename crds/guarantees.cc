#include "crds/guarantees.h"

#include <algorithm>

#include "base/log.h"

namespace vdcu::crds {

namespace {

constexpr int kOldest = 20;  // of Kubernetes 1

bool IsBefore(const kclient::ServerFacts& facts, int minor) {
  return facts.major < 1 || (facts.major == 1 && facts.minor < minor);
}

struct Row {
  Lack lack;
  bool (*lacks)(const kclient::ServerFacts& facts);
};

const std::vector<Row>& Rows() {
  static const std::vector<Row> rows = {
      {{"policies", "ValidatingAdmissionPolicy (Kubernetes 1.30)",
        "the token of a node's daemon can write other nodes' objects, and who may edit partitions, "
        "assignments",
        "let a webhook hold that (admission.fence: webhook), or upgrade Kubernetes"},
       [](const kclient::ServerFacts& facts) {
         return !facts.validating_policies && !facts.webhook;
       }},
      {{"node_tokens", "tokens that name a node (Kubernetes 1.31)",
        "the policies refuse what a daemon writes that runs as a service of the host",
        "run the daemons as pods, or upgrade Kubernetes"},
       [](const kclient::ServerFacts& facts) { return IsBefore(facts, 31); }},
      {{"rules", "rules in the schema of objects (Kubernetes 1.25)",
        "wrong objects are refused by their schema alone, and a request can be changed, which "
        "changes nothing once it is assigned",
        "delete a partition and create another, or upgrade Kubernetes"},
       [](const kclient::ServerFacts& facts) { return IsBefore(facts, 25); }},
      {{"bind_precondition", "bindings of one pod only (Kubernetes 1.23)",
        "a pod that is made anew under its name may be bound by the decision on the one before, "
        "and fails there",
        "let an owner make another, or upgrade Kubernetes"},
       [](const kclient::ServerFacts& facts) { return IsBefore(facts, 23); }},
      {{"seats", "seats of its own that are not lent (Kubernetes 1.26)",
        "placing may be held up at the API server by all other service accounts",
        "upgrade Kubernetes"},
       [](const kclient::ServerFacts& facts) { return !facts.own_seats || !facts.kept_seats; }},
  };
  return rows;
}

}  // namespace

std::vector<std::string_view> Guarantees() {
  std::vector<std::string_view> names;
  for (const Row& row : Rows()) names.push_back(row.lack.guarantee);
  return names;
}

std::vector<Lack> LacksOf(const kclient::ServerFacts& facts) {
  std::vector<Lack> lacks;
  for (const Row& row : Rows()) {
    if (row.lacks(facts)) lacks.push_back(row.lack);
  }
  return lacks;
}

base::Status JudgeServer(const kclient::ServerFacts& facts,
                         const std::function<void(std::string_view guarantee, bool missing)>& set) {
  if (IsBefore(facts, kOldest)) {
    return base::Invalid("Kubernetes " + facts.version() + ": want 1.20 or later");
  }
  const std::vector<Lack> lacks = LacksOf(facts);
  for (const Lack& lack : lacks) {
    base::Log(base::Level::kWarning, "this Kubernetes lacks what a guarantee rests on",
              {{"kubernetes", facts.version()},
               {"lacks", lack.what},
               {"price", lack.price},
               {"cure", lack.cure}});
  }
  for (const std::string_view name : Guarantees()) {
    set(name, std::any_of(lacks.begin(), lacks.end(),
                          [name](const Lack& lack) { return lack.guarantee == name; }));
  }
  return base::Ok();
}

}  // namespace vdcu::crds
