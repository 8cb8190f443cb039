#include "remote/session.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <set>

#include "base/bytes.h"
#include "base/path.h"
#include "key/schema.h"
#include "remote/envelope.h"

namespace kache {
namespace {

constexpr uint64_t kMaxSession = 16 << 20;
constexpr size_t kMostUnits = 200'000, kMostPacks = 1000;
constexpr int64_t kEndOfTime = 9'999'999'999;  // seconds: ten digits until then
constexpr size_t kMostListed = 200;

// Any text as a word of an ObjectName. What had to be changed is told apart by a hash.
std::string as_word(std::string_view text) {
  std::string word;
  for (char c : text) {
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    word += is_plain ? c : '-';
  }
  word.erase(0, std::min(word.find_first_not_of("-."), word.size()));
  if (word == text && is_word(word)) return word;
  if (word.size() > 100) word.erase(0, word.size() - 100);
  word.erase(0, std::min(word.find_first_not_of("-."), word.size()));
  return word + (word.empty() ? "" : "-") + digest_bytes(text).hex().substr(0, 12);
}

// "git@host:group/project.git" and "https://user@host/group/project" are the same place: "host/group/project".
std::string place_of(std::string url) {
  size_t scheme = url.find("://");
  if (scheme != std::string::npos) url.erase(0, scheme + 3);
  size_t slash = url.find('/'), at = url.rfind('@', slash);
  if (at != std::string::npos) url.erase(0, at + 1);
  if (scheme == std::string::npos) {
    size_t colon = url.find(':');
    if (colon != std::string::npos && colon < url.find('/')) url[colon] = '/';
  }
  while (url.ends_with('/')) url.pop_back();
  if (url.ends_with(".git")) url.resize(url.size() - 4);
  return url;
}

// The value behind "url =" in the section of the remote called origin.
std::string origin_of_config(std::string_view text) {
  bool in_origin = false;
  while (!text.empty()) {
    size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with('[')) in_origin = line.starts_with("[remote \"origin\"]");
    if (!in_origin || !line.starts_with("url")) continue;
    size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    line.remove_prefix(equals + 1);
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
    return std::string(line);
  }
  return {};
}

std::string line_of(FileSystem& fs, const std::string& path) {
  std::string text = read_file(fs, path, 4096).value_or("");
  return text.substr(0, text.find_first_of("\r\n"));
}

}  // namespace

std::string encode_session(const RecordedSession& session) {
  ByteWriter out;
  out.varint(kKeySchema);
  out.text(session.space);
  out.text(session.branch);
  out.i64(session.created_ns);
  out.varint(session.units.size());
  for (const SessionUnit& unit : session.units) {
    out.digest(unit.invocation.digest);
    out.digest(unit.action.digest);
    out.text(unit.crate_name);
    out.varint(unit.compile_ms);
    out.varint(unit.size);
    out.varint(unit.offset_ms);
    out.varint(unit.pack);
  }
  out.varint(session.packs.size());
  for (const PackRef& pack : session.packs) {
    out.digest(pack.name);
    out.u8(pack.signer.has_value());
    if (pack.signer) out.raw({reinterpret_cast<const char*>(pack.signer->bytes.data()), pack.signer->bytes.size()});
    out.varint(pack.bytes);
    out.varint(pack.original_bytes);
    out.varint(pack.output_bytes);
  }
  return std::move(out).take();
}

Result<RecordedSession> decode_session(std::string_view payload) {
  ByteReader in(payload);
  RecordedSession session;
  if (in.varint() != kKeySchema) return Error{ErrorCode::corrupt, 0, "session of another schema"};
  session.space = in.text();
  session.branch = in.text();
  session.created_ns = in.i64();
  uint64_t count = in.count(69);
  if (count > kMostUnits) return Error{ErrorCode::too_large, 0, "session of " + std::to_string(count) + " units"};
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    SessionUnit unit;
    unit.invocation.digest = in.digest();
    unit.action.digest = in.digest();
    unit.crate_name = in.text();
    unit.compile_ms = in.varint();
    unit.size = in.varint();
    unit.offset_ms = static_cast<uint32_t>(in.varint());
    unit.pack = static_cast<uint32_t>(in.varint());
    session.units.push_back(std::move(unit));
  }
  uint64_t packs = in.count(36);
  if (packs > kMostPacks) return Error{ErrorCode::too_large, 0, "session of " + std::to_string(packs) + " packs"};
  for (uint64_t i = 0; i < packs && in.ok(); ++i) {
    PackRef pack;
    pack.name = in.digest();
    if (in.u8() != 0) {
      std::string_view bytes = in.raw(sizeof(PublicKey::bytes));
      if (in.ok()) std::copy(bytes.begin(), bytes.end(), pack.signer.emplace().bytes.begin());
    }
    pack.bytes = in.varint();
    pack.original_bytes = in.varint();
    pack.output_bytes = in.varint();
    session.packs.push_back(std::move(pack));
  }
  for (const SessionUnit& unit : session.units) {
    if (unit.pack > session.packs.size()) in.fail();
  }
  if (!in.ok() || !in.at_end()) return Error{ErrorCode::corrupt, 0, "malformed session"};
  return session;
}

