// Many results at once: from a pack into the store, and from the store into a pack.
#include <algorithm>

#include "remote/compress.h"
#include "remote/exchange.h"
#include "remote/lap.h"
#include "remote/limits.h"
#include "remote/local_files.h"

namespace kache {
namespace {

constexpr size_t kPiece = 256 << 10;
constexpr uint64_t kMaxPack = uint64_t{192} << 20;  // as it lies in the remote

// An object that is wrong does not end its transfer: that would speak against the remote. What comes behind is passed over.
class PatientSink final : public Sink {
 public:
  explicit PatientSink(Sink& next) : next_(next) {}
  Status write(std::string_view bytes) override {
    if (verdict_.ok()) verdict_ = next_.write(bytes);
    return Ok{};
  }
  Status take() { return std::move(verdict_); }

 private:
  Sink& next_;
  Status verdict_ = Ok{};
};

}  // namespace

// --- in ----------------------------------------------------------------------------------------------------------------

// Puts into the store what comes out of a pack. Each item is judged as if it had come alone.
class Exchange::Intake final : public PackTaker {
 public:
  Intake(Exchange& exchange, const Limits& limits, const Arrived& arrived) : exchange_(exchange), limits_(limits), arrived_(arrived) {}
  ~Intake() override {
    if (file_) (void)exchange_.fs_.unlink(temporary_);
  }

  Status begin(const PackItem& item) override {
    item_ = item;
    bytes_.clear();
    if (item.kind != PackItem::blob) return item.size <= kMaxRemoteObject ? Status(Ok{}) : Status(unfit());
    if (item.size > kMaxPackedBlob) return unfit();
    if (exchange_.blobs_.has({item.digest}, item.size, &exchange_.memo_)) return Ok{};
    temporary_ = temporary_beside(exchange_.layout_.temporary() + "/fetched");
    KACHE_TRY(exchange_.local(exchange_.fs_.create(temporary_, {}, 0600)));
    file_.emplace(exchange_.fs_, temporary_);
    return Ok{};
  }

  Status content(std::string_view bytes) override {
    if (file_) return exchange_.local(file_->write(bytes));
    if (item_.kind != PackItem::blob) bytes_ += bytes;
    return Ok{};
  }

  Status end() override {
    switch (item_.kind) {
      case PackItem::blob: return end_blob();
      case PackItem::record: return end_record();
      case PackItem::traces: return end_unit();
      case PackItem::end: break;
    }
    return Ok{};
  }

 private:
  Error unfit() const { return {ErrorCode::too_large, 0, "the pack holds something too large"}; }

  Status end_blob() {
    if (!file_) return Ok{};
    BlobId id{item_.digest};
    KACHE_TRY(exchange_.local(file_->flush()));
    if (file_->digest() != id.digest) return Error{ErrorCode::corrupt, 0, "blob " + id.hex().substr(0, 12) + " in a pack has other content than its name says"};
    file_.reset();
    Status adopted = exchange_.local(exchange_.blobs_.adopt(temporary_, id, &exchange_.memo_));
    if (!adopted.ok()) (void)exchange_.fs_.unlink(temporary_);
    exchange_.moved_.original_bytes += item_.size;
    exchange_.moved_.blobs++;
    return adopted;
  }

  Status end_record() {
    action_ = {item_.digest};
    if (exchange_.fs_.stat(exchange_.layout_.entry(action_)).ok()) return Ok{};
    Opened opened = KACHE_TRY(exchange_.open(ObjectName::record(action_), bytes_));
    RemoteRecord record = KACHE_TRY(decode_record(opened.payload, action_));
    for (const Output& output : record.entry.outputs) {
      if (output.content != OutputContent::blob || exchange_.blobs_.has(output.blob, output.size, &exchange_.memo_)) continue;
      return Error{ErrorCode::corrupt, 0, "the pack lacks an output of one of its results"};
    }
    return exchange_.import(std::move(record), limits_);
  }

