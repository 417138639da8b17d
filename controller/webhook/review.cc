#include "controller/webhook/review.h"

#include <string_view>

#include "base/text.h"
#include "kclient/base64.h"

namespace vdcu::controller {

using kclient::JsonView;
using nlohmann::json;

namespace {

constexpr char kVersion[] = "admission.k8s.io/v1";
constexpr char kKind[] = "AdmissionReview";

std::string Answer(const json& response) {
  // A name may have bytes that are no UTF-8 only where the API server let them through.
  return json{{"apiVersion", kVersion}, {"kind", kKind}, {"response", response}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

// As in RESOURCE.GROUP/SUBRESOURCE.
std::string ResourceOf(JsonView request) {
  std::string resource;
  if (const auto of = kclient::Get(request, "resource")) {
    resource = kclient::GetStringOr(*of, "resource");
    const std::string group = kclient::GetStringOr(*of, "group");
    if (!group.empty()) resource += "." + group;
  }
  const std::string part = kclient::GetStringOr(request, "subResource");
  return part.empty() ? resource : resource + "/" + part;
}

// A key of `extra` has a list of values, of which those that we know have one.
std::string ExtraOf(JsonView user, std::string_view key) {
  const auto extra = kclient::Get(user, "extra");
  std::string first;
  if (!extra) return first;
  kclient::ForEach(*extra, key, [&](JsonView value) {
    if (first.empty()) first = value.String().value_or("");
  });
  return first;
}

// Source: k8s.io/kubernetes pkg/serviceaccount, ServiceAccountInfo.UserInfo.
Requester RequesterOf(JsonView request) {
  const auto user = kclient::Get(request, "userInfo");
  if (!user) return {};
  return {.user = kclient::GetStringOr(*user, "username"),
          .node = ExtraOf(*user, "authentication.kubernetes.io/node-name"),
          .pod = ExtraOf(*user, "authentication.kubernetes.io/pod-name"),
          .pod_uid = ExtraOf(*user, "authentication.kubernetes.io/pod-uid")};
}

}  // namespace

base::Result<Review> ReadReview(JsonView text) {
  const std::string version = kclient::GetStringOr(text, "apiVersion");
  const std::string kind = kclient::GetStringOr(text, "kind");
  if (version != kVersion || kind != kKind) {
    return base::Invalid("kind " + version + "/" + kind + ": must be " + kVersion + "/" + kKind);
  }
  const auto request = kclient::Get(text, "request");
  Review review;
  if (request) review.uid = kclient::GetStringOr(*request, "uid");
  if (review.uid.empty()) return base::Invalid("request.uid: must be set");
  const auto object = kclient::Get(*request, "object");
  if (!object || !object->IsObject()) return base::Invalid("request.object: must be an object");
  review.object = *object;
  review.old_object = kclient::Get(*request, "oldObject");
  review.operation = kclient::GetStringOr(*request, "operation");
  review.resource = ResourceOf(*request);
  review.by = RequesterOf(*request);
  return review;
}

std::string Allow(const std::string& uid, const json& patch) {
  json response{{"uid", uid}, {"allowed", true}};
  if (!patch.empty()) {
    response["patchType"] = "JSONPatch";
    response["patch"] = kclient::EncodeBase64(patch.dump());
  }
  return Answer(response);
}

std::string Deny(const std::string& uid, const base::Error& error) {
  json status{{"code", 422}, {"reason", "Invalid"}, {"message", base::Cut(error.message)}};
  if (error.code == base::ErrorCode::kForbidden) {
    status.update({{"code", 403}, {"reason", "Forbidden"}});
  } else if (error.code == base::ErrorCode::kConflict) {
    status.update({{"code", 409}, {"reason", "Conflict"}});
  }
  return Answer({{"uid", uid}, {"allowed", false}, {"status", status}});
}

}  // namespace vdcu::controller
