// What lies in a remote may be anything: refused, or what the headers promise. The first byte says which reader gets the rest;
// raw inputs seldom pass a checksum, so one is put around them.
#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <string>

#include "base/frame.h"
#include "remote/compress.h"
#include "remote/envelope.h"
#include "remote/pack.h"
#include "remote/record.h"
#include "remote/session.h"

using namespace kache;

namespace {

constexpr uint64_t kLimit = 1 << 16;

void require(bool holds) {
  if (!holds) std::abort();
}

void unpack(std::string_view bytes) {
  Result<std::string> plain = decompress(bytes, kLimit);
  require(!plain.ok() || plain->size() <= kLimit);
}

void open(std::string_view bytes) {
  static const ObjectName kName = ObjectName::record({});
  static const Trust kStrict{{}, true};
  std::string sealed = seal_frame("KREMOT01", bytes);
  Result<Opened> opened = open_envelope(kName, sealed, {}, kLimit);
  require(!opened.ok() || opened->payload.size() <= kLimit);
  require(!open_envelope(kName, sealed, kStrict, kLimit).ok());  // nobody is trusted
  (void)open_envelope(kName, bytes, {}, kLimit).ok();
}

// The entry and the traces within have frames of their own.
void read_record(std::string_view bytes) {
  std::string sound = encode_record({});
  for (const std::string& payload : {sound.substr(0, sound.size() - 2) + std::string(bytes), std::string(bytes)}) {
    Result<RemoteRecord> read = decode_record(payload, {});
    if (!read.ok()) continue;
    for (const auto& [id, content] : read->inlined) require(digest_bytes(content) == id.digest);
    require(decode_record(encode_record(*read), {}).ok());
  }
}

void read_traces(std::string_view bytes) {
  std::string sound = encode_remote_traces({});
  for (const std::string& payload : {sound.substr(0, sound.size() - 1) + std::string(bytes), std::string(bytes)}) {
    Result<RemoteTraces> read = decode_remote_traces(payload, {});
    if (!read.ok()) continue;
    for (const Candidate& one : read->traces.candidates) require(derive_action_key({}, read->traces.set_of(one)) == one.action);
    keep_newest_records(*read);
    require(read->records.size() <= read->traces.candidates.size());
  }
}

void read_session(std::string_view bytes) {
  Result<RecordedSession> session = decode_session(bytes);
  if (session.ok()) require(session->units.size() <= bytes.size() / 69 && decode_session(encode_session(*session)).ok());
}

// What goes on is no more than what came, in items as they were announced.
class Taker final : public PackTaker {
 public:
  Status begin(const PackItem& item) override {
    require(left_ == 0 && item.kind != PackItem::end && item.kind <= PackItem::traces);
    left_ = item.size;
    return Ok{};
  }
  Status content(std::string_view bytes) override {
    require(!bytes.empty() && bytes.size() <= left_);
    left_ -= bytes.size();
    return Ok{};
  }
  Status end() override {
    require(left_ == 0);
    return Ok{};
  }

 private:
  uint64_t left_ = 0;
};

void read_pack(std::string_view bytes) {
  for (size_t piece : {size_t{1}, size_t{13}, bytes.size() + 1}) {
    Taker taker;
    PackReader reader(taker);
    Status read = reader.write(pack_head());
    for (size_t at = 0; at < bytes.size() && read.ok(); at += piece) read = reader.write(bytes.substr(at, piece));
    if (read.ok()) (void)reader.finish().ok();
  }
}

constexpr void (*kReaders[])(std::string_view) = {unpack, open, read_record, read_traces, read_session, read_pack};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  kReaders[data[0] % std::size(kReaders)]({reinterpret_cast<const char*>(data) + 1, size - 1});
  return 0;
}