  Status end_unit() {
    InvocationKey invocation{item_.digest};
    Opened opened = KACHE_TRY(exchange_.open(ObjectName::traces(invocation), bytes_));
    RemoteTraces found = KACHE_TRY(decode_remote_traces(opened.payload, invocation));
    KACHE_TRY(exchange_.add_candidates(invocation, found.traces));
    if (!action_.digest.is_zero()) arrived_(action_);
    action_ = {};
    return Ok{};
  }

  Exchange& exchange_;
  const Limits& limits_;
  const Arrived& arrived_;
  PackItem item_;
  std::string bytes_;      // of a record or traces
  std::string temporary_;  // of a blob
  std::optional<AppendingSink> file_;
  ActionKey action_;       // of the unit
};

Status Exchange::fetch_pack(const PackRef& pack, const Limits& limits, const Arrived& arrived) {
  ObjectName name = ObjectName::pack(pack.name);
  Limits bounded = limits;
  bounded.max_bytes = std::min({limits.max_bytes, pack.bytes, kMaxPack});
  Status verdict = Ok{};
  for (size_t first = 0;;) {
    Intake intake(*this, limits, arrived);
    PackReader reader(intake);
    DecompressingSink plain(reader, std::min(pack.original_bytes, kMaxPackOriginal));
    PatientSink patient(plain);
    CountingSink counted(patient);
    Result<Fetched> fetched = [&] {
      Lap lap(clock_, moved_.network_us);
      moved_.requests++;
      return remote_.fetch(name, counted, bounded, first);
    }();
    moved_.compressed_bytes += counted.bytes();
    if (!fetched.ok()) return first == 0 ? std::move(fetched).error() : std::move(verdict).error();
    verdict = patient.take();
    if (verdict.ok()) verdict = plain.finish();
    if (verdict.ok()) verdict = reader.finish();
    if (is_local_) return verdict;
    if (verdict.ok()) {
      remote_.fill(name, *fetched, bounded);
      return Ok{};
    }
    remote_.distrust(name, fetched->tier);
    first = fetched->tier + 1;
  }
}

// --- out ---------------------------------------------------------------------------------------------------------------

// Writes units behind each other. What is in the pack already, since an earlier unit has it too, is not written again.
class Exchange::PackMaker {
 public:
  PackMaker(Exchange& exchange, Sink& out) : exchange_(exchange), out_(out) {}

  Status begin() { return write(pack_head()); }
  Status finish() { return write(encode_pack_item({})); }
  uint64_t original_bytes() const { return original_bytes_; }
  uint64_t output_bytes() const { return output_bytes_; }

  // False: the unit can not be packed, and nothing of it is written.
  Result<bool> add(const PackedUnit& unit) {
    Result<RemoteRecord> record = exchange_.read_local(unit.action);
    Result<RemoteTraces> traces = traces_of(unit);
    if (!record.ok() || !traces.ok()) return false;
    std::vector<std::pair<BlobId, File>> blobs;
    for (const Output& output : record->entry.outputs) {
      bool is_new = output.content == OutputContent::blob && written_.count(output.blob) == 0;
      if (!is_new) continue;
      if (output.size > kMaxPackedBlob) return false;
      Result<File> blob = exchange_.blobs_.open(output.blob, output.size, true);
      if (!blob.ok()) return false;
      blobs.emplace_back(output.blob, std::move(blob).value());
    }
    for (auto& [id, file] : blobs) KACHE_TRY(write_blob(id, file));
    for (const Output& output : record->entry.outputs) output_bytes_ += output.size;
    ObjectName name = ObjectName::record(unit.action);
    const ExchangeSettings& settings = exchange_.settings_;
    KACHE_TRY(write_item(PackItem::record, name.digest(), seal_envelope(name, encode_record(*record), settings.level, settings.signer)));
    name = ObjectName::traces(unit.invocation);
    KACHE_TRY(write_item(PackItem::traces, name.digest(), seal_envelope(name, encode_remote_traces(*traces), settings.level, settings.signer)));
    return true;
  }

 private:
  Status write(std::string_view bytes) {
    original_bytes_ += bytes.size();
    return out_.write(bytes);
  }

