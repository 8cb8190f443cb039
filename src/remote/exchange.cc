#include "remote/exchange.h"

#include <algorithm>

#include "remote/compress.h"
#include "remote/lap.h"
#include "remote/local_files.h"
#include "remote/verdict.h"
#include "store/publish.h"
#include "store/same.h"

namespace kache {
namespace {

constexpr uint64_t kSmallOutput = 2 << 20;  // what is packed in memory to see whether it is small enough to go with the record
constexpr int kMergeAttempts = 5;

bool is_blob(const Output& output) { return output.content == OutputContent::blob; }

// Nothing more has to be fetched for it.
bool is_whole(const RemoteRecord& record) {
  return std::all_of(record.entry.outputs.begin(), record.entry.outputs.end(),
                     [&](const Output& output) { return !is_blob(output) || record.inlined.count(output.blob) != 0; });
}

// Content that can not be right does not end a transfer: it is the object that is wrong, and whoever asked judges that.
class JudgingSink final : public Sink {
 public:
  JudgingSink(DecompressingSink& plain, const AppendingSink& file) : plain_(plain), file_(file) {}
  Status write(std::string_view bytes) override {
    if (!verdict_.ok()) return Ok{};
    Status written = plain_.write(bytes);
    if (file_.has_failed()) return written;
    verdict_ = std::move(written);
    return Ok{};
  }
  Status finish() { return verdict_.ok() ? plain_.finish() : std::move(verdict_); }

