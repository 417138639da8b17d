#include "node/node_lease.h"

#include <utility>

#include "base/log.h"
#include "kclient/lease.h"

namespace vdcu::node {

namespace {

constexpr base::Duration kRenewInterval{10'000};
constexpr base::Duration kRetry{1'000};

}  // namespace

NodeLease::NodeLease(kclient::Client& client, base::Loop& loop, std::string ns, std::string node)
    : client_(client),
      loop_(loop),
      ns_(std::move(ns)),
      node_(std::move(node)),
      timer_(loop.MakeTimer([this] { uid_.empty() ? Read() : Renew(); })) {}

void NodeLease::Read() {
  call_ = client_.Get(kclient::kLeases, ns_, node_, [this](const auto& lease) { OnRead(lease); });
}

void NodeLease::OnRead(const base::Result<kclient::JsonView>& lease) {
  if (!lease && lease.error().code != base::ErrorCode::kNotFound) return RetryLater(lease.error());
  if (lease) {
    const auto read = kclient::ParseLease(*lease);
    if (!read) return RetryLater(read.error());
    uid_ = read->uid;
    return Renew();
  }
  const nlohmann::json spec{{"holderIdentity", node_},
                            {"renewTime", base::FormatMicroTime(loop_.clock().Wall())}};
  call_ = client_.Apply(
      kclient::MakeCreate(kclient::kLeases, ns_, node_, nlohmann::json{{"spec", spec}}),
      [this](const auto& created) { OnWritten(created); });
}

void NodeLease::Renew() {
  const nlohmann::json patch{
      {"spec", {{"renewTime", base::FormatMicroTime(loop_.clock().Wall())}}}};
  call_ = client_.Apply(kclient::MakePatch(kclient::kLeases, ns_, node_, "", patch, uid_, ""),
                        [this](const auto& renewed) { OnWritten(renewed); });
}

void NodeLease::OnWritten(const base::Result<kclient::JsonView>& lease) {
  if (!lease) return RetryLater(lease.error());
  const auto read = kclient::ParseLease(*lease);
  if (!read) return RetryLater(read.error());
  uid_ = read->uid;
  if (std::exchange(failed_, false)) base::Log(base::Level::kInfo, "this node's Lease is renewed");
  timer_->Start(kRenewInterval);
}

void NodeLease::RetryLater(const base::Error& error) {
  if (!std::exchange(failed_, true)) {
    base::Log(base::Level::kWarning, "cannot renew this node's Lease, will try again",
              {{"lease", ns_ + "/" + node_}, {"error", error.message}});
  }
  uid_.clear();
  timer_->Start(kRetry);
}

}  // namespace vdcu::node
