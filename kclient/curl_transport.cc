#include "kclient/curl_transport.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/log.h"
#include "kclient/credentials.h"
#include "kclient/curl_handles.h"
#include "kclient/curl_multi.h"
#include "kclient/curl_transfer.h"
#include "kclient/exec_credentials.h"

namespace vdcu::kclient {

namespace {

using base::Error;
using base::ErrorCode;
using base::Result;
using std::chrono::seconds;

constexpr seconds kTick{1};
constexpr seconds kSilence{10};
constexpr seconds kProbeTimeout{10};
// libcurl keeps the time-outs, but not of a transfer that waits for another one's connection.
constexpr seconds kOverdue{1};
// An API server takes 100 streams a connection (k8s.io/apiserver, secure_serving.go); a request
// more would open another connection. Watches and the probe have the rest.
constexpr size_t kMostSends = 80;

// Of the handshake, so that no request was sent.
bool IsTlsFailure(CURLcode code) {
  return code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR ||
         code == CURLE_SSL_CERTPROBLEM || code == CURLE_SSL_CACERT_BADFILE;
}

}  // namespace

class CurlTransport::Session {
 public:
  Session(base::UvLoop& loop, const Config& config, const std::string& user_agent)
      : loop_(loop),
        credentials_(config),
        exec_(loop, [this] { ReleaseHeld(); }),
        handles_(user_agent),
        tick_(loop.MakeTimer([this] { OnTick(); })) {
    UseCredentials();
    Connect();
  }
  ~Session() {
    waiting_.clear();
    while (!transfers_.empty()) Cancel(transfers_.begin()->first);
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // A send may wait for others to end; a stream and the probe (an urgent send) go out at once.
  enum class Kind { kSend, kUrgentSend, kStream };
  CallPtr Start(Kind kind, HttpRequest request, DataCallback on_data, ResponseCallback on_end);
  std::vector<std::string> NotReady() const;

 private:
  class SessionCall : public Call {
   public:
    SessionCall(Session& session, uint64_t id) : session_(session), id_(id) {}
    ~SessionCall() override { session_.Cancel(id_); }
    SessionCall(const SessionCall&) = delete;
    SessionCall& operator=(const SessionCall&) = delete;

   private:
    Session& session_;
    const uint64_t id_;
  };

  void Connect();
  void Begin(Transfer& transfer);
  void ReleaseHeld();
  void Launch(Transfer& transfer);
  void LaunchWaiting();
  void Detach(Transfer& transfer);
  void Cancel(uint64_t id);
  void OnTurn(const CurlMulti::Finished& finished);
  void Finish(Transfer& transfer, CURLcode code);
  void NoteStatus(int status);
  void UseCredentials();
  bool SendAgain(Transfer& transfer);
  void End(Transfer& transfer, Result<HttpResponse> result);
  Error NoAnswer(const Transfer& transfer, std::string_view why) const;
  void Deliver();
  void DeliverData(Transfer& transfer);
  void OnTick();
  void EndOverdue(base::TimePoint now);
  void Probe();
  void Reconnect();

  base::UvLoop& loop_;
  Credentials credentials_;
  ExecCredentials exec_;
  CurlHandles handles_;
  const base::TimerPtr tick_;  // armed while there are transfers
  std::unique_ptr<CurlMulti> multi_;
  std::map<uint64_t, std::unique_ptr<Transfer>> transfers_;
  uint64_t last_id_ = 0;
  std::deque<uint64_t> held_;     // until there are credentials; may name some that are gone
  std::deque<uint64_t> waiting_;  // sends not with libcurl yet; may name some that are gone
  size_t sends_ = 0;              // sends with libcurl, at most kMostSends
  CurlTurn turn_;
  // Since when nothing has come though something is awaited.
  std::optional<base::TimePoint> silent_since_;
  std::optional<base::TimePoint> refused_since_;  // by 401, each time
  CallPtr probe_;
  bool connection_dead_ = false;
};

void CurlTransport::Session::Connect() {
  multi_ = std::make_unique<CurlMulti>(
      loop_, [this](const CurlMulti::Finished& finished) { OnTurn(finished); });
}

CallPtr CurlTransport::Session::Start(Kind kind, HttpRequest request, DataCallback on_data,
                                      ResponseCallback on_end) {
  const base::TimePoint now = loop_.clock().Now();
  auto owned = std::make_unique<Transfer>();
  Transfer& transfer = *owned;
  transfer.id = ++last_id_;
  transfer.deadline = now + request.timeout;
  transfer.request = std::move(request);
  transfer.is_stream = kind == Kind::kStream;
  transfer.is_counted = kind == Kind::kSend;
  transfer.on_data = std::move(on_data);
  transfer.on_end = std::move(on_end);
  transfer.turn = &turn_;
  transfers_.emplace(transfer.id, std::move(owned));
  credentials_.Refresh(now);
  UseCredentials();
  if (exec_.Ready()) {
    Begin(transfer);
    LaunchWaiting();
  } else {
    held_.push_back(transfer.id);
    exec_.Run();
  }
  // A plugin that is not run again so soon has given its answer.
  if (!exec_.Ready() && !exec_.running()) tick_->Start(seconds(0));
  if (!tick_->armed()) tick_->Start(kTick);
  return std::make_unique<SessionCall>(*this, transfer.id);
}

void CurlTransport::Session::Begin(Transfer& transfer) {
  if (transfer.is_counted) {
    waiting_.push_back(transfer.id);
  } else {
    Launch(transfer);
  }
}

void CurlTransport::Session::ReleaseHeld() {
  UseCredentials();
  if (!exec_.Ready() && !exec_.failure() && !held_.empty()) exec_.Run();
  if (exec_.running()) return;
  for (const uint64_t id : std::exchange(held_, {})) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end() || found->second->result) continue;
    if (exec_.Ready()) {
      Begin(*found->second);
    } else {
      End(*found->second, base::WithContext(*exec_.failure(), "credentials"));
    }
  }
  LaunchWaiting();
  Deliver();
}

