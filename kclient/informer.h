// A Store of the objects of one kind (or another Sink), kept true by list and watch, that notifies
// handlers of what has changed.
//
// Promises, client-go's SharedInformer's in our words:
// - For one object (namespace/name), the store goes through its states in the order in which the
//   API had them. States may be skipped, never reordered, never invented.
// - Nothing is promised between objects, nor between two informers.
// - The store holds a state before the handlers are notified of it; when a handler runs, store() is
//   what the handler's `new_object` is from, never newer.
// - Handlers are given differences: (null, new) added, (old, new) changed, (old, null) gone. Calls
//   for one object form a chain: the `old` of each is the `new` of the one before.
// - After a gap a list notifies only of what differs. An object that was deleted and made again
//   comes as (old, null) and then (null, new), also where the watch missed the moment between: both
//   never have different UIDs.
// - `old_object` of (old, null) is the last state that the store had, not always the last that was.
// - on_each_list runs after the handlers of each complete list: what the store lacks then did not
//   exist in that resourceVersion.
// - on_each_list_begin runs before a list is asked for: what was stored until then is in it.
// - on_synced runs once, after the handlers of the first complete list. Until then synced() is
//   false, and what the store lacks says nothing.
// - An object that does not decode is logged once for each of its resourceVersions. What the store
//   has of it is T::Unreadable; where T has none, or that is an error too, nothing, as if it were
//   deleted.
// - Objects are shared and const; holding one is always safe.
// Handlers must be quick (put a key into a queue) and may not destroy the informer. They are set
// before Start(). Destroying the informer stops it without further calls.
//
// T has a member `meta` of type ObjectMeta and, where no way to decode it is given, a static
// Result<T> FromJson(JsonView); it may have static Result<T> Unreadable(JsonView), called with what
// that has refused.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/log.h"
#include "base/symbol.h"
#include "kclient/core/meta.h"
#include "kclient/reflector.h"
#include "kclient/store.h"

namespace vdcu::kclient {

template <class T>
class Informer : private ReflectorSink {
 public:
  using Ptr = std::shared_ptr<const T>;
  using Handler = std::function<void(const Ptr& old_object, const Ptr& new_object)>;
  using ListHandler = std::function<void(const std::string& version)>;
  using Decode = std::function<base::Result<T>(JsonView object)>;

  // With a store of its own.
  Informer(Client& client, base::Loop& loop, ReflectorOptions options, base::Random random,
           Decode decode = &T::FromJson)
      : Informer(client, loop, std::move(options), std::move(random), std::move(decode),
                 std::make_unique<Store<T>>()) {}
  // What the watch shows goes into the sink alone.
  Informer(Client& client, base::Loop& loop, ReflectorOptions options, base::Random random,
           Sink<T>& sink, Decode decode = &T::FromJson)
      : Informer(client, loop, std::move(options), std::move(random), std::move(decode), nullptr,
                 &sink) {}

  void AddHandler(Handler handler) { handlers_.push_back(std::move(handler)); }
  void OnSynced(std::function<void()> handler) { on_synced_.push_back(std::move(handler)); }
  void OnEachList(ListHandler handler) { on_each_list_.push_back(std::move(handler)); }
  void OnEachListBegin(std::function<void()> handler) {
    on_each_list_begin_.push_back(std::move(handler));
  }

  void Start() { reflector_.Start(); }
  bool synced() const { return synced_; }
  std::string_view plural() const { return plural_; }
  const Reflector& reflector() const { return reflector_; }
  // Why what the sink has is not what there is, a sentence; empty: it is.
  std::string NotReady() const {
    if (std::string failure = reflector_.Failure(); !failure.empty()) return failure;
    return synced_ ? "" : std::string(plural_) + " are not listed yet";
  }
  // Its own: not of an informer that was given a sink.
  const Store<T>& store() const {
    CHECK(store_ != nullptr, "an informer with a sink has no store");
    return *store_;
  }

