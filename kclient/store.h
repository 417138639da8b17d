// Sink<T>: where an Informer keeps the objects of one kind as the watch has shown them, by
// "namespace/name". Store<T>: the plain one, a map.
//
// Written by its Informer alone, read by all. Objects are shared and const: nobody can change what
// another reads. A Store's iteration is in key order, so that what is derived from it is
// deterministic.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

namespace vdcu::kclient {

template <class T>
class Sink {
 public:
  using Ptr = std::shared_ptr<const T>;

  virtual ~Sink() = default;
  // nullptr: not there. May be another object at each call, of the same value.
  virtual Ptr Get(std::string_view key) const = 0;
  // Both return what was there before.
  virtual Ptr Set(const std::string& key, Ptr object) = 0;
  virtual Ptr Erase(std::string_view key) = 0;
  virtual void ForEachKey(const std::function<void(std::string_view)>& visit) const = 0;
};

template <class T>
class Store final : public Sink<T> {
 public:
  using Ptr = typename Sink<T>::Ptr;

  Ptr Get(std::string_view key) const override {
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second;
  }
  const std::map<std::string, Ptr, std::less<>>& objects() const { return objects_; }
  size_t size() const { return objects_.size(); }

  Ptr Set(const std::string& key, Ptr object) override {
    Ptr& place = objects_[key];
    place.swap(object);
    return object;
  }
  Ptr Erase(std::string_view key) override {
    const auto found = objects_.find(key);
    if (found == objects_.end()) return nullptr;
    Ptr old = std::move(found->second);
    objects_.erase(found);
    return old;
  }
  void ForEachKey(const std::function<void(std::string_view)>& visit) const override {
    for (const auto& [key, object] : objects_) visit(key);
  }

 private:
  std::map<std::string, Ptr, std::less<>> objects_;
};

}  // namespace vdcu::kclient
