// The bearer token of requests, read anew when its file changes.
#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"

namespace vdcu::kclient {

class TokenSource {
 public:
  // An empty `file`: the token stays as it is.
  TokenSource(std::string token, std::string file);

  const std::string& token() const { return token_; }
  // Looks at the file, every few seconds at most; returns whether the token is another one now.
  bool Refresh(base::TimePoint now);
  // The server refused the token: reads the file at once.
  bool OnRefused();

 private:
  bool Read();

  std::string token_;
  const std::string file_;
  std::filesystem::file_time_type modified_{};
  base::TimePoint looked_;
};

}  // namespace vdcu::kclient
