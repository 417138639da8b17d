// One HTTP request from a test, in this process: a curl command takes 10 ms of CPU for each.
#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace vdcu::world {

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::string unix_socket = "";  // connected to, whatever the URL's host; empty: the URL's host
  std::string body = "";
  std::vector<std::string> headers = {};
  base::Duration most = std::chrono::seconds(60);
};

struct HttpAnswer {
  int code = 0;      // 0: no answer, or a part of one
  std::string text;  // the body; without an answer, why
};

// Threads: any.
HttpAnswer Fetch(const HttpCall& call);

}  // namespace vdcu::world
