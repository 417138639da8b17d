// What administrators refuse: admission policies, and quotas of a namespace.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tests/world/api.h"

namespace vdcu::world {

// A ValidatingAdmissionPolicy that refuses what `expression` is false of, from its constructor's
// end until a while after its destructor.
class Policy {
 public:
  struct Rule {
    std::string group;
    std::string resource;  // "pods/binding"
    std::string operation;
    std::string expression;
  };
  // `refuses` tries it: the API server takes a new policy up after a while.
  Policy(const Api& api, std::string name, const Rule& rule, const std::function<bool()>& refuses);
  ~Policy();
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;

 private:
  const Api& api_;
  const std::string name_;
};

// A namespace of the test's own; its pods and partitions go with it.
class Namespace {
 public:
  Namespace(const Api& api, std::string name);
  ~Namespace();
  Namespace(const Namespace&) = delete;
  Namespace& operator=(const Namespace&) = delete;

  std::string Path(const std::string& group_version, const std::string& plural) const;
  std::string Pods() const { return Path("/api/v1", "pods"); }
  std::string Partitions() const { return Path("/apis/vdcu.io/v1alpha1", "vdcupartitions"); }
  // At most so many VDCUPartitions; without a kube-controller-manager nothing is ever counted down.
  void SetQuota(int most) const;
  void RemoveQuota() const;

 private:
  const Api& api_;
  const std::string name_;
};

// Of kube-apiserver's metrics: how many requests with that verb it has answered with that code, by
// resource and subresource as in "pods/binding".
int64_t CountAnswers(const Api& api, const std::string& verb, const std::string& what, int code);

}  // namespace vdcu::world
