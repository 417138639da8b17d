// What the kubelet has been answered: for which containers it need not ask again, and whose each
// device is to be.
//
// Promises: a container has had its answer until Forget; a device is whose it was given last, also
// after it. Kept in memory only: a daemon that has just started knows of no answer.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "node/plugin/identity.h"

namespace vdcu::node {

class Answers {
 public:
  // `ids` are what it was given; none: it was refused.
  void Add(const std::string& resource, const Asker& asker, const std::vector<std::string>& ids);
  // A kubelet that has started anew asks anew.
  void Forget() { answered_.clear(); }

  bool Has(const std::string& resource, const std::string& pod_uid,
           const std::string& container) const;
  // Null: it was given to nobody.
  const Asker* GivenTo(const std::string& resource, const std::string& id) const;

 private:
  struct Container {
    std::string resource;
    std::string pod_uid;
    std::string name;

    friend auto operator<=>(const Container&, const Container&) = default;
  };

  std::set<Container> answered_;
  std::map<std::pair<std::string, std::string>, Asker> given_;  // by resource and id
};

}  // namespace vdcu::node
