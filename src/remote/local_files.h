// Files of the local store as ends of a transfer.
#pragma once

#include <string>

#include "base/digest.h"
#include "base/file_system.h"
#include "remote/remote.h"

namespace kache {

// Appends to a file, in large pieces, and digests what goes in.
class AppendingSink final : public Sink {
 public:
  AppendingSink(FileSystem& fs, std::string path) : fs_(fs), path_(std::move(path)) {}
  Status write(std::string_view bytes) override;
  Status flush();
  uint64_t size() const { return size_; }
  Digest digest() const { return hasher_.finish(); }
  bool has_failed() const { return has_failed_; }

 private:
  FileSystem& fs_;
  std::string path_, pending_;
  Hasher hasher_;
  uint64_t size_ = 0;
  bool has_failed_ = false;
};

class CountingSink final : public Sink {
 public:
  explicit CountingSink(Sink& next) : next_(next) {}
  Status write(std::string_view bytes) override {
    bytes_ += bytes.size();
    return next_.write(bytes);
  }
  uint64_t bytes() const { return bytes_; }

 private:
  Sink& next_;
  uint64_t bytes_ = 0;
};

class FileSource final : public Source {
 public:
  FileSource(FileSystem& fs, int handle, uint64_t size) : fs_(fs), handle_(handle), size_(size) {}
  uint64_t size() const override { return size_; }
  Status rewind() override {
    at_ = 0;
    return Ok{};
  }
  Result<size_t> read(char* buffer, size_t size) override;

 private:
  FileSystem& fs_;
  int handle_;
  uint64_t size_, at_ = 0;
};

struct PackedFile {
  uint64_t size = 0;  // of the packed file
  Digest digest;      // of what was packed
};
// A new file at `path` with the content of the open file, as one stream of zstd.
Result<PackedFile> compress_file(FileSystem& fs, int handle, const std::string& path, int level);

}  // namespace kache