 private:
  DecompressingSink& plain_;
  const AppendingSink& file_;
  Status verdict_ = Ok{};
};

}  // namespace

// --- in ----------------------------------------------------------------------------------------------------------------

Result<Opened> Exchange::open(const ObjectName& name, std::string_view bytes) {
  Lap lap(clock_, moved_.compression_us);
  // The input sets prove themselves; who wrote them does not matter.
  static const Trust kAnybody;
  return open_envelope(name, bytes, name.kind() == ObjectKind::record ? settings_.trust : kAnybody, kMaxRemotePayload);
}

// What one remote has may be wrong: then the next one is asked.
Result<Opened> Exchange::get_envelope(const ObjectName& name, const Limits& limits, const std::function<Status(const Opened&)>& read) {
  Limits bounded = limits;
  bounded.max_bytes = std::min(limits.max_bytes, kMaxRemoteObject);
  Error wrong{ErrorCode::not_found, 0, {}};
  for (size_t first = 0;;) {
    StringSink sink;
    Result<Fetched> fetched = [&] {
      Lap lap(clock_, moved_.network_us);
      moved_.requests++;
      return remote_.fetch(name, sink, bounded, first);
    }();
    moved_.compressed_bytes += sink.bytes().size();
    if (!fetched.ok()) return wrong.code == ErrorCode::not_found ? std::move(fetched).error() : wrong;
    Result<Opened> opened = open(name, sink.bytes());
    Status good = opened.ok() ? read(*opened) : Status(opened.error());
    if (good.ok()) {
      remote_.fill(name, *fetched, bounded);
      return opened;
    }
    wrong = std::move(good).error();
    remote_.distrust(name, fetched->tier);
    first = fetched->tier + 1;
  }
}

Result<FetchedTraces> Exchange::fetch_traces(const InvocationKey& key, const Limits& limits) {
  RemoteTraces found;
  auto read = [&](const Opened& opened) -> Status {
    found = KACHE_TRY(decode_remote_traces(opened.payload, key));
    return Ok{};
  };
  KACHE_TRY(get_envelope(ObjectName::traces(key), limits, read));
  FetchedTraces report;
  if (found.traces.candidates.empty()) return report;
  moved_.crate_name = found.traces.crate_name;
  report.newest = found.traces.candidates.front().action;
  report.brought_newest = fs_.stat(layout_.entry(report.newest)).ok();
  // The results before the sets that lead to them.
  for (const auto& [action, envelope] : found.records) {
    if (fs_.stat(layout_.entry(action)).ok()) continue;
    Result<Opened> record = open_envelope(ObjectName::record(action), envelope, settings_.trust, kMaxRemotePayload);
    Result<RemoteRecord> decoded = record.ok() ? decode_record(record->payload, action) : Result<RemoteRecord>(record.error());
    if (!decoded.ok()) {
      report.refused = decoded.error().message;
      continue;
    }
    // The newest is what is most likely asked for. Others come when they are.
    if (action != report.newest && !is_whole(*decoded)) continue;
    Status taken = import(std::move(decoded).value(), limits);
    if (!taken.ok() && is_local_) return std::move(taken).error();
    if (!taken.ok()) report.refused = taken.error().message;
    else if (action == report.newest) report.brought_newest = true;
  }
  report.candidates = KACHE_TRY(add_candidates(key, found.traces));
  return report;
}

Result<uint32_t> Exchange::add_candidates(const InvocationKey& key, const Traces& found) {
  Lap lap(clock_, moved_.store_us);
  uint32_t added = 0;
  KACHE_TRY(local(update_traces(fs_, layout_, key, [&](Traces& traces) {
    size_t before = traces.candidates.size();
    if (traces.parts.empty()) traces.parts = found.parts;
    if (traces.crate_name.empty()) traces.crate_name = found.crate_name;
    traces.add_older(found);
    added = static_cast<uint32_t>(traces.candidates.size() - before);
    return added > 0;
  })));
  return added;
}

Status Exchange::fetch_record(const ActionKey& key, const Limits& limits) {
  RemoteRecord record;
  auto read = [&](const Opened& opened) -> Status {
    record = KACHE_TRY(decode_record(opened.payload, key));
    return Ok{};
  };
  KACHE_TRY(get_envelope(ObjectName::record(key), limits, read));
  return import(std::move(record), limits);
}

Status Exchange::fetch_unit(const InvocationKey& invocation, const ActionKey& action, const Limits& limits) {
  KACHE_TRY(fetch_traces(invocation, limits));
  if (fs_.stat(layout_.entry(action)).ok()) return Ok{};
  return fetch_record(action, limits);
}

Status Exchange::fetch_unit(const ActionKey& action, const Limits& limits) {
  KACHE_TRY(fetch_record(action, limits));
  std::string bytes = KACHE_TRY(local(read_file(fs_, layout_.entry(action), kMaxEntrySize)));
  Entry entry = KACHE_TRY(local(decode_entry(bytes, action)));
  Result<FetchedTraces> traces = fetch_traces(entry.invocation, limits);
  if (!traces.ok()) return std::move(traces).error();
  return Ok{};
}

Status Exchange::import(RemoteRecord record, const Limits& limits) {
  if (is_disbelieved(fs_, layout_, record.entry.key)) return Error{ErrorCode::denied, 0, "a compile here made another result; see kache remote verify"};
  moved_.crate_name = record.entry.crate_name;
  for (const Output& output : record.entry.outputs) {
    if (is_blob(output)) KACHE_TRY(import_blob(output, record, limits));
  }
  Lap lap(clock_, moved_.store_us);
  for (const auto& [id, origin] : record.origins) KACHE_TRY(local(note_origin(fs_, layout_, id.digest, origin)));
  // Not before: the stamp says that all blobs were in their places at this moment.
  record.entry.stamp = stamp_now(clock_, boot_);
  record.entry.origin = settings_.origin;
  return local(publish_entry(fs_, layout_, record.entry));
}

Status Exchange::import_blob(const Output& output, const RemoteRecord& record, const Limits& limits) {
  auto inlined = record.inlined.find(output.blob);
  if (inlined == record.inlined.end()) moved_.blobs++;
  if (blobs_.has(output.blob, output.size, &memo_)) {
    if (inlined == record.inlined.end()) moved_.blobs_skipped++;
    return Ok{};
  }
  moved_.original_bytes += output.size;
  std::string temporary = temporary_beside(layout_.temporary() + "/fetched");
  Status written = inlined == record.inlined.end() ? fetch_blob(output, temporary, limits)
                                                   : local(fs_.create(temporary, inlined->second, 0600));
  if (written.ok()) written = local(blobs_.adopt(temporary, output.blob, &memo_));
  if (!written.ok()) (void)fs_.unlink(temporary);
  return written;
}

Result<Fetched> Exchange::fetch_blob_from(size_t tier, const Output& output, const std::string& temporary, const Limits& limits, Status& content) {
  KACHE_TRY(local(fs_.create(temporary, {}, 0600)));
  AppendingSink file(fs_, temporary);
  DecompressingSink plain(file, output.size);
  JudgingSink judged(plain, file);
  CountingSink counted(judged);
  Result<Fetched> fetched = [&] {
    Lap lap(clock_, moved_.network_us);
    moved_.requests++;
    return remote_.fetch(ObjectName::blob(output.blob), counted, limits, tier);
  }();
  moved_.compressed_bytes += counted.bytes();
  if (!fetched.ok()) {
    is_local_ = file.has_failed();
    return fetched;
  }
  content = judged.finish();
  if (content.ok()) KACHE_TRY(local(file.flush()));
  if (content.ok() && (file.size() != output.size || file.digest() != output.blob.digest)) {
    content = Error{ErrorCode::corrupt, 0, "blob " + output.blob.hex().substr(0, 12) + " has other content than its name says"};
  }
  return fetched;
}

Status Exchange::fetch_blob(const Output& output, const std::string& temporary, const Limits& limits) {
  Limits bounded = limits;
  bounded.max_bytes = std::min(limits.max_bytes, output.size + output.size / 128 + 4096);  // zstd makes nothing larger than this
  Status content = Ok{};
  for (size_t first = 0;;) {
    Result<Fetched> fetched = fetch_blob_from(first, output, temporary, bounded, content);
    if (!fetched.ok()) return first == 0 ? std::move(fetched).error() : std::move(content).error();
    if (content.ok()) {
      remote_.fill(ObjectName::blob(output.blob), *fetched, bounded);
      return Ok{};
    }
    remote_.distrust(ObjectName::blob(output.blob), fetched->tier);
    first = fetched->tier + 1;
    (void)fs_.unlink(temporary);
  }
}

// --- out ---------------------------------------------------------------------------------------------------------------

Status Exchange::put(const ObjectName& name, std::string_view bytes, const PutCondition& condition, const Limits& limits) {
  Lap lap(clock_, moved_.network_us);
  moved_.requests++;
  Status done = put_bytes(remote_, name, bytes, condition, limits);
  if (done.ok()) moved_.compressed_bytes += bytes.size();
  return done;
}

Result<bool> Exchange::publish(const ActionKey& key, const Limits& limits) {
  RemoteRecord record = KACHE_TRY(local(read_local(key)));
  moved_.crate_name = record.entry.crate_name;
  KACHE_TRY(pack_outputs(record, limits));
  std::string envelope = [&] {
    Lap lap(clock_, moved_.compression_us);
    return seal_envelope(ObjectName::record(key), encode_record(record), settings_.level, settings_.signer);
  }();
  Status put_record = put(ObjectName::record(key), envelope, if_absent(), limits);
  bool is_new = put_record.ok();
  if (!is_new && put_record.code() != ErrorCode::exists) return std::move(put_record).error();
  // What is there may be signed by nobody whom we believe, or be damaged: then it is of no use to others like us.
  if (!is_new && settings_.signer && !is_useful(key, limits)) {
    KACHE_TRY(put(ObjectName::record(key), envelope, {}, limits));
    is_new = true;
  }
  if (!is_new) renew(key, limits);
  // Also where the record was there: whoever wrote it may have died before this.
  KACHE_TRY(publish_traces(record.entry, envelope, limits));
  return is_new;
}

bool Exchange::is_useful(const ActionKey& key, const Limits& limits) {
  auto read = [&](const Opened& opened) -> Status {
    KACHE_TRY(decode_record(opened.payload, key));
    return Ok{};
  };
  Result<Opened> there = get_envelope(ObjectName::record(key), limits, read);
  if (!there.ok()) return there.code() != ErrorCode::denied && there.code() != ErrorCode::corrupt && there.code() != ErrorCode::too_large;
  return there->signer && (*there->signer == settings_.signer->public_key() || settings_.trust.knows(*there->signer));
}

// What is compiled again somewhere is in use, though the remote has it for long: a collection goes by the time at which it was
// written. A failure is nobody's concern.
void Exchange::renew(const ActionKey& key, const Limits& limits) {
  for (size_t i = 0; i < remote_.size(); ++i) {
    if (remote_.reads(i) && remote_.writes(i)) renew_in(i, ObjectName::record(key), limits);
  }
}

void Exchange::renew_in(size_t tier, const ObjectName& name, const Limits& limits) {
  Remote& remote = remote_.tier(tier);
  Lap lap(clock_, moved_.network_us);
  int64_t written_ns = 0;  // stays so where the remote does not tell
  moved_.requests++;
  Status listed = remote.list(name.kind(), name.text(), [&](const ListedObject& object) -> Status {
    if (object.name == name) written_ns = object.modified_ns;
    return Ok{};
  }, limits);
  if (!listed.ok() || written_ns == 0 || clock_.wall_ns() - written_ns < kRenewAfterNs) return;
  // Its very bytes, with the signature that it has: not ours, and only if nobody has replaced it meanwhile.
  StringSink sink;
  Limits bounded = limits;
  bounded.max_bytes = std::min(limits.max_bytes, kMaxRemoteObject);
  moved_.requests++;
  Result<std::string> version = remote.get(name, sink, bounded);
  if (!version.ok() || !open(name, sink.bytes()).ok()) return;
  PutCondition condition;
  if (!version->empty()) condition = {PutCondition::if_version, *version};
  moved_.requests++;
  (void)put_bytes(remote, name, sink.bytes(), condition, limits);
}

Result<RemoteRecord> Exchange::read_local(const ActionKey& key) {
  RemoteRecord record;
  std::string bytes = KACHE_TRY(read_file(fs_, layout_.entry(key), kMaxEntrySize));
  record.entry = KACHE_TRY(decode_entry(bytes, key));
  for (const Output& output : record.entry.outputs) {
    if (!is_blob(output)) continue;
    Digest origin = origin_of(fs_, layout_, output.blob.digest);
    if (origin != output.blob.digest) record.origins[output.blob] = origin;
  }
  return record;
}

// Small ones into the record, the smallest first; the others go on their own.
Status Exchange::pack_outputs(RemoteRecord& record, const Limits& limits) {
  std::vector<const Output*> outputs;
  for (const Output& output : record.entry.outputs) {
    if (is_blob(output)) outputs.push_back(&output);
  }
  std::stable_sort(outputs.begin(), outputs.end(), [](const Output* a, const Output* b) { return a->size < b->size; });
  uint64_t inlined = 0;
  for (const Output* output : outputs) {
    moved_.original_bytes += output->size;
    File blob = KACHE_TRY(local(blobs_.open(output->blob, output->size, false)));
    if (output->size <= kSmallOutput && inlined < kMaxInlined) {
      std::string content = KACHE_TRY(local(read_handle(fs_, blob.handle(), kSmallOutput)));
      if (digest_bytes(content) != output->blob.digest) {
        return local(Status(Error{ErrorCode::corrupt, 0, "blob " + output->blob.hex().substr(0, 12) + " is damaged"}));
      }
      Lap lap(clock_, moved_.compression_us);
      uint64_t packed = compress(content, settings_.level).size();
      if (inlined + packed <= kMaxInlined) {
        inlined += packed;
        record.inlined[output->blob] = std::move(content);
        continue;
      }
    }
    KACHE_TRY(publish_blob(*output, blob, limits));
  }
  return Ok{};
}

Status Exchange::publish_blob(const Output& output, File& blob, const Limits& limits) {
  ObjectName name = ObjectName::blob(output.blob);
  moved_.blobs++;
  bool is_there = [&] {
    Lap lap(clock_, moved_.network_us);
    moved_.requests++;
    return remote_.is_nowhere_lacking(name, output.size, limits);
  }();
  if (is_there) {
    moved_.blobs_skipped++;
    return Ok{};
  }
  std::string temporary = temporary_beside(layout_.temporary() + "/packed");
  Status done = [&]() -> Status {
    Result<PackedFile> packed = [&] {
      Lap lap(clock_, moved_.compression_us);
      return local(compress_file(fs_, blob.handle(), temporary, settings_.level));
    }();
    if (!packed.ok()) return std::move(packed).error();
    if (packed->digest != output.blob.digest) {
      return local(Status(Error{ErrorCode::corrupt, 0, "blob " + output.blob.hex().substr(0, 12) + " is damaged"}));
    }
    File file = KACHE_TRY(local(open_file(fs_, temporary)));
    FileSource source(fs_, file.handle(), packed->size);
    Lap lap(clock_, moved_.network_us);
    moved_.requests++;
    Status sent = remote_.put(name, source, if_absent(), limits);
    if (sent.ok()) moved_.compressed_bytes += packed->size;
    if (!sent.ok() && sent.code() == ErrorCode::exists) return Ok{};
    return sent;
  }();
  (void)fs_.unlink(temporary);
  return done;
}

Status Exchange::publish_traces(const Entry& entry, const std::string& record_envelope, const Limits& limits) {
  std::string bytes = KACHE_TRY(local(read_file(fs_, layout_.trace(entry.invocation), kMaxTracesSize)));
  Traces own = KACHE_TRY(local(decode_traces(bytes, entry.invocation)));
  // A version is one of one remote, so each is asked on its own.
  Status done = Ok{};
  for (size_t i = 0; i < remote_.size(); ++i) {
    if (!remote_.writes(i)) continue;
    Status added = add_traces(remote_.tier(i), own, entry, record_envelope, limits);
    if (!added.ok() && done.ok()) done = std::move(added);
  }
  return done;
}

// Others add to the same object: read it, add ours, and write it when nobody else has written meanwhile.
Status Exchange::add_traces(Remote& remote, const Traces& own, const Entry& entry, const std::string& record_envelope, const Limits& limits) {
  auto candidate = std::find_if(own.candidates.begin(), own.candidates.end(), [&](const Candidate& one) { return one.action == entry.key; });
  if (candidate == own.candidates.end()) return local(Status(Error{ErrorCode::not_found, 0, "the inputs of this result are not known any more"}));
  InputSet set = own.set_of(*candidate);
  ObjectName name = ObjectName::traces(entry.invocation);
  Limits bounded = limits;
  bounded.max_bytes = kMaxRemoteObject;
  for (int attempt = 1;; ++attempt) {
    RemoteTraces shared;
    StringSink sink;
    Result<std::string> version = [&] {
      Lap lap(clock_, moved_.network_us);
      moved_.requests++;
      return remote.get(name, sink, bounded);
    }();
    bool was_there = version.ok() || version.code() == ErrorCode::too_large;
    if (version.ok()) {
      Result<Opened> there = open(name, sink.bytes());
      Result<RemoteTraces> decoded = there.ok() ? decode_remote_traces(there->payload, entry.invocation) : Result<RemoteTraces>(there.error());
      if (decoded.ok()) shared = std::move(decoded).value();  // else it is replaced: nobody can use it
    } else if (version.code() != ErrorCode::not_found && !was_there) {
      return std::move(version).error();
    }
    bool is_newest = !shared.traces.candidates.empty() && shared.traces.candidates.front().action == entry.key;
    if (is_newest) return Ok{};
    shared.traces.key = entry.invocation;
    shared.traces.parts = own.parts;
    shared.traces.crate_name = own.crate_name;
    shared.traces.add(set, entry.key);
    shared.records[entry.key] = record_envelope;
    keep_newest_records(shared);
    std::string envelope = seal_envelope(name, encode_remote_traces(shared), settings_.level, settings_.signer);
    PutCondition condition;
    if (!was_there) condition = if_absent();
    else if (version.ok() && !version->empty()) condition = {PutCondition::if_version, *version};
    Lap lap(clock_, moved_.network_us);
    moved_.requests++;
    Status done = put_bytes(remote, name, envelope, condition, limits);
    if (done.ok()) moved_.compressed_bytes += envelope.size();
    if (done.ok() || done.code() != ErrorCode::exists || attempt == kMergeAttempts) return done;
  }
}

}  // namespace kache
