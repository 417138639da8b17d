#include "crds/pod_request.h"

#include <algorithm>

#include "base/check.h"
#include "base/text.h"
#include "crds/fields.h"
#include "crds/keys.h"
#include "crds/vdcupartition.h"

namespace vdcu::crds {
namespace {

// What a pod can have, as all of it is on one node.
constexpr int kMaxCards = dcu::kMaxCardsPerNode;
constexpr int kMaxSlices = dcu::kMaxCardsPerNode * dcu::kMaxSlicesPerCard;
// Of one annotation, as spec.devices of a VDCUPartition is bounded.
constexpr size_t kMaxNames = 64;
constexpr size_t kMaxNameLength = 128;
constexpr size_t kMaxObjectName = 253;
// No program runs in less: such a number was meant in a larger unit.
constexpr int64_t kMinMemory = 64;  // MiB

// What one container says about one family; nullopt: nothing.
struct Amounts {
  std::optional<int64_t> count;
  std::optional<int64_t> memory;
  std::optional<int64_t> cores;

  bool any() const { return count || memory || cores; }
};

std::optional<int64_t> Amount(const kclient::Container& container, std::string_view resource) {
  for (const kclient::ResourceList* list : {&container.limits, &container.requests}) {
    if (const auto found = list->find(resource); found != list->end()) return found->second;
  }
  return std::nullopt;
}

Amounts AmountsOf(const kclient::Container& container, const ResourceNames& family) {
  return {.count = Amount(container, family.count),
          .memory = Amount(container, family.memory),
          .cores = Amount(container, family.cores)};
}

base::Error WrongLimits(std::string_view container, std::string_view what,
                        const std::string& right) {
  return base::Invalid("container " + std::string(container) + ": " + std::string(what) + ": " +
                       right);
}

std::string Said(std::string_view resource, int64_t amount) {
  return std::string(resource) + " " + std::to_string(amount);
}

base::Status CheckCount(const std::string& container, const ResourceNames& family,
                        const Amounts& asked) {
  const std::string part(asked.memory ? family.memory : family.cores);
  const bool has_part = asked.memory || asked.cores;
  if (!asked.count) {
    return WrongLimits(container, part, "set " + std::string(family.count) + ": 1 with it");
  }
  const std::string said = Said(family.count, *asked.count);
  if (*asked.count < 1 && has_part) {
    return WrongLimits(container, said, "must be 1, as " + part + " is set");
  }
  if (*asked.count > 1 && has_part) {
    return WrongLimits(
        container, said,
        "several cards are whole cards only; leave out " + part + ", or set it to 1");
  }
  if (*asked.count > kMaxCards) {
    return WrongLimits(container, said,
                       "at most " + std::to_string(kMaxCards) + ", the cards of a node");
  }
  return base::Ok();
}

base::Status CheckMemory(const std::string& container, std::string_view resource, int64_t amount,
                         MemoryUnit unit) {
  const int64_t least = std::max<int64_t>(1, kMinMemory / MiBOf(unit));
  const int64_t most = kMaxMemory.value / MiBOf(unit);
  if (amount >= least && amount <= most) return base::Ok();
  const bool gi = unit == MemoryUnit::kGi;
  return WrongLimits(container, Said(resource, amount),
                     std::string("counts ") + (gi ? "GiB" : "MiB") +
                         " (--memory-unit): must be a plain number from " + std::to_string(least) +
                         " to " + std::to_string(most) + ", for example " + (gi ? "2" : "2000"));
}

base::Status CheckParts(const std::string& container, const ResourceNames& family,
                        const Amounts& asked, MemoryUnit unit) {
  if (asked.memory) RETURN_IF_ERROR(CheckMemory(container, family.memory, *asked.memory, unit));
  if (asked.cores && (*asked.cores < 1 || *asked.cores > 100)) {
    return WrongLimits(container, Said(family.cores, *asked.cores),
                       "percent of a card: must be from 1 to 100");
  }
  return base::Ok();
}

// nullopt: the container asks for no card.
base::Result<std::optional<ContainerRequest>> ReadContainer(const kclient::Container& container,
                                                            MemoryUnit unit) {
  const ResourceNames* named = nullptr;
  for (const ResourceNames& family : kResourceNames) {
    if (!AmountsOf(container, family).any()) continue;
    if (named != nullptr) {
      return WrongLimits(container.name,
                         std::string(named->count) + " and " + std::string(family.count),
                         "two names of the same cards; use the resources of one of them");
    }
    named = &family;
  }
  if (named == nullptr) return std::optional<ContainerRequest>();
  const Amounts asked = AmountsOf(container, *named);
  RETURN_IF_ERROR(CheckCount(container.name, *named, asked));
  RETURN_IF_ERROR(CheckParts(container.name, *named, asked, unit));
  if (*asked.count < 1) return std::optional<ContainerRequest>();
  ContainerRequest request{.container = container.name, .slice = {}, .cards = 1};
  request.cards = static_cast<int>(*asked.count);
  if (asked.memory) request.slice.memory = dcu::MiB{*asked.memory * MiBOf(unit)};
  if (asked.cores) request.slice.percent = static_cast<int>(*asked.cores);
  return std::optional(std::move(request));
}

base::Status CheckInitContainer(const kclient::Container& container) {
  for (const ResourceNames& family : kResourceNames) {
    for (const std::string_view resource : {family.count, family.memory, family.cores}) {
      const int64_t amount = Amount(container, resource).value_or(0);
      if (amount == 0) continue;
      return WrongLimits(container.name, Said(resource, amount),
                         "init containers and sidecars may not ask for cards; ask in a container");
    }
  }
  return base::Ok();
}

std::string_view Annotation(const kclient::ObjectMeta& meta, std::string_view name) {
  const auto found = meta.annotations.find(name);
  return found == meta.annotations.end() ? std::string_view() : found->second;
}

std::string_view Annotation(const kclient::Pod& pod, std::string_view name) {
  return Annotation(pod.meta, name);
}

// The items of a comma list, without the blanks around them.
std::vector<std::string_view> Items(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\r";
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    item.remove_prefix(std::min(item.find_first_not_of(kBlank), item.size()));
    item = item.substr(0, item.find_last_not_of(kBlank) + 1);
    if (!item.empty()) items.push_back(item);
  }
  return items;
}

// Appends those that are not there yet: a VDCUPartition's lists are sets.
base::Status AddNames(const kclient::Pod& pod, std::string_view annotation,
                      std::vector<std::string>& names) {
  const auto wrong = [&](const std::string& what, size_t most) {
    return base::Invalid("annotation " + std::string(annotation) + ": " + what + ": at most " +
                         std::to_string(most));
  };
  for (const std::string_view item : Items(Annotation(pod, annotation))) {
    if (item.size() > kMaxNameLength) {
      return wrong(base::Quote(item) + ": a name of " + std::to_string(item.size()) + " characters",
                   kMaxNameLength);
    }
    if (std::find(names.begin(), names.end(), item) != names.end()) continue;
    if (names.size() == kMaxNames) {
      return wrong("more than " + std::to_string(kMaxNames) + " names", kMaxNames);
    }
    names.emplace_back(item);
  }
  return base::Ok();
}

base::Result<dcu::DeviceSelector> ReadSelector(const kclient::Pod& pod) {
  dcu::DeviceSelector devices;
  const std::pair<std::string_view, std::vector<std::string>*> annotations[] = {
      {"hygon.com/use-dcutype", &devices.model_parts},
      {"hygon.com/use-hcutype", &devices.model_parts},
      {"hygon.com/nouse-dcutype", &devices.exclude_model_parts},
      {"hygon.com/nouse-hcutype", &devices.exclude_model_parts},
      {"hygon.com/use-gpuuuid", &devices.uuids},
      {"hygon.com/use-hcuuuid", &devices.uuids},
      {"hygon.com/nouse-gpuuuid", &devices.exclude_uuids},
      {"hygon.com/nouse-hcuuuid", &devices.exclude_uuids}};
  for (const auto& [annotation, names] : annotations) {
    RETURN_IF_ERROR(AddNames(pod, annotation, *names));
  }
  return devices;
}

base::Error WrongAnnotation(std::string_view name, std::string_view value,
                            const std::string& right) {
  return base::Invalid("annotation " + std::string(name) + ": " + base::Quote(value) + ": " +
                       right);
}

bool IsObjectName(std::string_view name) {
  const auto is_alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= kMaxObjectName && is_alnum(name.front()) &&
         is_alnum(name.back()) && std::all_of(name.begin(), name.end(), [&](char c) {
           return is_alnum(c) || c == '-' || c == '.';
         });
}

// A reserved partition has its size and its card: a pod that names it says nothing else about them.
base::Status CheckPartition(const PodRequest& request, const dcu::DeviceSelector& devices) {
  const auto wrong = [&](const std::string& right) {
    return WrongAnnotation(kPartitionAnnotation, request.partition, right);
  };
  if (!IsObjectName(request.partition)) {
    return wrong("must be the name of a VDCUPartition in the pod's namespace");
  }
  if (request.containers.size() != 1) {
    return wrong("exactly one container must ask for it with " +
                 std::string(kResourceNames[0].count) + ": 1, and " +
                 std::to_string(request.containers.size()) + " ask for cards");
  }
  const ContainerRequest& asked = request.containers.front();
  if (asked.cards != 1) {
    return wrong("is one slice, and container " + asked.container + " asks for " +
                 std::to_string(asked.cards) + " cards; ask for 1");
  }
  if (!asked.slice.whole_card() || devices != dcu::DeviceSelector()) {
    return wrong(
        "the partition says how much of which card; leave out memory, cores and the annotations "
        "that select cards");
  }
  if (request.share == dcu::Sharing::kNamespace) {
    return wrong("the partition says with whom it shares its card, in spec.share; leave out " +
                 std::string(kShareAnnotation));
  }
  return base::Ok();
}

base::Status ReadAnnotations(const kclient::Pod& pod, PodRequest& request) {
  ASSIGN_OR_RETURN(const dcu::DeviceSelector devices, ReadSelector(pod));
  if (pod.meta.annotations.contains(kPolicyAnnotation)) {
    const std::string_view policy = Annotation(pod, kPolicyAnnotation);
    request.policy = ParsePolicy(policy);
    if (!request.policy) {
      return WrongAnnotation(kPolicyAnnotation, policy,
                             "must be BinPack, Spread or FragmentationAware");
    }
  }
  if (pod.meta.annotations.contains(kShareAnnotation)) {
    const std::string_view text = Annotation(pod, kShareAnnotation);
    const auto share = ParseSharing(text);
    if (!share) return WrongAnnotation(kShareAnnotation, text, "must be cluster or namespace");
    request.share = *share;
  }
  if (pod.meta.annotations.contains(kPartitionAnnotation)) {
    request.partition = Annotation(pod, kPartitionAnnotation);
    RETURN_IF_ERROR(CheckPartition(request, devices));
  }
  const base::Interned<dcu::DeviceSelector> shared(devices);
  for (ContainerRequest& container : request.containers) container.slice.devices = shared;
  return base::Ok();
}

// All of a pod is on one node: checked before anything is built for each card and slice.
base::Status CheckTogether(const std::vector<ContainerRequest>& containers) {
  int64_t cards = 0;
  int64_t slices = 0;
  for (const ContainerRequest& container : containers) {
    (container.slice.whole_card() ? cards : slices) += container.cards;
  }
  const auto check = [](int64_t count, const std::string& what, int most) -> base::Status {
    if (count <= most) return base::Ok();
    return base::Invalid("spec.containers: " + std::to_string(count) + " " + what +
                         " together: at most " + std::to_string(most) +
                         ", as one node has no more");
  };
  RETURN_IF_ERROR(check(cards, "whole cards", kMaxCards));
  return check(slices, "slices", kMaxSlices);
}

}  // namespace

