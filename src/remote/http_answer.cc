#include "remote/http_answer.h"

#include <algorithm>
#include <charconv>
#include <iterator>

namespace kache {
namespace {

struct StatusRow {
  int status;
  ErrorCode code;
  std::string_view text;
};
constexpr StatusRow kStatuses[] = {
    {301, ErrorCode::invalid, "it has moved; write its new URL into the settings"},
    {302, ErrorCode::invalid, "it is elsewhere; write that URL into the settings"},
    {307, ErrorCode::invalid, "it is elsewhere; write that URL into the settings"},
    {308, ErrorCode::invalid, "it has moved; write its new URL into the settings"},
    {401, ErrorCode::denied, "credentials are missing or wrong"},
    {403, ErrorCode::denied, "the credentials do not allow it"},
    {404, ErrorCode::not_found, "not there"},
    {407, ErrorCode::denied, "the proxy wants credentials"},
    {408, ErrorCode::io, "the server waited too long"},
    {410, ErrorCode::not_found, "not there"},
    {413, ErrorCode::too_large, "too large for the server"},
    {429, ErrorCode::io, "too many requests"},
    {507, ErrorCode::no_space, "the server has no space left"},
};

}  // namespace

std::string header_of(const HttpResponse& response, const std::string& name) {
  auto found = response.headers.find(name);
  return found == response.headers.end() ? "" : found->second;
}

std::string one_line(std::string_view text) {
  std::string out(text.substr(0, 100));
  for (char& c : out) {
    if (c < 0x20 || c > 0x7e) c = '?';
  }
  return out;
}

Error status_error(std::string_view what, const HttpResponse& response, std::string_view said) {
  auto row = std::find_if(std::begin(kStatuses), std::end(kStatuses), [&](const StatusRow& one) { return one.status == response.status; });
  // Of what is no trouble of the server nothing changes by asking again.
  ErrorCode code = row != std::end(kStatuses) ? row->code : response.status >= 500 && response.status < 600 ? ErrorCode::io : ErrorCode::corrupt;
  std::string message = std::string(what) + ": status " + std::to_string(response.status);
  if (row != std::end(kStatuses)) message.append(", ").append(row->text);
  if (!said.empty()) message += " (" + one_line(said) + ")";
  std::string wait = header_of(response, "retry-after");
  bool is_number = !wait.empty() && wait.size() < 7 && std::all_of(wait.begin(), wait.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) message += ", to be tried again in " + wait + " s";
  return {code, 0, std::move(message)};
}

Status AnswerSink::check_length(std::string_view what, const HttpResponse& response) const {
  std::string text = header_of(response, "content-length");
  if (text.empty()) return Ok{};
  uint64_t announced = 0;
  auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), announced);
  if (failed != std::errc() || end != text.data() + text.size()) return Error{ErrorCode::corrupt, 0, std::string(what) + ": Content-Length is no number"};
  if (announced == count_) return Ok{};
  return Error{ErrorCode::io, 0, std::string(what) + ": " + std::to_string(count_) + " bytes of " + std::to_string(announced) + " arrived"};
}

}  // namespace kache
