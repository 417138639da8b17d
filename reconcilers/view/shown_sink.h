// What is shown, as an informer's sink, so that an object is held once.
//
// Promise: what the informer sets or erases is taken in before it returns.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kclient/store.h"
#include "reconcilers/view/shown.h"

namespace vdcu::reconcilers {

template <class T>
class ShownSink final : public kclient::Sink<T> {
 public:
  using Ptr = typename kclient::Sink<T>::Ptr;

  ShownSink(Shown& shown, const base::Clock& clock) : shown_(shown), clock_(clock) {}

  Ptr Get(std::string_view key) const override { return shown_.Get<T>(key); }
  Ptr Set(const std::string& key, Ptr object) override {
    Ptr old = shown_.Get<T>(key);
    shown_.Set(old, object, clock_.Now());
    return old;
  }
  Ptr Erase(std::string_view key) override {
    Ptr old = shown_.Get<T>(key);
    if (old) shown_.Set(old, Ptr(), clock_.Now());
    return old;
  }
  void ForEachKey(const std::function<void(std::string_view)>& visit) const override {
    shown_.ForEachKey<T>(visit);
  }

 private:
  Shown& shown_;
  const base::Clock& clock_;
};

}  // namespace vdcu::reconcilers
