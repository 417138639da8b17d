// The cluster as an informer's cache, so that an object is held once.
//
// Promise: what the informer sets or erases, the cluster is told.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kclient/store.h"

namespace vdcu::controller {

template <class T>
class ClusterCache final : public kclient::Cache<T> {
 public:
  using Ptr = typename kclient::Cache<T>::Ptr;
  using KeyVisitor = std::function<void(std::string_view)>;

  struct Access {
    std::function<Ptr(std::string_view key)> get;  // null: not shown
    std::function<void(const Ptr& old_object, const Ptr& new_object)> change;
    std::function<void(const KeyVisitor&)> for_each_key;  // also of what is not shown
  };

  explicit ClusterCache(Access access) : access_(std::move(access)) {}

  Ptr Get(std::string_view key) const override { return access_.get(key); }
  Ptr Set(const std::string& key, Ptr object) override {
    Ptr old = access_.get(key);
    access_.change(old, object);
    return old;
  }
  Ptr Erase(std::string_view key) override {
    Ptr old = access_.get(key);
    if (old) access_.change(old, nullptr);
    return old;
  }
  void ForEachKey(const KeyVisitor& visit) const override { access_.for_each_key(visit); }

 private:
  const Access access_;
};

}  // namespace vdcu::controller
