#include "remote/verdict.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/frame.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KVERDT01";
constexpr uint64_t kMaxVerdict = 256 << 10;
constexpr std::string_view kNames[] = {"same", "differs", "unsteady", "failed", "skipped", "dropped", "waits"};

}  // namespace

std::string_view verdict_name(Verdict verdict) { return kNames[static_cast<size_t>(verdict)]; }

bool verdict_of_name(std::string_view name, Verdict& verdict) {
  const auto* found = std::find(std::begin(kNames), std::end(kNames), name);
  if (found == std::end(kNames)) return false;
  verdict = static_cast<Verdict>(found - std::begin(kNames));
  return true;
}

std::string encode_verdict(const VerdictNote& note) {
  ByteWriter out;
  out.digest(note.key.digest);
  out.u8(static_cast<uint8_t>(note.verdict));
  out.i64(note.at_ns);
  out.text(note.unit);
  out.text(note.root);
  out.text(note.why);
  out.varint(note.what.size());
  for (const std::string& what : note.what) out.text(what);
  out.varint(note.compile_ms);
  return seal_frame(kMagic, out.bytes());
}

Result<VerdictNote> decode_verdict(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  VerdictNote note;
  note.key.digest = in.digest();
  uint8_t verdict = in.u8();
  note.at_ns = in.i64();
  note.unit = in.text();
  note.root = in.text();
  note.why = in.text();
  note.what.resize(in.count(1));
  for (std::string& what : note.what) what = in.text();
  note.compile_ms = in.varint();
  if (!in.ok() || !in.at_end() || verdict >= std::size(kNames)) return Error{ErrorCode::corrupt, 0, "not a verdict"};
  note.verdict = static_cast<Verdict>(verdict);
  return note;
}

Status keep_verdict(FileSystem& fs, const StoreLayout& layout, const VerdictNote& note) {
  KACHE_TRY(make_dirs(fs, layout.verdicts(), 0700));
  return replace_file(fs, layout.verdict(note.key), encode_verdict(note), 0600);
}

std::vector<VerdictNote> read_verdicts(FileSystem& fs, const StoreLayout& layout) {
  std::vector<VerdictNote> notes;
  Result<std::vector<DirEntry>> names = fs.list(layout.verdicts());
  if (!names.ok()) return notes;
  for (const DirEntry& name : *names) {
    ActionKey key;
    if (!Digest::parse_hex(name.name, key.digest)) continue;
    Result<std::string> bytes = read_file(fs, layout.verdict(key), kMaxVerdict);
    Result<VerdictNote> note = bytes.ok() ? decode_verdict(*bytes) : Result<VerdictNote>(bytes.error());
    if (note.ok() && note->key == key) notes.push_back(std::move(note).value());
  }
  std::sort(notes.begin(), notes.end(), [](const VerdictNote& a, const VerdictNote& b) { return a.at_ns < b.at_ns; });
  return notes;
}

bool is_disbelieved(FileSystem& fs, const StoreLayout& layout, const ActionKey& key) {
  Result<std::string> bytes = read_file(fs, layout.verdict(key), kMaxVerdict);
  Result<VerdictNote> note = bytes.ok() ? decode_verdict(*bytes) : Result<VerdictNote>(bytes.error());
  return note.ok() && note->key == key && note->verdict == Verdict::differs;
}

std::string format_verdict(const VerdictNote& note) {
  nlohmann::ordered_json line = {{"event", "verification"}, {"ts", format_time(note.at_ns)}, {"crate_name", note.unit}, {"root", note.root},
                                 {"cache_key", note.key.hex()}, {"verdict", verdict_name(note.verdict)},
                                 {"compile_time_ms", note.compile_ms}, {"schema", 1}};
  if (!note.why.empty()) line["why"] = note.why;
  if (!note.what.empty()) line["what"] = note.what;
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace kache
