#include "kclient/curl_proxy.h"

#include <arpa/inet.h>
#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"

namespace vdcu::kclient {

namespace {

using base::Result;

using UrlPtr = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;
// An IPv4 address is the IPv6 address that maps it.
using Ip = std::array<uint8_t, 16>;

// Null where it is no URL.
UrlPtr ParseUrl(const std::string& text) {
  UrlPtr url(curl_url(), &curl_url_cleanup);
  const CURLUcode code =
      curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_NON_SUPPORT_SCHEME);
  return code == CURLUE_OK ? std::move(url) : UrlPtr(nullptr, &curl_url_cleanup);
}

// Empty where the URL has none.
std::string PartOf(const UrlPtr& url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url.get(), part, &text, 0) != CURLUE_OK) return "";
  std::string copy(text);
  curl_free(text);
  return copy;
}

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string_view WithoutBrackets(std::string_view host) {
  const bool has = host.size() > 1 && host.front() == '[' && host.back() == ']';
  return has ? host.substr(1, host.size() - 2) : host;
}

std::optional<Ip> ParseIp(std::string_view text) {
  const std::string host(text);
  Ip ip{};
  if (inet_pton(AF_INET6, host.c_str(), ip.data()) == 1) return ip;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) != 1) return std::nullopt;
  ip[10] = ip[11] = 0xff;
  std::memcpy(&ip[12], &v4, sizeof v4);
  return ip;
}

bool IsIpv4(const Ip& ip) {
  return std::all_of(ip.begin(), ip.begin() + 10, [](uint8_t byte) { return byte == 0; }) &&
         ip[10] == 0xff && ip[11] == 0xff;
}

bool IsLoopback(const Ip& ip) {
  Ip one{};
  one[15] = 1;
  return ip == one || (IsIpv4(ip) && ip[12] == 127);
}

bool HaveSamePrefix(const Ip& a, const Ip& b, int bits) {
  for (int bit = 0; bit < bits; ++bit) {
    const auto byte = static_cast<size_t>(bit / 8);
    if ((((a[byte] ^ b[byte]) >> (7 - bit % 8)) & 1) != 0) return false;
  }
  return true;
}

// "10.0.0.0/8" contains `ip`; nothing: it is no CIDR.
std::optional<bool> CidrContains(std::string_view entry, const std::optional<Ip>& ip) {
  const size_t slash = entry.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto network = ParseIp(entry.substr(0, slash));
  int bits = -1;
  const std::string_view text = entry.substr(slash + 1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits);
  const bool ipv4 = entry.find(':') == std::string_view::npos;
  const bool right = network && error == std::errc() && end == text.data() + text.size() &&
                     bits >= 0 && bits <= (ipv4 ? 32 : 128);
  if (!right) return std::nullopt;
  return ip && IsIpv4(*ip) == ipv4 && HaveSamePrefix(*ip, *network, bits + (ipv4 ? 96 : 0));
}

struct Address {
  std::string host;  // lower case, without brackets
  std::string port;
};

// "HOST:PORT" or "HOST"; an IPv6 address with a port stands in brackets.
Address SplitPort(std::string_view entry) {
  const size_t colon = entry.rfind(':');
  const bool one_colon = colon != std::string_view::npos && entry.find(':') == colon;
  const bool brackets = entry.starts_with('[') && entry.find("]:") != std::string_view::npos;
  if (!one_colon && !brackets) return {std::string(entry), ""};
  return {std::string(WithoutBrackets(entry.substr(0, colon))),
          std::string(entry.substr(colon + 1))};
}

// Whether an entry of NO_PROXY, in lower case, means `server`.
bool Matches(std::string_view entry, const Address& server, const std::optional<Ip>& ip) {
  if (entry == "*") return true;
  if (const auto contains = CidrContains(entry, ip)) return *contains;
  Address address = SplitPort(entry);
  if (address.host.empty()) return false;
  if (!address.port.empty() && address.port != server.port) return false;
  if (const auto named = ParseIp(address.host)) return ip == named;
  if (address.host.starts_with("*.")) address.host.erase(0, 1);
  if (address.host.starts_with('.')) return server.host.ends_with(address.host);
  return server.host == address.host || server.host.ends_with("." + address.host);
}

bool GoesWithout(const std::string& no_proxy, const Address& server) {
  const auto ip = ParseIp(server.host);
  if (server.host == "localhost" || (ip && IsLoopback(*ip))) return true;
  for (std::string_view rest = no_proxy; !rest.empty();) {
    const size_t comma = std::min(rest.find(','), rest.size());
    if (Matches(base::Trim(rest.substr(0, comma)), server, ip)) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

// The variable that is set, the upper-case one first.
std::pair<std::string, std::string> ProxyVariable(const std::string& upper) {
  for (const std::string& name : {upper, Lower(upper)}) {
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') return {name, value};
  }
  return {};
}

}  // namespace

Result<std::string> ParseProxy(const std::string& what, const std::string& text) {
  const UrlPtr url = ParseUrl(text);
  const std::string scheme = url == nullptr ? "" : PartOf(url, CURLUPART_SCHEME);
  const std::string host = url == nullptr ? "" : PartOf(url, CURLUPART_HOST);
  const bool known = scheme == "http" || scheme == "https" || scheme == "socks5";
  if (!known || host.empty()) {
    const bool secret = text.find('@') != std::string::npos;
    return base::Invalid(what + ": " + (secret ? "the URL" : "\"" + text + "\"") +
                         ": want http://HOST:PORT, https://HOST:PORT or socks5://HOST:PORT");
  }
  // libcurl takes another port than Go where there is none.
  std::string port = PartOf(url, CURLUPART_PORT);
  if (port.empty()) port = scheme == "http" ? "80" : scheme == "https" ? "443" : "1080";
  std::string user = PartOf(url, CURLUPART_USER);
  const std::string password = PartOf(url, CURLUPART_PASSWORD);
  if (!password.empty()) user += ":" + password;
  // The proxy resolves the server's name.
  return (scheme == "socks5" ? "socks5h" : scheme) + "://" + (user.empty() ? "" : user + "@") +
         host + ":" + port;
}

Result<std::string> ProxyFromEnvironment(const std::string& server) {
  const auto [name, value] = ProxyVariable("HTTPS_PROXY");
  if (value.empty()) return std::string();
  const UrlPtr url = ParseUrl(server);
  if (url == nullptr) return base::Invalid("\"" + server + "\": want https://HOST:PORT");
  const std::string port = PartOf(url, CURLUPART_PORT);
  const Address address{.host = std::string(WithoutBrackets(Lower(PartOf(url, CURLUPART_HOST)))),
                        .port = port.empty() ? "443" : port};
  if (GoesWithout(Lower(ProxyVariable("NO_PROXY").second), address)) return std::string();
  const bool has_scheme = value.find("://") != std::string::npos;
  return ParseProxy(name, has_scheme ? value : "http://" + value);
}

}  // namespace vdcu::kclient