  Status write_item(PackItem::Kind kind, const Digest& digest, std::string_view bytes) {
    KACHE_TRY(write(encode_pack_item({kind, digest, bytes.size()})));
    return write(bytes);
  }

  Status write_blob(const BlobId& id, File& file) {
    if (!written_.insert(id).second) return Ok{};  // two outputs of the unit are the same
    uint64_t size = KACHE_TRY(exchange_.fs_.stat_handle(file.handle())).size;
    KACHE_TRY(write(encode_pack_item({PackItem::blob, id.digest, size})));
    std::string piece(kPiece, '\0');
    for (uint64_t at = 0; at < size;) {
      size_t got = KACHE_TRY(exchange_.fs_.read_at(file.handle(), at, piece.data(), piece.size()));
      if (got == 0) return Error{ErrorCode::io, 0, "blob " + id.hex().substr(0, 12) + " has become shorter"};
      at += got;
      KACHE_TRY(write(std::string_view(piece).substr(0, got)));
    }
    return Ok{};
  }

  // The one input set that leads to this result.
  Result<RemoteTraces> traces_of(const PackedUnit& unit) {
    std::string bytes = KACHE_TRY(read_file(exchange_.fs_, exchange_.layout_.trace(unit.invocation), kMaxTracesSize));
    Traces own = KACHE_TRY(decode_traces(bytes, unit.invocation));
    auto candidate = std::find_if(own.candidates.begin(), own.candidates.end(), [&](const Candidate& one) { return one.action == unit.action; });
    if (candidate == own.candidates.end()) return Error{ErrorCode::not_found, 0, "the inputs of this result are not known any more"};
    RemoteTraces shared;
    shared.traces.key = unit.invocation;
    shared.traces.parts = own.parts;
    shared.traces.crate_name = own.crate_name;
    shared.traces.add(own.set_of(*candidate), unit.action);
    return shared;
  }

  Exchange& exchange_;
  Sink& out_;
  std::set<BlobId> written_;
  uint64_t original_bytes_ = 0, output_bytes_ = 0;
};

Result<PublishedPack> Exchange::publish_pack(const std::vector<PackedUnit>& units, const Limits& limits) {
  PublishedPack made;
  std::string temporary = temporary_beside(layout_.temporary() + "/packed");
  Status done = [&]() -> Status {
    KACHE_TRY(local(fs_.create(temporary, {}, 0600)));
    AppendingSink file(fs_, temporary);
    CompressingSink packed(file, settings_.level, kPackWindowLog);
    PackMaker maker(*this, packed);
    {
      Lap lap(clock_, moved_.compression_us);
      KACHE_TRY(local(maker.begin()));
      for (const PackedUnit& unit : units) {
        if (maker.original_bytes() >= kPackTarget) break;
        KACHE_TRY(still_wanted(limits));
        if (KACHE_TRY(local(maker.add(unit)))) made.units.insert(unit.action);
        made.looked_at++;
      }
      KACHE_TRY(local(maker.finish()));
      KACHE_TRY(local(packed.finish()));
      KACHE_TRY(local(file.flush()));
    }
    if (made.units.empty()) return Ok{};
    made.pack = {file.digest(), {}, file.size(), maker.original_bytes(), maker.output_bytes()};
    if (settings_.signer) made.pack.signer = settings_.signer->public_key();
    moved_.original_bytes += made.pack.original_bytes;
    ObjectName name = ObjectName::pack(made.pack.name);
    Lap lap(clock_, moved_.network_us);
    moved_.requests++;
    if (remote_.is_nowhere_lacking(name, made.pack.bytes, limits)) return Ok{};
    File content = KACHE_TRY(local(open_file(fs_, temporary)));
    FileSource source(fs_, content.handle(), made.pack.bytes);
    moved_.requests++;
    Status sent = remote_.put(name, source, if_absent(), limits);
    if (sent.ok()) moved_.compressed_bytes += made.pack.bytes;
    return sent.ok() || sent.code() == ErrorCode::exists ? Status(Ok{}) : std::move(sent);
  }();
  (void)fs_.unlink(temporary);
  if (!done.ok()) return std::move(done).error();
  return made;
}

}  // namespace kache
