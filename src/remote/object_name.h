// ObjectName: what an object of a remote is called, below the remote's prefix. docs/formats.md, "Remote objects".
//
//   k1/records/ab/<action key>        a result, small outputs inside
//   k1/traces/ab/<invocation key>     the input sets under which an invocation has known results
//   k1/blobs/ab/<digest>              content of a large output, compressed
//   k1/sessions/<namespace>/<id>      what a build asked for, in order
//   k1/packs/ab/<digest>              many small objects of one session in one
//   k1/control/<name>                 leases, and what doctor writes to see whether it may
//
// A name is made from a digest or from checked words, never from what a remote says: parse() refuses everything else.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "base/result.h"

namespace kache {

enum class ObjectKind : uint8_t { record, traces, blob, session, pack, control };

class ObjectName {
 public:
  static ObjectName record(const ActionKey& key) { return {ObjectKind::record, key.digest}; }
  static ObjectName traces(const InvocationKey& key) { return {ObjectKind::traces, key.digest}; }
  static ObjectName blob(const BlobId& id) { return {ObjectKind::blob, id.digest}; }
  static ObjectName pack(const Digest& digest) { return {ObjectKind::pack, digest}; }
  // REQUIRES: is_word() of both.
  static ObjectName session(std::string_view space, std::string_view id);
  static ObjectName control(std::string_view name);

  // `corrupt` for anything that is not text() of an ObjectName.
  static Result<ObjectName> parse(std::string_view text);

  ObjectKind kind() const { return kind_; }
  const Digest& digest() const { return digest_; }      // zero where the name is made of words
  std::string_view word() const;                        // the last component
  const std::string& text() const { return text_; }     // "k1/blobs/ab/abcd…"
  bool operator==(const ObjectName& other) const { return text_ == other.text_; }
  bool operator<(const ObjectName& other) const { return text_ < other.text_; }

 private:
  ObjectName(ObjectKind kind, const Digest& digest);
  ObjectName(ObjectKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
  ObjectKind kind_;
  Digest digest_;
  std::string text_;
};

// "k1/blobs/": what all names of the kind begin with.
std::string kind_prefix(ObjectKind kind);

// One to 128 letters, digits, '.', '_', '-', not beginning with '.' or '-': safe in paths, URLs and listings.
bool is_word(std::string_view text);

}  // namespace kache
