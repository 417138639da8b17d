// Objects of the simulated API: as the controller reads them, and what a test asks of their JSON.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "crds/decode.h"
#include "kclient/core/json.h"

namespace vdcu::simulation {

// Null: it cannot be read.
template <class T>
std::shared_ptr<const T> Decode(const nlohmann::json& object) {
  kclient::JsonParser parser;
  const auto view = parser.Parse(object.dump());
  if (!view) return nullptr;
  auto decoded = crds::Decode<T>(*view);
  return decoded ? std::make_shared<const T>(std::move(*decoded)) : nullptr;
}

template <class T>
std::vector<std::shared_ptr<const T>> DecodeAll(
    const std::map<std::string, nlohmann::json>& objects) {
  std::vector<std::shared_ptr<const T>> all;
  for (const auto& [key, object] : objects) {
    if (auto decoded = Decode<T>(object)) all.push_back(std::move(decoded));
  }
  return all;
}

// Empty: it has no such text.
inline std::string Text(const nlohmann::json& object, const char* pointer) {
  const nlohmann::json::json_pointer place(pointer);
  return object.contains(place) ? object[place].get<std::string>() : std::string();
}

// Our scheduler is to place it.
inline bool IsOurs(const nlohmann::json& pod) {
  return Text(pod, "/spec/schedulerName") == "vdcu-scheduler";
}

// The reserved partition that the pod was bound for or, while it waits, names; empty: none.
inline std::string NamedBy(const nlohmann::json& pod) {
  if (Text(pod, "/spec/nodeName").empty()) {
    return Text(pod, "/metadata/annotations/vdcu.io~1partition");
  }
  const std::string bound = Text(pod, "/metadata/annotations/vdcu.io~1bound-partition");
  return bound.substr(0, bound.find('/'));
}

inline size_t SlicesNeeded(const nlohmann::json& pod) {
  size_t needed = 0;
  for (const nlohmann::json& container : pod["spec"]["containers"]) {
    needed += std::stoul(Text(container, "/resources/limits/hygon.com~1dcunum"));
  }
  return needed;
}

// The write says where a slice is to be.
inline bool Grants(const nlohmann::json& body) {
  return body.value("/spec/assignment"_json_pointer, nlohmann::json()).is_object();
}

}  // namespace vdcu::simulation
