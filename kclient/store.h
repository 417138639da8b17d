// Store<T>: the objects of one kind as the watch has shown them, by "namespace/name". Written by
// its Informer alone, read by all.
//
// Objects are shared and const: nobody can change what another reads. Iteration is in key order, so
// that what is derived from it is deterministic.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vdcu::kclient {

template <class T>
class Store {
 public:
  using Ptr = std::shared_ptr<const T>;

  // nullptr: not there.
  Ptr Get(std::string_view key) const {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }
  const std::map<std::string, Ptr, std::less<>>& objects() const { return objects_; }
  size_t size() const { return objects_.size(); }

  // Both return what was there before.
  Ptr Set(const std::string& key, Ptr object) {
    Ptr& place = objects_[key];
    place.swap(object);
    return object;
  }
  Ptr Erase(std::string_view key) {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    Ptr old = std::move(found->second);
    objects_.erase(found);
    return old;
  }

 private:
  std::map<std::string, Ptr, std::less<>> objects_;
};

}  // namespace vdcu::kclient
