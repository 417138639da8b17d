#include "kclient/write.h"

#include <utility>

namespace vdcu::kclient {

namespace {

std::string ApiVersion(const Resource& resource) {
  return resource.group.empty() ? std::string(resource.version)
                                : std::string(resource.group) + "/" + std::string(resource.version);
}

std::string_view VerbName(Write::Verb verb) {
  switch (verb) {
    case Write::Verb::kCreate:
      return "create";
    case Write::Verb::kMergePatch:
    case Write::Verb::kStrategicMergePatch:
      return "patch";
    case Write::Verb::kDelete:
      return "delete";
  }
  return "";
}

Write Make(Write::Verb verb, const Resource& resource, std::string_view ns, std::string_view name) {
  Write write;
  write.verb = verb;
  write.resource = resource;
  write.ns = ns;
  write.name = name;
  return write;
}

}  // namespace

std::string ResourcePath(const Resource& resource, std::string_view ns, std::string_view name,
                         std::string_view subresource) {
  std::string path = resource.group.empty() ? "/api/" : "/apis/";
  path += ApiVersion(resource);
  const auto append = [&path](std::string_view part) {
    if (!part.empty()) (path += '/') += part;
  };
  if (!ns.empty()) {
    append("namespaces");
    append(ns);
  }
  append(resource.plural);
  append(name);
  append(subresource);
  return path;
}

std::string Write::Describe() const {
  std::string text(VerbName(verb));
  (text += ' ') += resource.plural;
  if (!subresource.empty()) (text += '/') += subresource;
  text += ' ';
  if (!ns.empty()) (text += ns) += '/';
  return text += name;
}

Write MakeCreate(const Resource& resource, std::string_view ns, std::string_view name,
                 nlohmann::json object) {
  Write write = Make(Write::Verb::kCreate, resource, ns, name);
  write.body = std::move(object);
  write.body["apiVersion"] = ApiVersion(resource);
  write.body["kind"] = resource.kind;
  write.body["metadata"]["name"] = name;
  if (!ns.empty()) write.body["metadata"]["namespace"] = ns;
  return write;
}

Write MakePatch(const Resource& resource, std::string_view ns, std::string_view name,
                std::string_view subresource, nlohmann::json patch, std::string_view uid,
                std::string_view resource_version) {
  Write write = Make(Write::Verb::kMergePatch, resource, ns, name);
  write.subresource = subresource;
  write.body = std::move(patch);
  write.body["metadata"]["uid"] = uid;
  if (!resource_version.empty()) write.body["metadata"]["resourceVersion"] = resource_version;
  return write;
}

Write MakeStrategicPatch(const Resource& resource, std::string_view ns, std::string_view name,
                         std::string_view subresource, nlohmann::json patch, std::string_view uid) {
  Write write = MakePatch(resource, ns, name, subresource, std::move(patch), uid, "");
  write.verb = Write::Verb::kStrategicMergePatch;
  return write;
}

Write MakeDelete(const Resource& resource, std::string_view ns, std::string_view name,
                 std::string_view uid, std::string_view resource_version) {
  Write write = Make(Write::Verb::kDelete, resource, ns, name);
  write.body = {{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", {{"uid", uid}}}};
  if (!resource_version.empty()) {
    write.body["preconditions"]["resourceVersion"] = resource_version;
  }
  return write;
}

Write MakeBind(std::string_view ns, std::string_view pod, std::string_view uid,
               std::string_view node, const Labels& annotations) {
  Write write = Make(Write::Verb::kCreate, kPods, ns, pod);
  write.subresource = "binding";
  write.body = {{"apiVersion", "v1"},
                {"kind", "Binding"},
                {"metadata", {{"name", pod}, {"namespace", ns}, {"uid", uid}}},
                {"target", {{"apiVersion", "v1"}, {"kind", "Node"}, {"name", node}}}};
  if (!annotations.empty()) write.body["metadata"]["annotations"] = annotations;
  return write;
}

Write MakeEviction(std::string_view ns, std::string_view pod, std::string_view uid) {
  Write write = Make(Write::Verb::kCreate, kPods, ns, pod);
  write.subresource = "eviction";
  write.body = {{"apiVersion", "policy/v1"},
                {"kind", "Eviction"},
                {"metadata", {{"name", pod}, {"namespace", ns}}},
                {"deleteOptions", {{"preconditions", {{"uid", uid}}}}}};
  return write;
}

}  // namespace vdcu::kclient
