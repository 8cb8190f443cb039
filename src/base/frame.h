// The frame of kache's small files: magic, payload, checksum. A file that does not pass is as good as absent.
#pragma once

#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace kache {

// `magic` has eight bytes and ends in the version of the format.
inline std::string seal_frame(std::string_view magic, std::string_view payload) {
  std::string out(magic);
  out += payload;
  Digest check = digest_bytes(out);
  out.append(reinterpret_cast<const char*>(check.bytes.data()), 16);
  return out;
}

// The payload, as a view into `bytes`.
inline Result<std::string_view> open_frame(std::string_view magic, std::string_view bytes) {
  if (bytes.size() < magic.size() + 16 || !bytes.starts_with(magic)) {
    return Error{ErrorCode::corrupt, 0, "not a file of this kind or version"};
  }
  std::string_view covered = bytes.substr(0, bytes.size() - 16);
  Digest check = digest_bytes(covered);
  if (std::memcmp(check.bytes.data(), bytes.data() + covered.size(), 16) != 0) {
    return Error{ErrorCode::corrupt, 0, "checksum does not match"};
  }
  return covered.substr(magic.size());
}

}  // namespace kache
