#include "wrapper/recheck_note.h"

#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/bytes.h"
#include "base/frame.h"
#include "base/path.h"

namespace kache {
namespace {

constexpr std::string_view kMagic = "KRECHK01";

// Which variables a compiler, its loader and kache itself need to find what they need; a compile that depends on their values in
// another way has them among its inputs. Behind a star anything may follow.
constexpr std::string_view kNeeded[] = {
    "PATH", "HOME", "PWD", "TMPDIR", "LANG", "LANGUAGE", "LC_*", "LD_LIBRARY_PATH", "XDG_CONFIG_HOME",
    "CARGO_HOME", "CARGO_MANIFEST_DIR", "CARGO_PKG_*", "CARGO_CRATE_NAME", "OUT_DIR", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN",
    "KACHE_CONFIG", "KACHE_BASE_DIR", "KACHE_CACHE_DIR", "KACHE_RUSTC_PATH_NORMALIZE", "KACHE_CC_PATH_NORMALIZE", "KACHE_KEY_SALT",
    "KACHE_KEY_ENV_VARS", "KACHE_PATH_ONLY_ENV_VARS", "KACHE_CC_EXTRA_ALLOWLIST_FLAGS",
};

bool matches(std::string_view pattern, std::string_view name) {
  if (pattern.ends_with('*')) return name.starts_with(pattern.substr(0, pattern.size() - 1));
  return pattern == name;
}

template <typename Patterns>
bool matches_any(const Patterns& patterns, std::string_view name) {
  return std::any_of(std::begin(patterns), std::end(patterns), [&](std::string_view pattern) { return matches(pattern, name); });
}

void write_list(ByteWriter& out, const std::vector<std::string>& list) {
  out.varint(list.size());
  for (const std::string& text : list) out.text(text);
}

std::vector<std::string> read_list(ByteReader& in) {
  std::vector<std::string> list(in.count(1));
  for (std::string& text : list) text = in.text();
  return list;
}

Result<RecheckNote> read_recheck_note(FileSystem& fs, const std::string& path, const std::string& name) {
  FileStat stat = KACHE_TRY(fs.lstat(path));
  // It says what to run: nobody else may have written it.
  if (!stat.is_regular() || stat.uid != ::geteuid() || (stat.mode & 022) != 0) return Error{ErrorCode::denied, 0, "not a file of this user alone"};
  std::string bytes = KACHE_TRY(read_file(fs, path, kMaxRecheckNote));
  RecheckNote note = KACHE_TRY(decode_recheck(bytes));
  if (note.key.hex() != name) return Error{ErrorCode::corrupt, 0, "the note of another result"};
  return note;
}

}  // namespace

std::string encode_recheck(const RecheckNote& note) {
  ByteWriter out;
  out.digest(note.key.digest);
  out.i64(note.created_ns);
  out.text(note.unit);
  out.text(note.root);
  out.u8(note.kind == Recognised::cc);
  out.u8(note.wants_color);
  out.u8(note.declared);
  out.text(note.cwd);
  out.text(note.program);
  write_list(out, note.argv);
  write_list(out, note.env);
  return seal_frame(kMagic, out.bytes());
}

Result<RecheckNote> decode_recheck(std::string_view bytes) {
  ByteReader in(KACHE_TRY(open_frame(kMagic, bytes)));
  RecheckNote note;
  note.key.digest = in.digest();
  note.created_ns = in.i64();
  note.unit = in.text();
  note.root = in.text();
  uint8_t is_cc = in.u8();
  note.wants_color = in.u8() != 0;
  note.declared = in.u8() != 0;
  note.cwd = in.text();
  note.program = in.text();
  note.argv = read_list(in);
  note.env = read_list(in);
  auto has_zero = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  bool is_sound = in.ok() && in.at_end() && is_cc <= 1 && is_absolute(note.cwd) && !note.argv.empty() && !note.argv.front().empty() &&
                  !has_zero(note.cwd) && !has_zero(note.program) && std::none_of(note.argv.begin(), note.argv.end(), has_zero) &&
                  std::none_of(note.env.begin(), note.env.end(), has_zero);
  if (!is_sound) return Error{ErrorCode::corrupt, 0, "not the note of a compile"};
  note.kind = is_cc ? Recognised::cc : Recognised::rustc;
  return note;
}

bool is_sampled(const StoreLayout& layout, const ActionKey& key, uint64_t percent) {
  if (percent == 0) return false;
  return Hasher().field("recheck", layout.root()).field("key", key.digest).finish().prefix64() % 100 < percent;
}

std::vector<std::string> environment_for_recheck(const Env& env, const InputSet& set, const Config& config) {
  std::vector<std::string> kept;
  for (const std::string& entry : env.entries()) {
    std::string name = entry.substr(0, entry.find('='));
    bool is_ours = matches_any(kNeeded, name);
    bool is_input = matches_any(config.key_env_vars, name) ||
                    std::any_of(set.env.begin(), set.env.end(), [&](const EnvInput& input) { return input.name == name; });
    if (is_ours || (is_input && !may_be_secret(name))) kept.push_back(entry);
  }
  return kept;
}

bool is_recheck_wanted(FileSystem& fs, const StoreLayout& layout, const ActionKey& key) {
  return !fs.stat(layout.recheck(key)).ok() && !fs.stat(layout.verdict(key)).ok();
}

void leave_recheck_note(FileSystem& fs, const StoreLayout& layout, const RecheckNote& note) {
  std::string bytes = encode_recheck(note);
  if (bytes.size() > kMaxRecheckNote) return;
  Result<std::vector<DirEntry>> others = fs.list(layout.rechecks());
  if (others.ok() && others->size() >= kMostRecheckNotes) return;
  if (!others.ok() && !fs.make_dir(layout.rechecks(), 0700).ok()) return;
  std::string temporary = temporary_beside(layout.temporary() + "/recheck");
  if (!fs.create(temporary, bytes, 0600).ok()) return;
  if (!fs.rename(temporary, layout.recheck(note.key)).ok()) (void)fs.unlink(temporary);
}

std::vector<RecheckNote> read_recheck_notes(FileSystem& fs, const StoreLayout& layout,
                                            const std::function<void(const std::string& name, const std::string& why)>& on_bad) {
  std::vector<RecheckNote> notes;
  Result<std::vector<DirEntry>> names = fs.list(layout.rechecks());
  if (!names.ok()) return notes;
  for (const DirEntry& name : *names) {
    std::string path = join_path(layout.rechecks(), name.name);
    if (path == layout.verdicts() || name.type == DirEntry::dir) continue;
    Result<RecheckNote> note = read_recheck_note(fs, path, name.name);
    if (note.ok()) {
      notes.push_back(std::move(note).value());
    } else {
      (void)fs.unlink(path);
      on_bad(name.name, note.error().message);
    }
  }
  std::sort(notes.begin(), notes.end(), [](const RecheckNote& a, const RecheckNote& b) { return a.created_ns < b.created_ns; });
  return notes;
}

}  // namespace kache
