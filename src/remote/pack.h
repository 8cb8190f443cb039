// Pack: the results of many units of a build, in the order in which they are asked for, as one object. Format KPACKS01 within
// one stream of zstd, docs/formats.md.
//
// Knows items and their bytes; what they mean, and whether they are right, is for the taker to say (exchange_packs.cc). An
// item is never kept here: its bytes go on as they come.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "remote/remote.h"
#include "remote/signing.h"

namespace kache {

// A pack as a session names it. Nothing of it need be true.
struct PackRef {
  Digest name;
  std::optional<PublicKey> signer;  // of the records inside; who believes only others need not fetch it
  uint64_t bytes = 0, original_bytes = 0;
  uint64_t output_bytes = 0;        // of all units, each for itself
};

struct PackItem {
  enum Kind : uint8_t {
    end = 0,     // nothing comes behind it
    blob = 1,    // content of an output, by its digest
    record = 2,  // an envelope as under k1/records, by its action key; no output is inside, they come before it
    traces = 3,  // an envelope as under k1/traces, by the invocation key; no record is inside. Ends a unit
  } kind = end;
  Digest digest;
  uint64_t size = 0;  // of the bytes behind it
};

std::string pack_head();
std::string encode_pack_item(const PackItem& item);

class PackTaker {
 public:
  virtual ~PackTaker() = default;
  // An error of any of them ends the reading.
  virtual Status begin(const PackItem& item) = 0;
  virtual Status content(std::string_view bytes) = 0;
  virtual Status end() = 0;
};

// Takes the unpacked bytes of a pack, in pieces of any size.
class PackReader final : public Sink {
 public:
  explicit PackReader(PackTaker& taker) : taker_(taker) {}
  Status write(std::string_view bytes) override;
  // `corrupt` when it was cut off.
  Status finish() const;

 private:
  Status read_head(std::string_view& bytes);

  PackTaker& taker_;
  std::string head_;        // of the pack, or of an item, as far as it has come
  bool has_begun_ = false, is_whole_ = false, in_item_ = false;
  uint64_t left_ = 0;       // of the item
};

// What a pack may hold when it is made, before compression; and what is taken of one.
inline constexpr uint64_t kPackTarget = uint64_t{48} << 20, kMaxPackOriginal = uint64_t{256} << 20;
// Of one output. A unit with a larger one is in no pack.
inline constexpr uint64_t kMaxPackedBlob = uint64_t{64} << 20;
// What rustc links into each build script is found again this far back; the reader needs as much memory.
inline constexpr int kPackWindowLog = 26;

}  // namespace kache
