// Result<T>: a value or an Error; Status: success or an Error. Neither may be dropped.
//
// Debian's tl::expected 1.0.0 is not [[nodiscard]], so Result derives from it to become so.
#pragma once

#include <type_traits>
#include <utility>

#include <tl/expected.hpp>

#include "base/error.h"

namespace vdcu::base {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using Base = tl::expected<T, Error>;
  using Base::Base;
  Result(Error error) : Base(tl::make_unexpected(std::move(error))) {}  // NOLINT
  Result(tl::unexpected<Error> error) : Base(std::move(error)) {}       // NOLINT
  Result(Base base) : Base(std::move(base)) {}                          // NOLINT
};

using Status = Result<void>;

inline Status Ok() { return Status(); }

}  // namespace vdcu::base

#define VDCU_CONCAT_INNER(a, b) a##b
#define VDCU_CONCAT(a, b) VDCU_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr): returns the error of a Status or Result to the caller.
#define RETURN_IF_ERROR(expr)                                     \
  do {                                                            \
    if (auto vdcu_status = (expr); !vdcu_status.has_value())      \
      return ::vdcu::base::Error(std::move(vdcu_status.error())); \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): x is the value, or the error goes to the caller.
#define ASSIGN_OR_RETURN(lhs, expr) \
  VDCU_ASSIGN_OR_RETURN(VDCU_CONCAT(vdcu_result_, __LINE__), lhs, expr)
#define VDCU_ASSIGN_OR_RETURN(result, lhs, expr)                                  \
  auto result = (expr);                                                           \
  if (!result.has_value()) return ::vdcu::base::Error(std::move(result.error())); \
  lhs = std::move(*result)
