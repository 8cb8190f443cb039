// Http that answers from a table and keeps what it was asked.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "remote/http.h"

namespace kache {

class FakeHttp final : public Http {
 public:
  struct Asked {
    std::string method, url, body;
    std::vector<std::string> headers;
    bool is_signed = false;
    std::string access_key, secret_key, region, service;
    std::string user, password;
    bool has(const std::string& header) const { return std::find(headers.begin(), headers.end(), header) != headers.end(); }
  };
  struct Answer {
    int status = 404;
    std::string body;
    std::map<std::string, std::string> headers = {};
  };

  std::map<std::string, Answer> answers;            // by "GET https://host/path"; others get a 404
  std::function<Answer(const Asked&)> answer_with;  // instead of the table
  std::vector<Asked> requests;
  int delay_ms = 0;

  Result<HttpResponse> perform(const HttpRequest& request, const Limits& limits) override {
    if (delay_ms > 0) std::this_thread::sleep_for(std::chrono::milliseconds(delay_ms));
    Asked asked{request.method, request.url, "", request.headers, request.signature != nullptr, "", "", "", "", request.user, request.password};
    if (const AwsSignature* by = request.signature) {
      asked.access_key = by->access_key;
      asked.secret_key = by->secret_key;
      asked.region = by->region;
      asked.service = by->service;
    }
    if (request.body) {
      KACHE_TRY(request.body->rewind());
      asked.body.resize(request.body->size());
      KACHE_TRY(request.body->read(asked.body.data(), asked.body.size()));
    }
    std::lock_guard hold(mutex_);
    requests.push_back(asked);
    Answer answer = answer_with ? answer_with(asked) : answers[request.method + " " + request.url];
    if (answer.status < 200 || answer.status >= 300) return HttpResponse{answer.status, answer.headers, answer.body};
    if (answer.body.size() > limits.max_bytes) return Error{ErrorCode::too_large, 0, "too large"};
    if (request.sink) KACHE_TRY(request.sink->write(answer.body));
    return HttpResponse{answer.status, answer.headers, ""};
  }

 private:
  std::mutex mutex_;
};

}  // namespace kache
