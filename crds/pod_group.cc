#include "crds/pod_group.h"

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "crds/keys.h"

namespace vdcu::crds {

namespace {

constexpr std::string_view kKueueName = "kueue.x-k8s.io/pod-group-name";
constexpr size_t kMaxLabelValue = 63;  // of a label's value

std::string_view ValueOf(const kclient::Labels& labels, std::string_view key) {
  const auto found = labels.find(key);
  return found == labels.end() ? std::string_view() : found->second;
}

// One pair, as the pod says it.
struct Said {
  std::string name_key;  // "annotation vdcu.io/group"
  std::string size_key;
  bool has_name = false;
  bool has_size = false;
  std::string_view name;
  std::string_view size;
};

Said SaidByAnnotations(const kclient::ObjectMeta& pod) {
  return {"annotation " + std::string(kGroupAnnotation),
          "annotation " + std::string(kGroupSizeAnnotation),
          pod.annotations.contains(kGroupAnnotation),
          pod.annotations.contains(kGroupSizeAnnotation),
          ValueOf(pod.annotations, kGroupAnnotation),
          ValueOf(pod.annotations, kGroupSizeAnnotation)};
}

Said SaidForKueue(const kclient::ObjectMeta& pod) {
  return {"label " + std::string(kKueueName), "annotation " + std::string(kKueueSizeAnnotation),
          pod.labels.contains(kKueueName),    pod.annotations.contains(kKueueSizeAnnotation),
          ValueOf(pod.labels, kKueueName),    ValueOf(pod.annotations, kKueueSizeAnnotation)};
}

base::Error WrongAnnotation(const std::string& key, std::string_view value,
                            const std::string& right) {
  return base::Invalid(key + ": " + base::Quote(value) + ": " + right);
}

bool IsLabelValue(std::string_view text) {
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= kMaxLabelValue && is_alnum(text.front()) &&
         is_alnum(text.back()) && std::all_of(text.begin(), text.end(), [&](char c) {
           return is_alnum(c) || c == '-' || c == '_' || c == '.';
         });
}

std::optional<int> ReadSize(std::string_view text) {
  int size = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  const bool plain = error == std::errc() && end == text.data() + text.size() && size >= 1 &&
                     size <= kMaxGroupSize && text.front() != '0';
  return plain ? std::optional(size) : std::nullopt;
}

// Nothing: the pod says neither.
base::Result<std::optional<PodGroup>> Read(const Said& said) {
  if (!said.has_name && !said.has_size) return std::optional<PodGroup>();
  if (!said.has_name) {
    return WrongAnnotation(
        said.size_key, said.size,
        "set " + said.name_key + " with it, the name that all pods of the group have");
  }
  if (!IsLabelValue(said.name)) {
    return WrongAnnotation(
        said.name_key, said.name,
        "must be 1 to " + std::to_string(kMaxLabelValue) +
            " characters, letters, digits, -, _ and ., the first and last a letter or "
            "digit");
  }
  const std::string right =
      "a whole number from 1 to " + std::to_string(kMaxGroupSize) + ", the pods of the group";
  if (!said.has_size) {
    return WrongAnnotation(said.name_key, said.name, "set " + said.size_key + " with it, " + right);
  }
  const auto size = ReadSize(said.size);
  if (!size) return WrongAnnotation(said.size_key, said.size, "must be " + right);
  return std::optional(PodGroup{std::string(said.name), *size});
}

}  // namespace

std::string_view GroupName(const kclient::ObjectMeta& pod) {
  const std::string_view name = ValueOf(pod.annotations, kGroupAnnotation);
  return name.empty() ? ValueOf(pod.labels, kKueueName) : name;
}

base::Result<std::optional<PodGroup>> ParsePodGroup(const kclient::ObjectMeta& pod) {
  const Said said = SaidByAnnotations(pod);
  ASSIGN_OR_RETURN(const auto own, Read(said));
  const Said kueue = SaidForKueue(pod);
  ASSIGN_OR_RETURN(const auto kueues, Read(kueue));
  if (own && kueues && own->name != kueues->name) {
    return WrongAnnotation(said.name_key, own->name,
                           kueue.name_key + " says " + base::Quote(kueues->name) +
                               "; leave out one of them, or say the same");
  }
  if (own && kueues && own->size != kueues->size) {
    return WrongAnnotation(said.size_key, said.size,
                           kueue.size_key + " says " + base::Quote(kueue.size) +
                               "; leave out one of them, or say the same");
  }
  const auto& group = own ? own : kueues;
  if (group && pod.annotations.contains(kPartitionAnnotation)) {
    return WrongAnnotation(own ? said.name_key : kueue.name_key, group->name,
                           "pods of a group are given slices of their own; leave out annotation " +
                               std::string(kPartitionAnnotation));
  }
  return group;
}

}  // namespace vdcu::crds
