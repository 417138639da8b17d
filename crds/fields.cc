#include "crds/fields.h"

#include <limits>
#include <utility>

#include "crds/spelling.h"
#include "kclient/core/quantity.h"
#include "kclient/core/uid.h"

namespace vdcu::crds {

base::Result<dcu::MiB> ParseMemory(std::string_view text) {
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) {
    const bool whole = !text.empty() && text.find('.') == std::string_view::npos;
    return base::Invalid("write a unit, for example " + (whole ? std::string(text) : "2000") +
                         "Mi");
  }
  const auto bytes = kclient::ParseQuantity(text);
  if (!bytes || *bytes < 0 || *bytes % dcu::kBytesPerMiB != 0 ||
      *bytes / dcu::kBytesPerMiB > kMaxMemory.value) {
    return base::Invalid("must be whole MiB from 0Mi to 1Ti, for example 2000Mi or 2Gi");
  }
  return dcu::MiB{*bytes / dcu::kBytesPerMiB};
}

std::string_view ToString(dcu::Sharing share) { return Spell(kSharings, share); }

std::optional<dcu::Sharing> ParseSharing(std::string_view text) { return Read(kSharings, text); }

std::string MemoryText(dcu::MiB memory) { return std::to_string(memory.value) + "Mi"; }

std::string Fields::String(std::string_view key) {
  const auto value = kclient::Get(object_, key);
  if (!value) return "";
  const auto text = value->String();
  if (!text) Fail(key, "must be a string");
  return std::string(text.value_or(""));
}

std::string Fields::Required(std::string_view key) {
  std::string text = String(key);
  if (text.empty()) Fail(key, "must not be empty");
  return text;
}

std::string Fields::Uid(std::string_view key) {
  std::string text = String(key);
  if (!text.empty() && !kclient::IsUid(text)) {
    Fail(key, "must be a UID: 1 to 64 letters, digits and \"-\"");
  }
  return text;
}

std::string Fields::RequiredUid(std::string_view key) {
  std::string text = Uid(key);
  if (text.empty()) Fail(key, "must not be empty");
  return text;
}

std::optional<int> Fields::Int(std::string_view key, int least, int most) {
  const auto value = kclient::Get(object_, key);
  if (!value) return std::nullopt;
  const auto number = value->Int();
  if (!number || *number < least || *number > most) {
    Fail(key, most == std::numeric_limits<int>::max()
                  ? "must be a whole number, at least " + std::to_string(least)
                  : "must be a whole number from " + std::to_string(least) + " to " +
                        std::to_string(most));
    return std::nullopt;
  }
  return static_cast<int>(*number);
}

int Fields::RequiredInt(std::string_view key, int least, int most) {
  if (!kclient::Get(object_, key)) Fail(key, "must be there");
  return Int(key, least, most).value_or(least);
}

bool Fields::RequiredBool(std::string_view key) {
  const auto value = kclient::GetBool(object_, key);
  if (!value) Fail(key, "must be true or false");
  return value.value_or(false);
}

std::optional<dcu::MiB> Fields::Memory(std::string_view key) {
  const auto value = kclient::Get(object_, key);
  if (!value) return std::nullopt;
  const auto text = value->String();
  const auto memory = ParseMemory(text ? std::string(*text) : value->Text());
  if (!memory) {
    Fail(key, memory.error().message);
    return std::nullopt;
  }
  return *memory;
}

dcu::MiB Fields::RequiredMemory(std::string_view key) {
  if (!kclient::Get(object_, key)) Fail(key, "must be there");
  return Memory(key).value_or(dcu::MiB{});
}

dcu::Sharing Fields::Sharing(std::string_view key) {
  if (!kclient::Get(object_, key)) return dcu::Sharing::kCluster;
  const auto share = ParseSharing(String(key));
  if (!share) Fail(key, "must be cluster or namespace");
  return share.value_or(dcu::Sharing::kNamespace);
}

std::vector<std::string> Fields::Strings(std::string_view key) {
  std::vector<std::string> strings;
  kclient::ForEach(object_, key, [&](kclient::JsonView element) {
    const std::string_view text = element.String().value_or("");
    if (text.empty()) Fail(key, "must be a list of strings, none empty");
    strings.emplace_back(text);
  });
  return strings;
}

std::vector<int> Fields::Ints(std::string_view key, int least, int most) {
  std::vector<int> numbers;
  kclient::ForEach(object_, key, [&](kclient::JsonView element) {
    const auto number = element.Int();
    if (!number || *number < least || *number > most) {
      return Fail(key, "must be a list of whole numbers from " + std::to_string(least) + " to " +
                           std::to_string(most));
    }
    numbers.push_back(static_cast<int>(*number));
  });
  return numbers;
}

std::optional<Fields> Fields::Object(std::string_view key) {
  const auto value = kclient::Get(object_, key);
  if (!value) return std::nullopt;
  if (!value->IsObject()) Fail(key, "must be an object");
  return Fields(*value, PathOf(key), status_);
}

void Fields::Fail(std::string_view key, std::string_view message) {
  if (!status_) return;
  std::string text = PathOf(key) + ": ";
  if (const auto value = kclient::Get(object_, key)) text += value->Text() + ": ";
  status_ = base::Corrupt(text.append(message));
}

std::string Fields::PathOf(std::string_view key) const {
  return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

}  // namespace vdcu::crds
