// Any body of a scheduler's call: the first byte says of which. It is refused with a message, or
// what is read can be answered.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "controller/extender/wire.h"

namespace {

using vdcu::controller::BindAnswer;
using vdcu::controller::FilterAnswer;
using vdcu::controller::PredicateAnswer;
using vdcu::controller::PreemptAnswer;
using vdcu::controller::ReadBindCall;
using vdcu::controller::ReadFilterCall;
using vdcu::controller::ReadPredicateCall;
using vdcu::controller::ReadPreemptCall;
using vdcu::controller::ReadTaskCall;
using vdcu::controller::TaskAnswer;
using vdcu::controller::Unfit;

void CheckRefusal(const vdcu::base::Error& error) {
  CHECK(!error.message.empty(), "a refusal without a message");
}

void CheckFilter(std::string_view body) {
  const auto call = ReadFilterCall(body);
  if (!call) return CheckRefusal(call.error());
  CHECK(!call->pod.uid.empty() && !call->nodes.empty(), "a call for nothing");
  vdcu::reconcilers::Offer offer;
  for (const std::string& node : call->nodes) offer.refused.emplace(node, "no");
  CHECK(!FilterAnswer(offer).empty(), "no answer");
}

void CheckPreempt(std::string_view body) {
  const auto call = ReadPreemptCall(body);
  if (!call) return CheckRefusal(call.error());
  std::vector<std::string> nodes;
  for (const auto& [node, pods] : call->victims) nodes.push_back(node);
  CHECK(!PreemptAnswer(*call, nodes).empty(), "no answer");
}

void CheckBind(std::string_view body) {
  const auto call = ReadBindCall(body);
  if (!call) return CheckRefusal(call.error());
  CHECK(!call->node.empty() && !BindAnswer(call->pod.key).empty(), "a call for nothing");
}

void CheckPredicate(std::string_view body) {
  const auto call = ReadPredicateCall(body);
  if (!call) return CheckRefusal(call.error());
  CHECK(!call->pod.uid.empty() && !call->node.empty(), "a call for nothing");
  for (const std::string& uid : call->beside) CHECK(!uid.empty(), "nobody is beside it");
  CHECK(!PredicateAnswer(call->node, Unfit::kForNow).empty(), "no answer");
}

void CheckTask(std::string_view body) {
  const auto call = ReadTaskCall(body);
  if (!call) return CheckRefusal(call.error());
  CHECK(!call->pod.uid.empty() && !call->node.empty(), "a call for nothing");
  CHECK(!TaskAnswer(call->pod.key).empty(), "no answer");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  if (size == 0) return 0;
  const std::string_view body(reinterpret_cast<const char*>(bytes) + 1, size - 1);
  const int verb = (bytes[0] + 2) % 5;  // '0' is the first
  if (verb == 0) CheckFilter(body);
  if (verb == 1) CheckPreempt(body);
  if (verb == 2) CheckBind(body);
  if (verb == 3) CheckPredicate(body);
  if (verb == 4) CheckTask(body);
  return 0;
}
