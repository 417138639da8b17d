// libFuzzer: any text is refused or gives the same answer, whole and in thousandths.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "kclient/core/quantity.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto whole = vdcu::kclient::ParseQuantity(text);
  const auto milli = vdcu::kclient::ParseMilliQuantity(text);
  CHECK(whole.has_value() == milli.has_value(), "one refuses what the other takes");
  if (!whole) {
    CHECK(whole.error().code == vdcu::base::ErrorCode::kInvalid, "an error that is not kInvalid");
    return 0;
  }
  // Rounding a finer value up again gives the coarser one, unless the finer one is saturated.
  const int64_t size_of_milli = *milli < 0 ? -*milli : *milli;
  const int64_t size_of_whole = *whole < 0 ? -*whole : *whole;
  if (size_of_milli != INT64_MAX) {
    CHECK(size_of_whole == size_of_milli / 1000 + (size_of_milli % 1000 != 0), "rounded otherwise");
  }
  return 0;
}