bool IsPartResource(std::string_view resource) {
  return std::any_of(kResourceNames.begin(), kResourceNames.end(),
                     [&](const ResourceNames& family) {
                       return resource == family.memory || resource == family.cores;
                     });
}

bool IsDcuResource(std::string_view resource) {
  return IsPartResource(resource) ||
         std::any_of(kResourceNames.begin(), kResourceNames.end(),
                     [&](const ResourceNames& family) { return resource == family.count; });
}

bool AsksForCards(const kclient::Pod& pod) {
  return std::any_of(pod.requests.begin(), pod.requests.end(),
                     [](const auto& asked) { return IsDcuResource(asked.first); });
}

base::Result<PodRequest> ParsePodRequest(const kclient::Pod& pod, MemoryUnit memory) {
  CHECK(pod.scheduling != nullptr, "a pod that its kubelet has taken in asks for nothing any more");
  for (const kclient::Container& container : pod.scheduling->init_containers) {
    RETURN_IF_ERROR(CheckInitContainer(container));
  }
  PodRequest request;
  for (const kclient::Container& container : pod.scheduling->containers) {
    ASSIGN_OR_RETURN(auto asked, ReadContainer(container, memory));
    if (asked) request.containers.push_back(std::move(*asked));
  }
  RETURN_IF_ERROR(CheckTogether(request.containers));
  RETURN_IF_ERROR(ReadAnnotations(pod, request));
  return request;
}

std::string_view NamedPartition(const kclient::ObjectMeta& pod) {
  return Annotation(pod, kPartitionAnnotation);
}

std::string_view BoundPartition(const kclient::ObjectMeta& pod) {
  const std::string_view text = Annotation(pod, kBoundPartitionAnnotation);
  const size_t slash = text.find('/');
  const bool of_this_pod = slash != std::string_view::npos && text.substr(slash + 1) == pod.uid;
  return of_this_pod ? text.substr(0, slash) : std::string_view();
}

std::string BoundPartitionText(std::string_view partition, std::string_view pod_uid) {
  return std::string(partition) + "/" + std::string(pod_uid);
}

}  // namespace vdcu::crds
