#include "kclient/credentials.h"

#include <chrono>
#include <system_error>
#include <utility>

#include "base/log.h"
#include "kclient/config.h"

namespace vdcu::kclient {

namespace {
constexpr std::chrono::seconds kLookEvery{3};
}  // namespace

TokenSource::TokenSource(std::string token, std::string file)
    : token_(std::move(token)), file_(std::move(file)) {}

bool TokenSource::Refresh(base::TimePoint now) {
  if (file_.empty() || now - looked_ < kLookEvery) return false;
  looked_ = now;
  std::error_code error;
  const auto modified = std::filesystem::last_write_time(file_, error);
  if (error || std::exchange(modified_, modified) == modified) return false;
  return Read();
}

bool TokenSource::OnRefused() { return !file_.empty() && Read(); }

bool TokenSource::Read() {
  auto token = ReadToken(file_);
  if (!token) {
    base::Log(base::Level::kWarning, "the token file cannot be read, the old token stays",
              {{"error", token.error().message}});
    return false;
  }
  return std::exchange(token_, std::move(*token)) != token_;
}

}  // namespace vdcu::kclient