std::string session_word(int64_t created_ns, uint64_t chance) {
  char word[40];
  std::snprintf(word, sizeof word, "%010lld-%016llx", static_cast<long long>(kEndOfTime - created_ns / 1'000'000'000),
                static_cast<unsigned long long>(chance));
  return word;
}

Namespace namespace_of(FileSystem& fs, std::string_view given, const std::string& root) {
  Namespace name;
  std::string git, top = root;
  for (; is_absolute(top) && top != "/"; top = dir_name(top)) {
    git = top + "/.git";
    Result<FileStat> stat = fs.stat(git);
    if (!stat.ok()) continue;
    if (!stat->is_regular()) break;
    // A worktree, or a submodule: where its own things lie.
    std::string pointer = line_of(fs, git);
    if (pointer.starts_with("gitdir: ")) git = absolute_path(top, pointer.substr(8));
    break;
  }
  std::string head = line_of(fs, git + "/HEAD");
  if (head.starts_with("ref: refs/heads/")) name.branch = head.substr(16);
  std::string common = line_of(fs, git + "/commondir");
  std::string origin = origin_of_config(read_file(fs, (common.empty() ? git : absolute_path(git, common)) + "/config", 1 << 20).value_or(""));
  if (!given.empty()) name.space = as_word(given);
  else if (!origin.empty()) name.space = as_word(place_of(origin));
  else name.space = as_word(base_name(root).empty() ? std::string_view("root") : base_name(root));
  return name;
}

Result<std::string> save_session(Tiers& remote, const RecordedSession& session, uint64_t chance, const Limits& limits) {
  std::string word = session_word(session.created_ns, chance);
  ObjectName name = ObjectName::session(session.space, word);
  KACHE_TRY(put_bytes(remote, name, seal_envelope(name, encode_session(session), 3, nullptr), if_absent(), limits));
  return word;
}

Result<std::vector<RecordedSession>> newest_sessions(Tiers& remote, const Namespace& name, size_t most, const Limits& limits) {
  std::vector<ObjectName> names;
  Status listed = remote.list(ObjectKind::session, kind_prefix(ObjectKind::session) + name.space + "/",
                              [&](const ListedObject& object) -> Status {
                                names.push_back(object.name);
                                return Ok{};
                              }, limits);
  if (!listed.ok()) return std::move(listed).error();
  std::sort(names.begin(), names.end());  // the newest first
  if (names.size() > kMostListed) names.erase(names.begin() + kMostListed, names.end());
  std::vector<RecordedSession> of_branch, others;
  static const Trust kAnybody;
  for (const ObjectName& one : names) {
    if (of_branch.size() >= most) break;
    StringSink sink;
    Limits bounded = limits;
    bounded.max_bytes = kMaxSession;
    if (!remote.get(one, sink, bounded).ok()) continue;
    Result<Opened> opened = open_envelope(one, sink.bytes(), kAnybody, kMaxSession);
    Result<RecordedSession> session = opened.ok() ? decode_session(opened->payload) : Result<RecordedSession>(opened.error());
    if (!session.ok()) continue;
    if (session->branch == name.branch) of_branch.push_back(std::move(session).value());
    else if (others.size() < most) others.push_back(std::move(session).value());
    // Of a branch that nobody has built yet, the others must do.
    if (of_branch.empty() && others.size() >= most) break;
  }
  std::move(others.begin(), others.end(), std::back_inserter(of_branch));
  return of_branch;
}

}  // namespace kache
