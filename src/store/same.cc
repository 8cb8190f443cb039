#include "store/same.h"

#include <iterator>

#include "store/publish.h"
#include "store/framing.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KSAME001";
constexpr std::string_view kExtensions[] = {".gch", ".pch", ".gcm", ".pcm", ".ifc"};

}  // namespace

bool is_remade_otherwise(std::string_view path) {
  for (std::string_view extension : kExtensions) {
    if (path.ends_with(extension)) return true;
  }
  return false;
}

Digest origin_of(FileSystem& fs, const StoreLayout& layout, const Digest& content) {
  Result<std::string> bytes = read_file(fs, layout.same(content), 256);
  if (!bytes.ok()) return content;
  Result<std::string_view> payload = open_frame(kMagic, *bytes);
  if (!payload.ok()) return content;
  ByteReader in(*payload);
  Digest named = in.digest(), origin = in.digest();
  return in.ok() && in.at_end() && named == content ? origin : content;
}

Status note_origin(FileSystem& fs, const StoreLayout& layout, const Digest& content, const Digest& origin) {
  ByteWriter out;
  out.digest(content);
  out.digest(origin);
  std::string temporary = temporary_beside(layout.temporary() + "/same");
  KACHE_TRY(fs.create(temporary, seal_frame(kMagic, out.bytes()), 0600));
  Status placed = rename_into_shard(fs, temporary, layout.same(content));
  if (!placed.ok()) (void)fs.unlink(temporary);
  return placed;
}

}  // namespace kache
