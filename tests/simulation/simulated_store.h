// The objects of the simulated API and what has become of them, as etcd and the API server's
// storage keep them: UIDs, versions, generations, finalizers.
//
// `kind` is the plural, `key` "namespace/name". What changes here is done at once and never fails:
// it is what others than the controller and the daemons do.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"

namespace vdcu::simulation {

class SimulatedStore {
 public:
  using Json = nlohmann::json;

  // What a watch shows of a change.
  struct Entry {
    int64_t version = 0;
    std::string was;  // what a watch may select by, before and after
    std::string is;
    Json event;
  };

  explicit SimulatedStore(const base::Clock& clock) : clock_(clock) {}
  virtual ~SimulatedStore() = default;
  SimulatedStore(const SimulatedStore&) = delete;
  SimulatedStore& operator=(const SimulatedStore&) = delete;

  // Grows with each change.
  int64_t version() const { return version_; }
  const base::Clock& clock() const { return clock_; }

  const std::map<std::string, Json>& All(const std::string& kind) { return kinds_[kind].objects; }
  // Null: there is none.
  const Json* Find(const std::string& kind, const std::string& key);
  void Create(const std::string& kind, Json object);
  void Change(const std::string& kind, const std::string& key,
              const std::function<void(Json&)>& change);
  // What has finalizers goes when they are lifted.
  void Delete(const std::string& kind, const std::string& key);

 protected:
  const std::vector<Entry>& Log(const std::string& kind) { return kinds_[kind].log; }
  // The value that a watch may select an object by.
  static std::string SelectableOf(const std::string& kind, const Json& object);
  void Put(const std::string& kind, const std::string& key, Json object);

 private:
  struct Kind {
    std::map<std::string, Json> objects;
    std::vector<Entry> log;
  };

  // The kind's log has one more.
  virtual void OnStored(const std::string& kind) = 0;
  void Store(const std::string& kind, const std::string& key, Json object, const char* type);

  const base::Clock& clock_;
  int64_t version_ = 0;
  std::map<std::string, Kind> kinds_;
};

}  // namespace vdcu::simulation
