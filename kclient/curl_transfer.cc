#include "kclient/curl_transfer.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>

namespace vdcu::kclient {

namespace {

using std::chrono::seconds;

// Of the answers that are under way together, but for those that are small.
constexpr size_t kMostTogether = size_t{64} << 20;
constexpr size_t kSmall = size_t{1} << 20;

std::string WhyTooLong(const Transfer& transfer, size_t more) {
  const size_t size = transfer.gathered + more;
  if (size > transfer.request.most_bytes) {
    return "the answer is longer than " + std::to_string(transfer.request.most_bytes) + " bytes";
  }
  if (size > kSmall && transfer.turn->gathered + more > kMostTogether) {
    return "the answers that come at the same time are together longer than " +
           std::to_string(kMostTogether) + " bytes";
  }
  return "";
}

bool IsGoodStream(const Transfer& transfer) {
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  return transfer.is_stream && status / 100 == 2;
}

size_t OnBody(char* bytes, size_t one, size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view part(bytes, one * count);
  transfer.turn->got_bytes = true;
  if (IsGoodStream(transfer)) {
    if (transfer.data.empty()) transfer.turn->ready.push_back(transfer.id);
    transfer.data += part;
    return part.size();
  }
  transfer.too_long = WhyTooLong(transfer, part.size());
  if (!transfer.too_long.empty()) return CURL_WRITEFUNC_ERROR;
  transfer.response.body += part;
  transfer.gathered += part.size();
  transfer.turn->gathered += part.size();
  return part.size();
}

bool HasName(std::string_view line, std::string_view lower_case_name) {
  return line.size() > lower_case_name.size() &&
         std::equal(lower_case_name.begin(), lower_case_name.end(), line.begin(),
                    [](char want, char have) {
                      return want == (have >= 'A' && have <= 'Z' ? have - 'A' + 'a' : have);
                    });
}

size_t OnHeader(char* bytes, size_t one, size_t count, void* user) noexcept {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(bytes, one * count);
  transfer.turn->got_bytes = true;
  constexpr std::string_view kName = "retry-after:";
  if (HasName(line, kName)) {
    const size_t begin = std::min(line.find_first_not_of(' ', kName.size()), line.size());
    int value = 0;  // API servers give seconds; a date stays 0
    std::from_chars(line.data() + begin, line.data() + line.size(), value);
    transfer.response.retry_after = seconds(std::clamp(value, 0, 3600));
  } else if (line == "\r\n" && IsGoodStream(transfer)) {
    transfer.begins = true;
    transfer.turn->ready.push_back(transfer.id);
  }
  return line.size();
}

}  // namespace

void ForgetAnswer(Transfer& transfer) {
  transfer.response = {};
  transfer.turn->gathered -= std::exchange(transfer.gathered, 0);
}

void ConnectToCurl(Transfer& transfer, base::Duration timeout) {
  SetOption(transfer.easy, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  SetOption(transfer.easy, CURLOPT_PRIVATE, static_cast<void*>(&transfer));
  SetOption(transfer.easy, CURLOPT_WRITEFUNCTION, &OnBody);
  SetOption(transfer.easy, CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  SetOption(transfer.easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  SetOption(transfer.easy, CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  SetOption(transfer.easy, CURLOPT_ERRORBUFFER, transfer.error.data());
}

Transfer& TransferOf(CURL* easy) {
  void* transfer = nullptr;
  curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
  return *static_cast<Transfer*>(transfer);
}

}  // namespace vdcu::kclient
