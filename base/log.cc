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

// A JSON string's inside; control characters, quotes and backslashes escaped.
std::string Escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      escaped += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      escaped += fmt::format("\\u{:04x}", static_cast<int>(c));
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string AsText(std::string_view message, std::initializer_list<LogField> fields) {
  std::string line(message);
  for (const auto& [key, value] : fields) {
    const bool quote = value.empty() || value.find_first_of(" \"=\n\t") != std::string::npos;
    line += ' ';
    line += key;
    line += '=';
    line += quote ? '"' + Escape(value) + '"' : value;
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