 private:
  Informer(Client& client, base::Loop& loop, ReflectorOptions options, base::Random random,
           Decode decode, std::unique_ptr<Store<T>> store, Sink<T>* sink = nullptr)
      : decode_(std::move(decode)),
        kind_(options.resource.kind),
        plural_(options.resource.plural),
        store_(std::move(store)),
        sink_(sink ? *sink : *store_),
        reflector_(client, loop, *this, std::move(options), std::move(random)) {}

  void OnListBegin() override {
    listed_.clear();
    for (const auto& handler : on_each_list_begin_) handler();
  }
  void OnVersionsWentBack() override { same_version_is_same_ = false; }
  void OnListed(JsonView object) override { listed_.emplace_back(Take(object)); }
  void OnListEnd(const std::string& version) override {
    std::sort(listed_.begin(), listed_.end());
    const auto is_gone = [this](std::string_view key) {
      return !std::binary_search(listed_.begin(), listed_.end(), key, std::less<>());
    };
    std::vector<std::string> gone;
    sink_.ForEachKey([&](std::string_view key) {
      if (is_gone(key)) gone.emplace_back(key);
    });
    std::sort(gone.begin(), gone.end());
    for (const std::string& key : gone) Remove(key);
    std::erase_if(bad_, [&](const auto& bad) { return is_gone(bad.first); });
    listed_ = {};
    same_version_is_same_ = true;
    for (const auto& handler : on_each_list_) handler(version);
    if (std::exchange(synced_, true)) return;
    for (const auto& handler : on_synced_) handler();
  }
  void OnEvent(WatchEvent::Type type, JsonView object) override {
    if (type != WatchEvent::Type::kDeleted) {
      Take(object);
      return;
    }
    const std::string key = KeyOf(object);
    bad_.erase(key);
    Remove(key);
  }

  // Returns the object's key.
  std::string Take(JsonView object) {
    auto decoded = decode_(object);
    const std::string key = decoded ? decoded->meta.key() : KeyOf(object);
    if (decoded) {
      bad_.erase(key);
    } else {
      LogFailure(key, object, decoded.error());
      if constexpr (requires { T::Unreadable(object); }) decoded = T::Unreadable(object);
    }
    if (!decoded) {
      Remove(key);
      return key;
    }
    const Ptr old = sink_.Get(key);
    if (old && old->meta.uid != decoded->meta.uid) {
      Remove(key);
    } else if (old && same_version_is_same_ &&
               old->meta.resource_version == decoded->meta.resource_version) {
      return key;
    }
    const auto taken = std::make_shared<const T>(std::move(*decoded));
    Tell(sink_.Set(key, taken), taken);
    return key;
  }
  void Remove(const std::string& key) {
    if (const Ptr old = sink_.Erase(key)) Tell(old, nullptr);
  }
  void LogFailure(const std::string& key, JsonView object, const base::Error& error) {
    const auto version = ResourceVersionOf(object);
    if (const auto [place, added] = bad_.try_emplace(key, version); !added) {
      if (std::exchange(place->second, version) == version) return;
    }
    base::Log(base::Level::kError, "an object does not decode",
              {{"kind", kind_}, {"key", key}, {"error", error.message}});
  }
  void Tell(const Ptr& old_object, const Ptr& new_object) const {
    for (const auto& handler : handlers_) handler(old_object, new_object);
  }

  const Decode decode_;
  const std::string kind_;
  const std::string plural_;
  std::vector<Handler> handlers_;
  std::vector<std::function<void()>> on_synced_;
  std::vector<std::function<void()>> on_each_list_begin_;
  std::vector<ListHandler> on_each_list_;
  const std::unique_ptr<Store<T>> store_;  // null where a sink was given
  Sink<T>& sink_;
  bool synced_ = false;
  bool same_version_is_same_ = true;                     // not while versions went back
  std::vector<base::Symbol> listed_;                     // keys of the list under way
  std::map<std::string, std::string, std::less<>> bad_;  // key -> resourceVersion that was logged
  Reflector reflector_;                                  // last: it may call until it is gone
};

}  // namespace vdcu::kclient
