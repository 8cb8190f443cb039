// Exchange: brings results from a remote into the local store and from there to a remote.
//
// Whatever comes in is checked before it becomes visible: it is bound to the key that was asked for, signed where that is
// required, and every output has the digest that its record says. What goes out goes in the order blobs, record, traces, so
// that nobody finds a name that leads to nothing; a death in between leaves objects that nothing leads to.
//
// One object for one task; not for several threads. Errors are those of Remote; and of the local store, of which
// `is_local` tells.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "remote/envelope.h"
#include "remote/pack.h"
#include "remote/record.h"
#include "remote/remote.h"
#include "remote/signing.h"
#include "remote/tiers.h"
#include "store/blob.h"
#include "store/layout.h"
#include "store/memo.h"

namespace kache {

struct ExchangeSettings {
  Trust trust;
  EntryOrigin origin = EntryOrigin::fetched;  // what is said of what comes in
  const SigningKey* signer = nullptr;
  int level = 3;  // of zstd
};

// What one task moved. Times in microseconds.
struct Moved {
  uint64_t requests = 0;
  uint64_t compressed_bytes = 0, original_bytes = 0;  // on the way; and of outputs
  uint64_t network_us = 0, compression_us = 0, store_us = 0;
  uint32_t blobs = 0, blobs_skipped = 0;  // of large outputs: all, and those that were there already
  std::string crate_name;
};

struct FetchedTraces {
  uint32_t candidates = 0;       // that were not known here
  bool brought_newest = false;   // its result came along, or is here
  ActionKey newest;              // of the remote's candidates
  std::string refused;           // why a result that came along was not taken, "" where none was refused
};

struct PackedUnit {
  InvocationKey invocation;
  ActionKey action;
};

struct PublishedPack {
  PackRef pack;
  std::set<ActionKey> units;  // those that are in it: what is damaged here, or very large, is not. None: there is no pack
  size_t looked_at = 0;       // of the units that were given, from the first; the others did not fit any more
};

// exchange.cc has single results, exchange_packs.cc packs.
class Exchange {
 public:
  Exchange(FileSystem& fs, Clock& clock, const StoreLayout& layout, const BootId& boot, Tiers& remote, const ExchangeSettings& settings)
      : fs_(fs), clock_(clock), layout_(layout), boot_(boot), remote_(remote), settings_(settings), blobs_(fs, layout_, boot),
        memo_(Memo::open(layout_.memo(), boot)) {}

  // Input sets of an invocation, and the results that lie with them.
  Result<FetchedTraces> fetch_traces(const InvocationKey& key, const Limits& limits);
  // One result with all its outputs.
  Status fetch_record(const ActionKey& key, const Limits& limits);
  // Both: the input sets, and this result. `not_found` when it was not among them and does not lie on its own either.
  Status fetch_unit(const InvocationKey& invocation, const ActionKey& action, const Limits& limits);
  // The same for a result of which nothing but its key is known.
  Status fetch_unit(const ActionKey& action, const Limits& limits);
  // A result of the local store, with the input sets that lead to it. False: the remote had it already.
  Result<bool> publish(const ActionKey& key, const Limits& limits);

  // All units of a pack that are not here. `arrived` is called for each unit as soon as it can be used, also where it was here.
  // After an error, those that have arrived are whole.
  using Arrived = std::function<void(const ActionKey&)>;
  Status fetch_pack(const PackRef& pack, const Limits& limits, const Arrived& arrived);
  // Units of the local store as one pack. Where the remote has it already, it is not sent again.
  Result<PublishedPack> publish_pack(const std::vector<PackedUnit>& units, const Limits& limits);

  const Moved& moved() const { return moved_; }
  // The last error came from the local store, and says nothing about the remote.
  bool is_local() const { return is_local_; }

 private:
  class Intake;
  class PackMaker;

  // `read` says whether the payload is what it should be.
  Result<Opened> get_envelope(const ObjectName& name, const Limits& limits, const std::function<Status(const Opened&)>& read);
  Result<Opened> open(const ObjectName& name, std::string_view bytes);
  Status import(RemoteRecord record, const Limits& limits);
  // How many candidates were not known here.
  Result<uint32_t> add_candidates(const InvocationKey& key, const Traces& found);
  Status import_blob(const Output& output, const RemoteRecord& record, const Limits& limits);
  Status fetch_blob(const Output& output, const std::string& temporary, const Limits& limits);
  Result<Fetched> fetch_blob_from(size_t tier, const Output& output, const std::string& temporary, const Limits& limits, Status& content);
  bool is_useful(const ActionKey& key, const Limits& limits);
  void renew(const ActionKey& key, const Limits& limits);
  void renew_in(size_t tier, const ObjectName& name, const Limits& limits);
  Result<RemoteRecord> read_local(const ActionKey& key);
  Status pack_outputs(RemoteRecord& record, const Limits& limits);
  Status publish_blob(const Output& output, File& blob, const Limits& limits);
  Status publish_traces(const Entry& entry, const std::string& record_envelope, const Limits& limits);
  Status add_traces(Remote& remote, const Traces& own, const Entry& entry, const std::string& record_envelope, const Limits& limits);
  Status put(const ObjectName& name, std::string_view bytes, const PutCondition& condition, const Limits& limits);
  template <typename T>
  Result<T> local(Result<T> result) {
    if (!result.ok()) is_local_ = true;
    return result;
  }

  FileSystem& fs_;
  Clock& clock_;
  StoreLayout layout_;
  BootId boot_;
  Tiers& remote_;
  const ExchangeSettings& settings_;
  BlobStore blobs_;
  Memo memo_;
  Moved moved_;
  bool is_local_ = false;
};

// A result that is published again after so long begins to age anew.
inline constexpr int64_t kRenewAfterNs = int64_t{3 * 24 * 3600} * 1'000'000'000;

}  // namespace kache
