#include "base/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <memory>

namespace vdcu::base {

namespace {

std::atomic<LogFormat> g_format{LogFormat::kText};

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

// The code of the control character (C0, DEL, C1) that text begins with, and how many bytes it has;
// 0 bytes: it begins with another. A terminal would obey it.
std::pair<int, size_t> ControlAt(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  if (first < 0x20 || first == 0x7f) return {first, 1};
  if (first != 0xc2 || text.size() < 2) return {0, 0};
  const auto second = static_cast<unsigned char>(text[1]);
  return second >= 0x80 && second < 0xa0 ? std::pair<int, size_t>(second, 2)
                                         : std::pair<int, size_t>(0, 0);
}

// A JSON string's inside; control characters, quotes and backslashes escaped.
std::string Escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    size_t bytes = 1;
    if (text[0] == '"' || text[0] == '\\') {
      escaped += {'\\', text[0]};
    } else if (const auto [code, size] = ControlAt(text); size > 0) {
      escaped += fmt::format("\\u{:04x}", code);
      bytes = size;
    } else {
      escaped += text[0];
    }
    text.remove_prefix(bytes);
  }
  return escaped;
}

std::string AsText(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const auto& [key, value] : fields) {
    const std::string escaped = Escape(value);
    const bool quote =
        value.empty() || escaped != value || value.find_first_of(" =") != std::string::npos;
    line += ' ';
    line += key;
    line += '=';
    line += quote ? '"' + escaped + '"' : value;
  }
  return line;
}

std::string AsJson(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line = fmt::format("\"message\":\"{}\"", Escape(message));
  for (const auto& [key, value] : fields) {
    line += fmt::format(",\"{}\":\"{}\"", Escape(key), Escape(value));
  }
  return line;
}

}  // namespace

void SetUpLogging(Level least, LogFormat format) {
  auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
  auto logger = std::make_shared<spdlog::logger>("vdcu", std::move(sink));
  logger->set_level(ToSpdlog(least));
  logger->set_pattern(format == LogFormat::kJson
                          ? R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l",%v})"
                          : "%Y-%m-%dT%H:%M:%S.%e%z %-7l %v");
  logger->flush_on(spdlog::level::debug);
  spdlog::set_default_logger(std::move(logger));
  g_format = format;
}

void Log(Level level, std::string_view message, std::initializer_list<LogField> fields) {
  const auto spdlog_level = ToSpdlog(level);
  if (!spdlog::should_log(spdlog_level)) return;
  const bool json = g_format == LogFormat::kJson;
  spdlog::log(spdlog_level, "{}", json ? AsJson(message, fields) : AsText(message, fields));
}

}  // namespace vdcu::base
