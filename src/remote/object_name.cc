#include "remote/object_name.h"

#include <algorithm>
#include <iterator>

namespace kache {
namespace {

constexpr std::string_view kLayout = "k1/";

struct KindRow {
  ObjectKind kind;
  std::string_view folder;
  uint8_t words;  // 0: named by a digest
};
constexpr KindRow kKinds[] = {
    {ObjectKind::record, "records", 0}, {ObjectKind::traces, "traces", 0},     {ObjectKind::blob, "blobs", 0},
    {ObjectKind::session, "sessions", 2}, {ObjectKind::pack, "packs", 0}, {ObjectKind::control, "control", 1},
};

const KindRow& row_of(ObjectKind kind) {
  return *std::find_if(std::begin(kKinds), std::end(kKinds), [&](const KindRow& row) { return row.kind == kind; });
}

Error foreign(std::string_view text) { return {ErrorCode::corrupt, 0, "no name of an object: " + std::string(text.substr(0, 200))}; }

}  // namespace

bool is_word(std::string_view text) {
  if (text.empty() || text.size() > 128 || text[0] == '.' || text[0] == '-') return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  });
}

std::string kind_prefix(ObjectKind kind) {
  return std::string(kLayout).append(row_of(kind).folder).append("/");
}

ObjectName::ObjectName(ObjectKind kind, const Digest& digest) : kind_(kind), digest_(digest) {
  std::string hex = digest.hex();
  text_ = kind_prefix(kind) + hex.substr(0, 2) + "/" + hex;
}

ObjectName ObjectName::session(std::string_view space, std::string_view id) {
  return {ObjectKind::session, kind_prefix(ObjectKind::session).append(space).append("/").append(id)};
}

ObjectName ObjectName::control(std::string_view name) {
  return {ObjectKind::control, kind_prefix(ObjectKind::control).append(name)};
}

std::string_view ObjectName::word() const { return std::string_view(text_).substr(text_.rfind('/') + 1); }

Result<ObjectName> ObjectName::parse(std::string_view text) {
  for (const KindRow& row : kKinds) {
    std::string prefix = kind_prefix(row.kind);
    if (!text.starts_with(prefix)) continue;
    std::string_view rest = text.substr(prefix.size());
    if (row.words == 0) {
      Digest digest;
      if (rest.size() != 67 || rest[2] != '/' || !Digest::parse_hex(rest.substr(3), digest)) return foreign(text);
      ObjectName name(row.kind, digest);
      if (name.text() != text) return foreign(text);
      return name;
    }
    size_t slash = rest.find('/');
    bool good = row.words == 1 ? is_word(rest)
                               : slash != std::string_view::npos && is_word(rest.substr(0, slash)) && is_word(rest.substr(slash + 1));
    if (!good) return foreign(text);
    return ObjectName(row.kind, std::string(text));
  }
  return foreign(text);
}

}  // namespace kache
