#include "remote/record.h"

#include <algorithm>

#include "base/bytes.h"
#include "key/schema.h"

namespace kache {
namespace {

Error malformed(std::string_view what) { return {ErrorCode::corrupt, 0, "malformed " + std::string(what)}; }

bool is_output(const Entry& entry, const BlobId& id, uint64_t size) {
  return std::any_of(entry.outputs.begin(), entry.outputs.end(), [&](const Output& output) {
    return output.content == OutputContent::blob && output.blob == id && output.size == size;
  });
}

}  // namespace

std::string encode_record(const RemoteRecord& record) {
  Entry entry = record.entry;
  entry.stamp = {};
  entry.origin = EntryOrigin::compiled;
  ByteWriter out;
  out.varint(kKeySchema);
  out.text(encode_entry(entry));
  out.varint(record.inlined.size());
  for (const auto& [id, content] : record.inlined) {
    out.digest(id.digest);
    out.text(content);
  }
  out.varint(record.origins.size());
  for (const auto& [id, origin] : record.origins) {
    out.digest(id.digest);
    out.digest(origin);
  }
  return std::move(out).take();
}

Result<RemoteRecord> decode_record(std::string_view payload, const ActionKey& key) {
  ByteReader in(payload);
  if (in.varint() != kKeySchema) return Error{ErrorCode::corrupt, 0, "record of another schema"};
  RemoteRecord record;
  std::string_view entry = in.text();
  if (!in.ok()) return malformed("record");
  record.entry = KACHE_TRY(decode_entry(entry, key));
  uint64_t inlined = in.count(33);
  for (uint64_t i = 0; i < inlined && in.ok(); ++i) {
    BlobId id{in.digest()};
    std::string_view content = in.text();
    bool good = in.ok() && is_output(record.entry, id, content.size()) && digest_bytes(content) == id.digest;
    if (!good) return malformed("output in the record");
    record.inlined[id] = content;
  }
  uint64_t origins = in.count(64);
  for (uint64_t i = 0; i < origins && in.ok(); ++i) {
    BlobId id{in.digest()};
    Digest origin = in.digest();
    bool is_own = std::any_of(record.entry.outputs.begin(), record.entry.outputs.end(), [&](const Output& output) {
      return output.content == OutputContent::blob && output.blob == id;
    });
    if (!is_own) return malformed("origin in the record");
    record.origins[id] = origin;
  }
  if (!in.ok() || !in.at_end()) return malformed("record");
  return record;
}

std::string encode_remote_traces(const RemoteTraces& traces) {
  Traces shared = traces.traces;
  for (EnvInput& variable : shared.env) variable.shown.clear();
  ByteWriter out;
  out.varint(kKeySchema);
  out.text(encode_traces(shared));
  out.varint(traces.records.size());
  for (const auto& [key, envelope] : traces.records) {
    out.digest(key.digest);
    out.text(envelope);
  }
  return std::move(out).take();
}

Result<RemoteTraces> decode_remote_traces(std::string_view payload, const InvocationKey& key) {
  ByteReader in(payload);
  if (in.varint() != kKeySchema) return Error{ErrorCode::corrupt, 0, "traces of another schema"};
  RemoteTraces found;
  std::string_view traces = in.text();
  if (!in.ok()) return malformed("traces");
  found.traces = KACHE_TRY(decode_traces(traces, key));
  std::erase_if(found.traces.candidates, [&](const Candidate& one) {
    return derive_action_key(key, found.traces.set_of(one)) != one.action;
  });
  for (EnvInput& variable : found.traces.env) variable.shown.clear();
  uint64_t records = in.count(33);
  for (uint64_t i = 0; i < records && in.ok(); ++i) {
    ActionKey action{in.digest()};
    std::string_view envelope = in.text();
    if (in.ok()) found.records[action] = envelope;
  }
  if (!in.ok() || !in.at_end()) return malformed("traces");
  return found;
}

void keep_newest_records(RemoteTraces& traces) {
  std::map<ActionKey, std::string> kept;
  uint64_t bytes = 0;
  for (const Candidate& candidate : traces.traces.candidates) {
    auto record = traces.records.find(candidate.action);
    if (record == traces.records.end()) continue;
    bytes += record->second.size();
    if (bytes > kMaxRecordsInTraces) break;
    kept.insert(traces.records.extract(record));
  }
  traces.records = std::move(kept);
}

}  // namespace kache