std::vector<std::string> CurlTransport::Session::NotReady() const {
  if (exec_.failure()) return {"no credentials: " + exec_.failure()->message};
  if (!refused_since_) return {};
  const auto length =
      std::chrono::duration_cast<seconds>(loop_.clock().Now() - *refused_since_).count();
  return {"the API server has refused our token or client certificate (401) for " +
          std::to_string(length) + " s"};
}

void CurlTransport::Session::LaunchWaiting() {
  while (sends_ < kMostSends && !waiting_.empty()) {
    const auto found = transfers_.find(waiting_.front());
    waiting_.pop_front();
    if (found != transfers_.end() && !found->second->result) Launch(*found->second);
  }
}

void CurlTransport::Session::Launch(Transfer& transfer) {
  if (transfer.is_counted) ++sends_;
  if (!silent_since_) silent_since_ = loop_.clock().Now();
  const base::Duration left = transfer.deadline - loop_.clock().Now();
  transfer.endpoint = handles_.endpoint();
  transfer.headers = handles_.Headers(transfer.request.content_type);
  transfer.easy = handles_.Take(transfer.request, transfer.headers);
  ConnectToCurl(transfer, std::max(left, base::Duration(1)));
  multi_->Add(transfer.easy);
}

void CurlTransport::Session::Detach(Transfer& transfer) {
  CURL* easy = std::exchange(transfer.easy, nullptr);
  if (easy == nullptr) return;
  if (transfer.is_counted) --sends_;
  multi_->Remove(easy);
  handles_.GiveBack(easy, transfer.endpoint);
}

void CurlTransport::Session::Cancel(uint64_t id) {
  const auto found = transfers_.find(id);
  if (found == transfers_.end()) return;
  Detach(*found->second);
  ForgetAnswer(*found->second);
  transfers_.erase(found);
  LaunchWaiting();
}

void CurlTransport::Session::OnTurn(const CurlMulti::Finished& finished) {
  for (const auto& [easy, code] : finished) Finish(TransferOf(easy), code);
  LaunchWaiting();
  Deliver();
  if (!std::exchange(turn_.got_bytes, false)) return;
  silent_since_.reset();
  if (!transfers_.empty()) silent_since_ = loop_.clock().Now();
}

