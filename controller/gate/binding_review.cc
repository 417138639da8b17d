#include "controller/gate/binding_review.h"

#include <optional>

#include "controller/webhook/review.h"
#include "kclient/core/json.h"

namespace vdcu::controller {

using kclient::JsonView;

namespace {

// Of the pod; the path of the request says it where the object does not.
base::Result<std::string> ReadKey(JsonView request, JsonView meta) {
  std::string name = kclient::GetStringOr(meta, "name");
  if (name.empty()) name = kclient::GetStringOr(request, "name");
  const std::string ns = kclient::GetStringOr(request, "namespace");
  if (ns.empty()) return base::Invalid("request.namespace: must be set");
  if (name.empty()) return base::Invalid("request.object.metadata.name: must be set");
  return ns + "/" + name;
}

}  // namespace

base::Result<BindingReview> ReadBindingReview(std::string_view body) {
  kclient::JsonParser parser;
  ASSIGN_OR_RETURN(const JsonView text, parser.Parse(body));
  ASSIGN_OR_RETURN(const Review review, ReadReview(text));
  const std::string kind = kclient::GetStringOr(review.object, "kind");
  if (kind != "Binding") {
    return base::Invalid("request.object.kind: \"" + kind + "\": must be Binding");
  }
  const auto request = kclient::Get(text, "request");
  const auto meta = kclient::Get(review.object, "metadata");
  if (!request || !meta) return base::Invalid("request.object.metadata: must be an object");
  BindingReview binding;
  binding.uid = review.uid;
  binding.pod_uid = kclient::GetStringOr(*meta, "uid");
  binding.dry_run = kclient::GetBool(*request, "dryRun").value_or(false);
  ASSIGN_OR_RETURN(binding.pod, ReadKey(*request, *meta));
  if (const auto target = kclient::Get(review.object, "target")) {
    binding.node = kclient::GetStringOr(*target, "name");
  }
  if (binding.node.empty()) return base::Invalid("request.object.target.name: must be a node");
  return binding;
}

}  // namespace vdcu::controller
