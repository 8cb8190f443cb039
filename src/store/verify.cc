#include "store/verify.h"

#include <errno.h>

#include <algorithm>

#include "base/path.h"
#include "record/collect.h"
#include "store/blob.h"
#include "store/matches.h"
#include "store/same.h"
#include "store/set_proof.h"

namespace kache {
namespace {

bool is_missing(const Error& error) {
  return error.sys == ENOENT || error.sys == ENOTDIR || error.sys == ELOOP || error.sys == ENAMETOOLONG;
}

Digest names_digest(const std::vector<std::string>& names) {
  Hasher hasher;
  hasher.field("names", names.size());
  for (const std::string& name : names) hasher.field("name", name);
  return hasher.finish();
}

}  // namespace

Digest presence_digest(const FileStat& stat) {
  uint64_t kind = stat.is_regular() ? 1 : stat.is_dir() ? 2 : 3;
  return Hasher().field("presence", kind).field("size", stat.is_regular() ? stat.size : 0).finish();
}

Digest link_digest(std::string_view text) { return Hasher().field("link", text).finish(); }

bool is_library_name(std::string_view name) {
  return (name.starts_with("lib") && (name.ends_with(".rlib") || name.ends_with(".rmeta"))) || name.ends_with(".so");
}

Result<FileStat> Verifier::stat(const std::string& path) { return fs_.stat(path); }

Result<Digest> Verifier::file_digest(const std::string& path, const FileStat* known) {
  auto cached = files_.find(path);
  if (cached != files_.end()) return cached->second;
  FileStat before;
  if (known) before = *known;
  else before = KACHE_TRY(stat(path));
  Digest digest;
  if (memo_.find(before, 0, &digest)) {
    counts_.known++;
    files_.emplace(path, digest);
    return digest;
  }
  if (!before.is_regular()) return Error{ErrorCode::unsupported, 0, path + ": not a regular file"};
  // The clock is read before the bytes: a write after this moment gets a later ctime than a settled file has.
  int64_t clock = clock_.file_clock_ns();
  File file = KACHE_TRY(open_file(fs_, path));
  before = KACHE_TRY(fs_.stat_handle(file.handle()));
  if (!before.is_regular()) return Error{ErrorCode::unsupported, 0, path + ": not a regular file"};
  digest = KACHE_TRY(digest_file(fs_, file.handle()));
  counts_.read++;
  counts_.read_bytes += before.size;
  FileStat after = KACHE_TRY(fs_.stat_handle(file.handle()));
  if (settled(before, clock) && same_identity(before, after)) memo_.insert(after, 0, digest);
  files_.emplace(path, digest);
  return digest;
}

const std::string& Verifier::find_program(const std::string& name) {
  auto [place, is_new] = programs_.try_emplace(name);
  if (!is_new) return place->second;
  const char* path = line_.env.get("PATH");
  std::string_view rest = path ? path : "/bin:/usr/bin";
  for (;;) {
    size_t colon = rest.find(':');
    std::string candidate = absolute_path(line_.cwd, join_path(rest.substr(0, colon), name));
    Result<FileStat> found = fs_.stat(candidate);
    if (found.ok() && found->is_regular() && found->is_executable()) {
      place->second = std::move(candidate);
      break;
    }
    if (colon == std::string_view::npos) break;
    rest.remove_prefix(colon + 1);
  }
  return place->second;
}

bool Verifier::is_own_output(std::string_view name) const {
  for (const std::string& stem : invocation_.output_stems()) {
    if (name.starts_with(stem) && name.substr(stem.size()).starts_with('.')) return true;
  }
  return false;
}

Digest Verifier::standing_for(const std::string& path, const Digest& content) const {
  return is_remade_otherwise(path) ? origin_of(fs_, layout_, content) : content;
}

Result<Digest> Verifier::answer(InputKind kind, const std::string& path) {
  switch (kind) {
    case InputKind::file: return standing_for(path, KACHE_TRY(file_digest(path)));
    case InputKind::absent: {
      Result<FileStat> found = fs_.lstat(path);
      if (found.ok()) found = fs_.stat(path);  // a dangling link is absent to all who follow it
      if (found.ok()) return Error{ErrorCode::exists, 0, path + ": exists"};
      if (!is_missing(found.error())) return std::move(found).error();
      return Digest{};
    }
    case InputKind::presence: return presence_digest(KACHE_TRY(stat(path)));
    case InputKind::listing:
    case InputKind::libraries: {
      FileStat before = KACHE_TRY(stat(path));
      uint64_t aux = kind == InputKind::listing ? 0x6c697374 : 0x6c696273;
      // What the unit itself puts there was not there when it looked.
      bool has_own = path == absolute_path(line_.cwd, invocation_.output_dir());
      Digest digest;
      if (!has_own && memo_.find(before, aux, &digest)) return digest;
      int64_t clock = clock_.file_clock_ns();
      std::vector<DirEntry> entries = KACHE_TRY(fs_.list(path));
      std::vector<std::string> names;
      for (DirEntry& entry : entries) {
        if (has_own && is_own_output(entry.name)) continue;
        if (kind == InputKind::listing || is_library_name(entry.name)) names.push_back(std::move(entry.name));
      }
      std::sort(names.begin(), names.end());
      digest = names_digest(names);
      Result<FileStat> after = stat(path);
      if (!has_own && after.ok() && settled(before, clock) && same_identity(before, *after)) memo_.insert(before, aux, digest);
      return digest;
    }
    case InputKind::matches: {
      std::string dir;
      std::vector<std::string> patterns;
      if (!split_matches_question(path, dir, patterns)) return Error{ErrorCode::corrupt, 0, "matches: malformed question"};
      return names_digest(KACHE_TRY(find_matches(fs_, dir, patterns)));
    }
    case InputKind::times: {
      FileStat now = KACHE_TRY(stat(path));
      return Hasher().field("times", static_cast<uint64_t>(now.mtime_ns)).field("size", now.size).finish();
    }
    case InputKind::link: return link_digest(KACHE_TRY(fs_.read_link(path)));
    case InputKind::real_path:
      KACHE_TRY(stat(path));
      return Hasher().field("real", roots_.remapped(resolver_.real(path))).finish();
    case InputKind::program: {
      const std::string& found = find_program(path);
      return found.empty() ? Digest{} : Hasher().field("program", roots_.remapped(found)).finish();
    }
  }
  return Error{ErrorCode::invalid, 0, "unknown kind of input"};
}

EnvInput Verifier::env_input(const std::string& name, bool literal) const {
  EnvInput input;
  input.name = name;
  const char* value = nullptr;
  if (name == kWholeEnvironment) {
    std::vector<std::string> entries = line_.env.entries();
    std::sort(entries.begin(), entries.end());
    Hasher hasher;
    for (const std::string& entry : entries) {
      size_t equals = std::min(entry.find('='), entry.size());
      if (is_harmless_in_whole(entry.substr(0, equals))) continue;
      std::string_view text = std::string_view(entry).substr(equals);
      hasher.field("name", entry.substr(0, equals));
      hasher.field("value", literal ? std::string(text.substr(0)) : "=" + roots_.remapped_list(text.substr(!text.empty())));
    }
    input.is_set = true;
    input.digest = hasher.finish();
    return input;
  }
  std::string made;
  if (name.starts_with('=')) {
    made = fact_of_command_line(name);
    value = made.empty() ? nullptr : made.c_str();
  } else {
    value = line_.env.get(name);
  }
  input.is_set = value != nullptr;
  if (value) {
    input.digest = literal ? Hasher().field("env", std::string_view(value)).finish() : env_digest(roots_, value);
  }
  return input;
}

// What is compared like a variable and is none; "" where there is nothing of the kind.
std::string Verifier::fact_of_command_line(std::string_view name) const {
  if (name == kDiagnosticWidth) return invocation_.diagnostic_width.value_or("");
  if (name == kDiagnosticColor) return invocation_.wants_color ? "yes" : "";
  if (name == kOutputName) return invocation_.named_outputs.empty() ? "" : invocation_.named_outputs.front().path;
  std::string text;
  for (const std::string& target : invocation_.cc.depfile_targets) text += target + "\n";
  return text;
}

bool Verifier::absent(const std::string& path) { return answer(InputKind::absent, path).ok(); }

bool Verifier::holds(const Input& input) {
  std::string path = input.kind == InputKind::program ? input.path.rest : roots_.resolve(input.path);
  if (path.empty()) return false;
  Result<Digest> now = answer(input.kind, path);
  return now.ok() && *now == input.digest;
}

// The absents of one directory, which lie side by side: one stat of the directory proves all of them where it is
// unchanged since they were last looked at.
size_t Verifier::check_absent(const std::vector<Input>& inputs, size_t first, size_t limit,
                              std::vector<Difference>& found) {
  std::string_view dir = dir_name(inputs[first].path.rest);
  RootRef root = inputs[first].path.root;
  size_t end = first;
  Hasher question;
  while (end < inputs.size() && inputs[end].kind == InputKind::absent && inputs[end].path.root == root &&
         dir_name(inputs[end].path.rest) == dir) {
    question.field("name", base_name(inputs[end].path.rest));
    ++end;
  }
  std::string dir_path(dir_name(roots_.resolve(inputs[first].path)));
  if (dir_path.empty()) {
    found.push_back({Difference::location, inputs[first].path.rest});
    return end;
  }
  int64_t clock = clock_.file_clock_ns();
  Result<FileStat> stat = fs_.stat(dir_path);
  if (!stat.ok()) {
    if (!is_missing(stat.error())) found.push_back({Difference::absent, dir_path});
    return end;  // nothing can be in a directory that is not there
  }
  Digest names = question.finish();
  uint64_t aux = names.prefix64() | 1;
  Digest known;
  if (memo_.find(*stat, aux, &known) && known == names) return end;
  size_t before = found.size();
  bool followed_link = false;
  for (size_t i = first; i < end && found.size() < limit; ++i) {
    std::string path = roots_.resolve(inputs[i].path);
    if (!absent(path)) found.push_back({Difference::absent, path});
    // A dangling link is absent, but it may come to life without a change in this directory.
    else if (fs_.lstat(path).ok()) followed_link = true;
  }
  followed_dangling_link_ |= followed_link;
  if (found.size() == before && !followed_link && settled(*stat, clock)) memo_.insert(*stat, aux, names);
  return end;
}

static Difference::Kind difference_kind(InputKind kind) {
  switch (kind) {
    case InputKind::file: return Difference::file;
    case InputKind::absent: return Difference::absent;
    case InputKind::presence: return Difference::presence;
    case InputKind::times: return Difference::times;
    case InputKind::listing:
    case InputKind::matches:
    case InputKind::libraries: return Difference::listing;
    case InputKind::link:
    case InputKind::real_path: return Difference::link;
    case InputKind::program: return Difference::program;
  }
  return Difference::none;
}

// What costs no look at the disk.
void Verifier::check_facts(const InputSet& set, size_t limit, std::vector<Difference>& found) {
  bool bound = !set.bindings.empty();
  for (const Binding& binding : set.bindings) {
    const Root* root = roots_.find(binding.root);
    if ((!root || root->path != binding.path) && found.size() < limit) {
      found.push_back({Difference::location, binding.path});
    }
  }
  for (const EnvInput& env : set.env) {
    if (found.size() >= limit) return;
    if (!(env_input(env.name, bound) == env)) found.push_back({Difference::variable, env.name});
  }
}

void Verifier::check_inputs(const InputSet& set, const std::vector<bool>* covered, size_t limit, std::vector<Difference>& found) {
  for (size_t i = 0; i < set.inputs.size() && found.size() < limit;) {
    const Input& input = set.inputs[i];
    if (covered && (*covered)[i]) {
      ++i;
      continue;
    }
    if (input.kind == InputKind::absent) {
      i = check_absent(set.inputs, i, limit, found);
      continue;
    }
    if (!holds(input)) {
      std::string name = input.kind == InputKind::program ? input.path.rest : roots_.resolve(input.path);
      found.push_back({difference_kind(input.kind), name.substr(0, name.find('\0'))});
    }
    ++i;
  }
}

Difference Verifier::first_difference(const InputSet& set, const ActionKey& action) {
  std::vector<Difference> found;
  check_facts(set, 1, found);
  if (!found.empty()) return found.front();
  SetProofRequest request{set, action, roots_, {line_.cwd, absolute_path(line_.cwd, invocation_.output_dir())}};
  SetProof proof = gather_proof(fs_, clock_, request);
  bool proven = is_proven(memo_, proof);
  if (proven) counts_.known += static_cast<uint64_t>(std::count(proof.covered.begin(), proof.covered.end(), true));
  check_inputs(set, proven ? &proof.covered : nullptr, 1, found);
  if (!found.empty()) return found.front();
  // What was asked one by one must be what the identities are of: nothing has changed in between.
  bool may_keep = !proven && proof.is_settled && !followed_dangling_link_;
  if (may_keep && gather_proof(fs_, clock_, request).key == proof.key) keep_proof(memo_, proof);
  return {};
}

std::vector<Difference> Verifier::differences(const InputSet& set, size_t limit) {
  std::vector<Difference> found;
  check_facts(set, limit, found);
  check_inputs(set, nullptr, limit, found);
  return found;
}

}  // namespace kache
