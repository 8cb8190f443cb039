// What the objects of a remote hold inside their envelopes: records (a result, with its small outputs) and traces (the input
// sets of an invocation, with the newest results inside where they are small). docs/formats.md, "Remote objects".
//
// The entry and the traces within are those of the local store, without what belongs to one machine: stamps, and values of
// variables that are kept for explanations.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "store/entry.h"
#include "store/traces.h"

namespace kache {

struct RemoteRecord {
  Entry entry;
  std::map<BlobId, std::string> inlined;          // content of outputs
  std::map<BlobId, Digest> origins;               // store/same.h: what outputs were made of
};

struct RemoteTraces {
  Traces traces;
  std::map<ActionKey, std::string> records;  // envelopes of records, as they lie under their own names
};

std::string encode_record(const RemoteRecord& record);
// `corrupt` when it is of another key or schema, or when an inlined output is none of the entry's or not what it says.
Result<RemoteRecord> decode_record(std::string_view payload, const ActionKey& key);

std::string encode_remote_traces(const RemoteTraces& traces);
// Candidates whose inputs do not make their action key are dropped: so an input set needs nobody to vouch for it.
Result<RemoteTraces> decode_remote_traces(std::string_view payload, const InvocationKey& key);

// Drops results until they are no more than kMaxRecordsInTraces, those of the oldest candidates first; and those of none.
void keep_newest_records(RemoteTraces& traces);

// Of an object, its payload, and what is inlined.
inline constexpr uint64_t kMaxRemoteObject = uint64_t{64} << 20, kMaxRemotePayload = uint64_t{256} << 20;
inline constexpr uint64_t kMaxInlined = 256 << 10;        // bytes of zstd in one record
inline constexpr uint64_t kMaxRecordsInTraces = 320 << 10;  // bytes of envelopes in one traces object

}  // namespace kache
