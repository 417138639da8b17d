#include "controller/webhook/review.h"

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

std::string Deny(const std::string& uid, const std::string& message) {
  return Answer({{"uid", uid},
                 {"allowed", false},
                 {"status", {{"code", 422}, {"reason", "Invalid"}, {"message", message}}}});
}

}  // namespace vdcu::controller
