// One request of CurlTransport while libcurl works on it. Its C callbacks only move bytes; those of
// the caller run after libcurl's turn, so they may start and cancel calls.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "kclient/curl_handles.h"
#include "kclient/transport.h"

namespace vdcu::kclient {

// What libcurl's turn has brought.
struct CurlTurn {
  bool got_bytes = false;
  size_t gathered = 0;         // bytes of bodies of all transfers
  std::deque<uint64_t> ready;  // transfers with data or a result; may name some that are gone
};

struct Transfer {
  uint64_t id = 0;
  HttpRequest request;
  bool is_stream = false;
  bool is_counted = false;  // among the sends that libcurl may have at once
  DataCallback on_data;
  ResponseCallback on_end;
  base::TimePoint deadline;
  CurlTurn* turn = nullptr;

  CURL* easy = nullptr;  // null: not with libcurl any more
  EndpointPtr endpoint;  // that the handle is for
  HeaderList headers;
  bool sent_again = false;

  HttpResponse response;
  bool begins = false;   // the stream's answer has; on_data is still to be called
  std::string data;      // of the stream, not yet given to on_data
  std::string too_long;  // why the body is not taken any further; empty: it is
  size_t gathered = 0;   // of turn->gathered
  std::array<char, CURL_ERROR_SIZE> error{};
  std::optional<base::Result<HttpResponse>> result;  // ended, on_end is still to be called
};

// Drops what has come of the answer.
void ForgetAnswer(Transfer& transfer);
// Makes libcurl write what comes into `transfer`, which must not move until it is removed.
void ConnectToCurl(Transfer& transfer, base::Duration timeout);
Transfer& TransferOf(CURL* easy);

}  // namespace vdcu::kclient
