// The process's one logger: constant messages with key=value pairs behind them, as text or as JSON
// lines, to standard error.
//
//   Log(Level::kInfo, "bound", {{"pod", key}, {"node", node}});
// Secrets are never passed here. Threads: any.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace vdcu::base {

enum class Level { kDebug, kInfo, kWarning, kError };
enum class LogFormat { kText, kJson };

// Once, at start. Without it: text, from kInfo on.
void SetUpLogging(Level least, LogFormat format);

using LogField = std::pair<std::string_view, std::string>;
void Log(Level level, std::string_view message, std::initializer_list<LogField> fields = {});

}  // namespace vdcu::base
