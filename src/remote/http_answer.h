// What an HTTP answer means, for the engines that speak HTTP.
#pragma once

#include <string>
#include <string_view>

#include "remote/http.h"

namespace kache {

inline bool is_success(int status) { return status >= 200 && status < 300; }

// REQUIRES: !is_success(). The error of a status, with the time that the server asks to wait where it names one.
// `said` is what the server adds in its own words, "" where there is nothing fit to be shown.
Error status_error(std::string_view what, const HttpResponse& response, std::string_view said = {});

// Counts what arrives, and knows how much was announced.
class AnswerSink final : public Sink {
 public:
  explicit AnswerSink(Sink& to) : to_(to) {}
  Status write(std::string_view bytes) override {
    count_ += bytes.size();
    return to_.write(bytes);
  }
  // `io` when the answer is shorter or longer than its Content-Length.
  Status check_length(std::string_view what, const HttpResponse& response) const;

 private:
  Sink& to_;
  uint64_t count_ = 0;
};

std::string header_of(const HttpResponse& response, const std::string& name);  // "" where there is none

// At most 100 printable bytes of what a server says, on one line.
std::string one_line(std::string_view text);

}  // namespace kache
