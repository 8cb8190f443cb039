#include "index/line_tail.h"

#include <algorithm>
#include <functional>

namespace kache {
namespace {

constexpr size_t kPiece = 1 << 20;
constexpr size_t kLongestLine = 16 << 20;  // of a file that has no lines

}  // namespace

Result<std::vector<std::string>> LineTail::poll() {
  std::vector<std::string> lines;
  Result<FileStat> now = fs_.stat(path_);
  if (!now.ok() && now.code() != ErrorCode::not_found) return std::move(now).error();
  bool is_other = now.ok() && file_.is_open() && (now->dev != dev_ || now->ino != ino_);
  if (file_.is_open()) (void)KACHE_TRY(drain(lines));
  if (is_other) {
    // Its last lines have been read, and nobody appends to it any more.
    file_.reset();
    begin_again();
  }
  if (now.ok() && !file_.is_open()) {
    (void)KACHE_TRY(open());
    if (file_.is_open()) (void)KACHE_TRY(drain(lines));
  }
  return lines;
}

Status LineTail::open() {
  Result<File> file = open_file(fs_, path_);
  if (!file.ok()) return file.code() == ErrorCode::not_found ? Status(Ok{}) : Status(std::move(file).error());
  FileStat stat = KACHE_TRY(fs_.stat_handle(file->handle()));
  dev_ = stat.dev;
  ino_ = stat.ino;
  file_ = std::move(*file);
  return Ok{};
}

void LineTail::begin_again() {
  before_ = std::move(seen_);
  seen_.clear();
  partial_.clear();
  offset_ = 0;
}

Status LineTail::drain(std::vector<std::string>& lines) {
  FileStat stat = KACHE_TRY(fs_.stat_handle(file_.handle()));
  if (stat.size < offset_) begin_again();
  std::string piece(kPiece, '\0');
  for (;;) {
    size_t got = KACHE_TRY(fs_.read_at(file_.handle(), offset_, piece.data(), piece.size()));
    if (got == 0) return Ok{};
    offset_ += got;
    std::string_view rest = std::string_view(piece).substr(0, got);
    for (size_t end; (end = rest.find('\n')) != std::string_view::npos; rest.remove_prefix(end + 1)) {
      partial_ += rest.substr(0, end);
      size_t hash = std::hash<std::string>()(partial_);
      if (seen_.insert(hash).second && !before_.contains(hash)) lines.push_back(std::move(partial_));
      partial_.clear();
    }
    if (partial_.size() + rest.size() <= kLongestLine) partial_ += rest;
  }
}

}  // namespace kache
