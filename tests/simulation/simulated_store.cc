#include "tests/simulation/simulated_store.h"

#include <utility>

#include "base/check.h"
#include "tests/simulation/simulated_objects.h"

namespace vdcu::simulation {

using Json = SimulatedStore::Json;

std::string SimulatedStore::SelectableOf(const std::string& kind, const Json& object) {
  if (kind == "pods") return Text(object, "/spec/nodeName");
  return Text(object, kind == "vdcupartitions" ? "/spec/assignment/node" : "/metadata/name");
}

const Json* SimulatedStore::Find(const std::string& kind, const std::string& key) {
  const auto& objects = kinds_[kind].objects;
  const auto found = objects.find(key);
  return found == objects.end() ? nullptr : &found->second;
}

void SimulatedStore::Create(const std::string& kind, Json object) {
  const std::string ns = Text(object, "/metadata/namespace");
  const std::string key = (ns.empty() ? "" : ns + "/") + Text(object, "/metadata/name");
  CHECK(!Find(kind, key), "exists: " + key);
  object["metadata"]["uid"] = "uid-" + std::to_string(++version_);
  object["metadata"]["generation"] = 1;
  object["metadata"]["creationTimestamp"] = base::FormatTime(clock_.Wall());
  Store(kind, key, std::move(object), "ADDED");
}

void SimulatedStore::Change(const std::string& kind, const std::string& key,
                            const std::function<void(Json&)>& change) {
  Json object = *Find(kind, key);
  change(object);
  Put(kind, key, std::move(object));
}

void SimulatedStore::Delete(const std::string& kind, const std::string& key) {
  Change(kind, key, [this](Json& object) {
    Json& meta = object["metadata"];
    if (meta.contains("deletionTimestamp")) return;
    meta["deletionTimestamp"] = base::FormatTime(clock_.Wall());
    meta["generation"] = meta["generation"].get<int>() + 1;
  });
}

void SimulatedStore::Put(const std::string& kind, const std::string& key, Json object) {
  const Json& before = *Find(kind, key);
  if (object == before) return;
  Json& meta = object["metadata"];
  if (object["spec"] != before.value("spec", Json())) {
    meta["generation"] = meta["generation"].get<int>() + 1;
  }
  const bool gone =
      meta.contains("deletionTimestamp") && meta.value("finalizers", Json::array()).empty();
  Store(kind, key, std::move(object), gone ? "DELETED" : "MODIFIED");
  if (gone) kinds_[kind].objects.erase(key);
}

void SimulatedStore::Store(const std::string& kind, const std::string& key, Json object,
                           const char* type) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
  Kind& stored = kinds_[kind];
  const std::string is = SelectableOf(kind, object);
  // What was deleted shows what it was.
  const Json* before = Find(kind, key);
  stored.log.push_back({.version = version_,
                        .was = before ? SelectableOf(kind, *before) : std::string(),
                        .is = is,
                        .event = {{"type", type}, {"object", object}}});
  stored.objects[key] = std::move(object);
  OnStored(kind);
}

}  // namespace vdcu::simulation
