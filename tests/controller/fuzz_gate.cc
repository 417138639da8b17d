// Any body of a review of a binding: it is refused with a message, or says which pod and node.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "controller/gate/binding_review.h"
#include "controller/webhook/review.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  const auto binding = vdcu::controller::ReadBindingReview(body);
  if (!binding) {
    CHECK(!binding.error().message.empty(), "a refusal without a message");
    return 0;
  }
  CHECK(!binding->node.empty() && binding->pod.find('/') != std::string::npos,
        "a call for nothing");
  CHECK(!vdcu::controller::Allow(binding->uid).empty(), "no answer");
  return 0;
}
