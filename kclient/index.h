// Index<T>: which objects of an informer have a value, such as the pods of a node.
//
// Promise: it holds exactly what the informer's store holds, and is up to date before handlers that
// are added after it run. Ownership: made before the informer starts, outlives it.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "kclient/informer.h"

namespace vdcu::kclient {

template <class T>
class Index {
 public:
  using Ptr = typename Informer<T>::Ptr;
  // The values under which an object is found.
  using Values = std::function<std::vector<std::string>(const T&)>;
  using Objects = std::map<std::string, Ptr, std::less<>>;  // by key

  Index(Informer<T>& informer, Values values) : values_(std::move(values)) {
    informer.AddHandler(
        [this](const Ptr& old_object, const Ptr& new_object) { OnChange(old_object, new_object); });
  }
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  const Objects& Find(std::string_view value) const {
    static const Objects kNone;
    const auto found = objects_.find(value);
    return found == objects_.end() ? kNone : found->second;
  }

 private:
  void OnChange(const Ptr& old_object, const Ptr& new_object) {
    if (old_object) {
      for (const std::string& value : values_(*old_object)) {
        const auto found = objects_.find(value);
        if (found == objects_.end()) continue;
        found->second.erase(old_object->meta.key());
        if (found->second.empty()) objects_.erase(found);
      }
    }
    if (new_object) {
      for (std::string& value : values_(*new_object)) {
        objects_[std::move(value)].insert_or_assign(new_object->meta.key(), new_object);
      }
    }
  }

  const Values values_;
  std::map<std::string, Objects, std::less<>> objects_;
};

}  // namespace vdcu::kclient
