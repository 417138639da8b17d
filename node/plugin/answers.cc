#include "node/plugin/answers.h"

namespace vdcu::node {

void Answers::Add(const std::string& resource, const Asker& asker,
                  const std::vector<std::string>& ids) {
  answered_.insert({resource, asker.pod.uid, asker.pod.container});
  // A kubelet that ended before it had written down what it was given gives other ids.
  std::erase_if(given_, [&](const auto& entry) {
    return entry.first.first == resource && entry.second.pod == asker.pod;
  });
  for (const std::string& id : ids) given_[{resource, id}] = asker;
}

bool Answers::Has(const std::string& resource, const std::string& pod_uid,
                  const std::string& container) const {
  return answered_.contains({resource, pod_uid, container});
}

const Asker* Answers::GivenTo(const std::string& resource, const std::string& id) const {
  const auto given = given_.find({resource, id});
  return given == given_.end() ? nullptr : &given->second;
}

}  // namespace vdcu::node