void CurlTransport::Session::Finish(Transfer& transfer, CURLcode code) {
  long status = 0;
  curl_easy_getinfo(transfer.easy, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  Detach(transfer);
  if (!transfer.too_long.empty()) {
    ForgetAnswer(transfer);
    return End(transfer,
               Error{ErrorCode::kNoCapacity, transfer.request.method + " " + transfer.request.path +
                                                 ": " + transfer.too_long});
  }
  const bool refused = code == CURLE_OK ? status == 401 : IsTlsFailure(code);
  if (refused && SendAgain(transfer)) return;
  if (code == CURLE_OK) NoteStatus(transfer.response.status);
  if (code != CURLE_OK) {
    const char* why = transfer.error[0] != 0 ? transfer.error.data() : curl_easy_strerror(code);
    return End(transfer, NoAnswer(transfer, why));
  }
  End(transfer, std::move(transfer.response));
}

void CurlTransport::Session::UseCredentials() {
  exec_.Use(credentials_.config());
  const bool in_use =
      handles_.endpoint() != nullptr && handles_.endpoint()->config == exec_.config();
  if (!in_use) handles_.Use(exec_.config());
}

// What is broken behind the authentication says nothing about it.
void CurlTransport::Session::NoteStatus(int status) {
  if (status == 401) {
    if (!refused_since_) refused_since_ = loop_.clock().Now();
  } else if (status < 500) {
    refused_since_.reset();
  }
}

// Once, where files or plugin have other credentials than it was sent with: nothing was carried
// out.
bool CurlTransport::Session::SendAgain(Transfer& transfer) {
  credentials_.OnRefused();
  UseCredentials();
  if (transfer.sent_again) return false;
  const bool other = transfer.endpoint != handles_.endpoint();
  if (!other && !exec_.OnRefused(transfer.endpoint->config)) return false;
  transfer.sent_again = true;
  ForgetAnswer(transfer);
  transfer.error = {};
  if (exec_.Ready()) {
    Launch(transfer);
  } else {
    held_.push_back(transfer.id);
    exec_.Run();
  }
  return true;
}

void CurlTransport::Session::End(Transfer& transfer, Result<HttpResponse> result) {
  Detach(transfer);
  transfer.result = std::move(result);
  turn_.ready.push_back(transfer.id);
}

Error CurlTransport::Session::NoAnswer(const Transfer& transfer, std::string_view why) const {
  return {ErrorCode::kUnavailable,
          transfer.request.method + " " + handles_.server() + transfer.request.path + ": " +
              std::string(why),
          {}};
}

void CurlTransport::Session::Deliver() {
  while (!turn_.ready.empty()) {
    const uint64_t id = turn_.ready.front();
    turn_.ready.pop_front();
    auto found = transfers_.find(id);
    if (found == transfers_.end()) continue;
    if (found->second->begins || !found->second->data.empty()) DeliverData(*found->second);
    found = transfers_.find(id);
    if (found == transfers_.end() || !found->second->result) continue;
    const auto transfer = std::move(found->second);
    transfers_.erase(found);
    ForgetAnswer(*transfer);
    transfer->on_end(std::move(*transfer->result));
  }
}

// The callback may cancel the transfer, so it runs from the stack.
void CurlTransport::Session::DeliverData(Transfer& transfer) {
  const uint64_t id = transfer.id;
  transfer.begins = false;
  const std::string data = std::exchange(transfer.data, {});
  auto on_data = std::move(transfer.on_data);
  on_data(data);
  if (const auto found = transfers_.find(id); found != transfers_.end()) {
    found->second->on_data = std::move(on_data);
  }
}

void CurlTransport::Session::OnTick() {
  const base::TimePoint now = loop_.clock().Now();
  if (std::exchange(connection_dead_, false)) Reconnect();
  ReleaseHeld();
  EndOverdue(now);
  LaunchWaiting();
  Deliver();
  if (transfers_.empty()) return;
  tick_->Start(kTick);
  if (probe_ == nullptr && silent_since_ && now - *silent_since_ >= kSilence) Probe();
}

void CurlTransport::Session::EndOverdue(base::TimePoint now) {
  for (const auto& [id, transfer] : transfers_) {
    if (transfer->result || now < transfer->deadline + kOverdue) continue;
    End(*transfer, NoAnswer(*transfer, "no answer in time"));
  }
}

void CurlTransport::Session::Probe() {
  HttpRequest request;
  request.path = "/version";
  request.timeout = kProbeTimeout;
  probe_ =
      Start(Kind::kUrgentSend, std::move(request), nullptr, [this](Result<HttpResponse> response) {
        probe_.reset();
        if (response) return;
        // The connections cannot go while libcurl's turn is being delivered.
        connection_dead_ = true;
        tick_->Start(seconds(0));
      });
}

void CurlTransport::Session::Reconnect() {
  base::Log(base::Level::kWarning, "the API server is silent, making a new connection",
            {{"server", handles_.server()}, {"calls", std::to_string(transfers_.size())}});
  for (const auto& [id, transfer] : transfers_) {
    if (transfer->easy == nullptr) continue;
    End(*transfer, NoAnswer(*transfer,
                            "the server is silent: no byte in 10 s, then no answer to "
                            "GET /version in 10 s"));
  }
  silent_since_.reset();
  multi_.reset();
  Connect();
}

CurlTransport::CurlTransport(base::UvLoop& loop, const Config& config,
                             const std::string& user_agent)
    : session_(std::make_unique<Session>(loop, config, user_agent)) {}

CurlTransport::~CurlTransport() = default;

std::vector<std::string> CurlTransport::NotReady() const { return session_->NotReady(); }

CallPtr CurlTransport::Send(HttpRequest request, ResponseCallback on_done) {
  return session_->Start(Session::Kind::kSend, std::move(request), nullptr, std::move(on_done));
}

CallPtr CurlTransport::Stream(HttpRequest request, DataCallback on_data, ResponseCallback on_end) {
  return session_->Start(Session::Kind::kStream, std::move(request), std::move(on_data),
                         std::move(on_end));
}

}  // namespace vdcu::kclient
