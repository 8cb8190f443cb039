#include "wrapper/commit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>

#include "base/path.h"
#include "compiler/cc_languages.h"
#include "compiler/env_use.h"
#include "compiler/time_macros.h"
#include "store/evidence.h"
#include "store/publish.h"
#include "store/render.h"
#include "store/restore.h"
#include "store/same.h"
#include "store/traces.h"

namespace kache {
namespace {

constexpr uint64_t kMaxSourceSize = 256u << 20;
// Shorter values ("1", "dumb") are in any output by chance.
constexpr size_t kTellableSize = 5;

// Inputs of one directory side by side, so that its absents can be proven together.
bool in_trace_order(const Input& a, const Input& b) {
  auto key = [](const Input& input) {
    std::string_view path = input.path.rest;
    return std::tuple(input.kind == InputKind::absent, input.path.root, dir_name(path), base_name(path), input.kind);
  };
  return key(a) < key(b);
}

// The date field of each member's header, "ar(5)": 16 bytes of name, 12 of date; 60 bytes in all, the size at 48.
bool has_member_times(std::string_view archive) {
  constexpr size_t kHeader = 60;
  if (!archive.starts_with("!<arch>\n") && !archive.starts_with("!<thin>\n")) return true;
  bool is_thin = archive.starts_with("!<thin>");
  for (size_t at = 8; at + kHeader <= archive.size();) {
    std::string_view header = archive.substr(at, kHeader);
    std::string_view name = header.substr(0, 16), date = header.substr(16, 12);
    bool is_zero = date.find_first_not_of(" 0") == std::string_view::npos;
    if (!is_zero && date.find_first_not_of(' ') != std::string_view::npos) return true;
    uint64_t size = 0;
    for (char c : header.substr(48, 10)) {
      if (c >= '0' && c <= '9') size = size * 10 + static_cast<uint64_t>(c - '0');
    }
    bool holds_bytes = !is_thin || name.starts_with("/ ") || name.starts_with("//") || name.starts_with("/SYM64/");
    at += kHeader + (holds_bytes ? size + size % 2 : 0);
  }
  return false;
}

// target/debug/deps, target/debug/examples, target/debug/build/<package>/...: debug.
std::string cargo_profile(std::string_view out_dir) {
  for (std::string_view below = out_dir; below.size() > 1; below = dir_name(below)) {
    std::string_view name = base_name(below);
    if (name == "deps" || name == "examples" || name == "build") return std::string(base_name(dir_name(below)));
  }
  return {};
}

class Committer {
 public:
  Committer(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, Verifier& verifier,
            const CommitRequest& request)
      : fs_(fs), clock_(clock), blobs_(blobs), memo_(memo), verifier_(verifier), request_(request) {}

  Result<CommitReport> run() {
    KACHE_TRY(measure_inputs());
    if (request_.invocation.family == Family::cc) look_for_time();
    if (report_.refused) return report_;
    KACHE_TRY(take_outputs());
    if (report_.refused) return report_;
    settle_variables();
    find_bindings();
    measure_variables();
    note_origins();
    KACHE_TRY(write_entry());
    KACHE_TRY(write_traces());
    memo_.grow_if_crowded();
    return report_;
  }

 private:
  void refuse(Refusal refusal, const std::string& detail) {
    if (!report_.refused) report_.refused = {refusal, detail};
  }

  // The bytes that the compiler read are the bytes that are there now: the file had settled when it was opened (or its
  // digest was known for the very identity it had then), and is unchanged since.
  Status measure_file(const ReadFile& file) {
    Result<FileStat> now = fs_.stat(file.path);
    if (!now.ok()) return refuse(Refusal::input_changed, file.path), Ok{};
    Digest known;
    bool proven = memo_.find(file.identity, 0, &known);
    bool is_blob = proven && is_sealed(file.identity, known);  // its ctime moves with every hard link made of it
    if (!same_identity(*now, file.identity)) {
      bool only_linked = is_blob && now->ino == file.identity.ino && now->dev == file.identity.dev &&
                         now->mtime_ns == file.identity.mtime_ns && now->size == file.identity.size;
      if (!only_linked) return refuse(Refusal::input_changed, file.path), Ok{};
    }
    if (!proven && !settled(file.identity, file.clock_ns)) {
      return refuse(Refusal::input_changed, file.path + " was written as it was read"), Ok{};
    }
    Result<Digest> digest = verifier_.file_digest(file.path, &*now);
    if (!digest.ok()) return refuse(Refusal::input_unreadable, file.path), Ok{};
    add(InputKind::file, file.path, verifier_.standing_for(file.path, *digest));
    return Ok{};
  }

  // Is the answer that we get now the one that the compiler got? As far as it was noted then.
  bool is_the_same(const Question& question, const Digest& answer) {
    const std::string& path = question.input.path.rest;
    switch (question.input.kind) {
      case InputKind::presence: return question.identity.ino == 0 || presence_digest(question.identity) == answer;
      case InputKind::link: return question.text.empty() || link_digest(question.text) == answer;
      case InputKind::real_path: {
        Result<std::string> real = real_path(path);
        return question.text.empty() || (real.ok() && *real == question.text);
      }
      case InputKind::listing: {
        Result<FileStat> now = fs_.stat(path);
        return now.ok() && same_identity(*now, question.identity) && settled(question.identity, question.clock_ns);
      }
      case InputKind::libraries: return !has_new_library(path);
      case InputKind::program: return !is_new(verifier_.find_program(path));
      default: return true;
    }
  }

  static Result<std::string> real_path(const std::string& path) {
    char* resolved = ::realpath(path.c_str(), nullptr);
    if (!resolved) return error_from_errno(errno, path);
    std::string real = resolved;
    ::free(resolved);
    return real;
  }

  // It appeared while the compiler ran, which may have looked before.
  bool is_new(const std::string& path) {
    if (path.empty()) return false;
    Result<FileStat> stat = fs_.stat(path);
    return !stat.ok() || stat->ctime_ns >= request_.started_ns;
  }

  bool has_new_library(const std::string& dir) {
    Result<std::vector<DirEntry>> entries = fs_.list(dir);
    return !entries.ok() || std::any_of(entries->begin(), entries->end(), [&](const DirEntry& entry) {
      return is_library_name(entry.name) && !verifier_.is_own_output(entry.name) && is_new(join_path(dir, entry.name));
    });
  }

  Status measure_inputs() {
    for (const ReadFile& file : request_.observed.files) {
      KACHE_TRY(measure_file(file));
      if (report_.refused) return Ok{};
    }
    for (const std::string& path : request_.extra.files) {
      Result<Digest> digest = verifier_.file_digest(path);
      if (!digest.ok()) return refuse(Refusal::input_unreadable, path), Ok{};
      add(InputKind::file, path, *digest);
    }
    for (const Question& question : request_.observed.questions) {
      const std::string& path = question.input.path.rest;
      Result<Digest> answer = verifier_.answer(question.input.kind, path);
      if (!answer.ok() || !is_the_same(question, *answer)) return refuse(Refusal::input_changed, path), Ok{};
      add(question.input.kind, question.input.kind == InputKind::absent ? highest_absent(path) : path, *answer);
    }
    for (const Input& question : request_.extra.questions) {
      Result<Digest> answer = verifier_.answer(question.kind, question.path.rest);
      if (!answer.ok()) return refuse(Refusal::input_changed, question.path.rest), Ok{};
      add(question.kind, question.path.rest, *answer);
    }
    for (const Input& input : request_.before) set_.inputs.push_back(input);
    if (holds_times_of_inputs()) {
      for (const ReadFile& file : request_.observed.files) {
        Result<Digest> times = verifier_.answer(InputKind::times, file.path);
        if (!times.ok()) return refuse(Refusal::input_changed, file.path), Ok{};
        add(InputKind::times, file.path, *times);
      }
    }
    std::sort(set_.inputs.begin(), set_.inputs.end(), in_trace_order);
    set_.inputs.erase(std::unique(set_.inputs.begin(), set_.inputs.end()), set_.inputs.end());
    return Ok{};
  }

  // Outside of all roots directories do not come and go: of a file in a directory that is not there, it is enough to say that
  // the directory is not. Its neighbours are looked for in the one above already.
  std::string highest_absent(const std::string& path) {
    if (request_.roots.map(path).root.kind != RootKind::none) return path;
    std::string absent = path;
    for (std::string dir(dir_name(path)); dir.size() > 1; dir = dir_name(dir)) {
      auto [known, is_new] = is_there_.try_emplace(dir, false);
      if (is_new) known->second = fs_.stat(dir).ok();
      if (known->second) return absent;
      absent = dir;
    }
    return absent;
  }

  // clang writes size and time of each header into what it precompiles, and will not use it with any others.
  bool holds_times_of_inputs() const {
    const Invocation& invocation = request_.invocation;
    if (invocation.family != Family::cc || invocation.cc.kind == CcKind::gcc) return false;
    const std::vector<std::string>& args = invocation.args;
    if (std::find(args.begin(), args.end(), "-fno-pch-timestamp") != args.end()) return false;
    return std::any_of(request_.found.outputs.begin(), request_.found.outputs.end(), [](const FoundOutput& found) {
      return found.output.role == "precompiled-header" || found.path.ends_with(".pcm") || found.path.ends_with(".pch");
    });
  }

  void add(InputKind kind, const std::string& path, const Digest& digest) {
    Input input;
    input.kind = kind;
    input.path = kind == InputKind::program ? RootedPath{{}, path} : request_.roots.map(path);
    input.digest = digest;
    set_.inputs.push_back(std::move(input));
  }

  // Small texts go into the entry, everything else becomes a blob; all bytes are searched for places on the way.
  Status take_outputs() {
    for (const FoundOutput& found : request_.found.outputs) {
      Output output = found.output;
      if (output.role == "dep-info" || output.role == "depfile") {
        std::string bytes = KACHE_TRY(read_file(fs_, found.path, 64u << 20));
        output.content = OutputContent::text;
        output.size = 0;
        if (output.role == "dep-info") take_dep_info(bytes, output);
        else take_depfile(bytes, output);
        search_text(output.text);
      } else {
        if (output.role == "archive") check_member_times(found.path);
        Blob blob = KACHE_TRY(blobs_.put(found.path, may_link(output)));
        output.blob = blob.id;
        output.size = blob.size;
        report_.blobs++;
        report_.new_blobs += blob.is_new;
        if (blob.is_new) bytes_by(blob.sharing) += blob.size;
        report_.bytes += blob.size;
        KACHE_TRY(search_file(found.path, blob.size));
        // What was just compiled is what the next unit reads: its digest is known without reading it again.
        Result<FileStat> now = fs_.stat(found.path);
        if (now.ok() && (is_sealed(*now, blob.id.digest) || (same_identity(*now, found.stat) &&
                                                             settled(*now, clock_.file_clock_ns())))) {
          memo_.insert(*now, 0, blob.id.digest);
        }
      }
      entry_.outputs.push_back(std::move(output));
    }
    TextKind kind = request_.invocation.family == Family::rustc ? TextKind::messages : TextKind::cc_messages;
    entry_.standard_output = make_template(request_.process.standard_output, kind, request_.roots);
    entry_.standard_error = make_template(request_.process.standard_error, kind, request_.roots);
    search_text(entry_.standard_output);
    search_text(entry_.standard_error);
    return Ok{};
  }

  void take_dep_info(std::string_view bytes, Output& output) {
    output.text = make_template(bytes, TextKind::dep_info, request_.roots);
    Result<DepInfo> info = parse_dep_info(bytes);
    if (info.ok()) dep_info_ = std::move(info).value();
  }

  void take_depfile(std::string_view bytes, Output& output) {
    bool is_apart = make_depfile_template(bytes, request_.invocation.cc.depfile_targets, request_.roots, output.text);
    if (!is_apart) facts_.insert(std::string(kDepfileTargets));
  }

  // What is in an archive without D, or of a tool that knows none, is true of this moment only.
  void check_member_times(const std::string& path) {
    Result<std::string> bytes = read_file(fs_, path, kMaxSourceSize);
    if (!bytes.ok() || has_member_times(*bytes)) refuse(Refusal::member_times, path);
  }

  // gcc says itself that it uses the time, by asking for SOURCE_DATE_EPOCH only then. For the others, and for the time of a
  // file, the sources tell; too much rather than too little.
  void look_for_time() {
    const CommandLine& line = request_.line;
    const std::vector<std::string>& asked = request_.observed.variables;
    bool asks = std::find(asked.begin(), asked.end(), "SOURCE_DATE_EPOCH") != asked.end();
    bool is_fixed = asks && line.env.has("SOURCE_DATE_EPOCH");
    bool is_gcc = request_.invocation.cc.kind == CcKind::gcc;
    if (is_gcc && asks && !is_fixed) return refuse(Refusal::time_macro, "__DATE__ or __TIME__");
    auto look = [&](std::string_view text, const std::string& where) {
      TimeUse use = find_time_macros(text);
      if (use.file) refuse(Refusal::time_macro, "__TIMESTAMP__ in " + where);
      if (use.clock && !is_gcc && !is_fixed) refuse(Refusal::time_macro, "__DATE__ or __TIME__ in " + where);
    };
    for (const std::string& arg : line.argv) look(arg, arg);
    for (const ReadFile& file : request_.observed.files) {
      if (cc_language_of(file.path).empty() && file.identity.is_executable()) continue;  // the compiler's own programs
      Result<std::string> text = read_file(fs_, file.path, kMaxSourceSize);
      if (text.ok() && is_text(*text)) look(*text, file.path);
    }
  }

  static bool is_text(std::string_view bytes) {
    return bytes.substr(0, 4096).find('\0') == std::string_view::npos;
  }

  uint64_t& bytes_by(Sharing sharing) {
    if (sharing == Sharing::hardlinked) return report_.linked_bytes;
    return sharing == Sharing::reflinked ? report_.cloned_bytes : report_.copied_bytes;
  }

  // The compiler's rlib may be one inode with the blob: its rmeta beside it carries the time that cargo looks at.
  bool may_link(const Output& output) const {
    if (!output.name.ends_with(".rlib")) return false;
    return std::any_of(request_.found.outputs.begin(), request_.found.outputs.end(),
                       [](const FoundOutput& other) { return other.output.role == "metadata"; });
  }

  // --- places --------------------------------------------------------------------------------------------------------

  PatternSearch& search() {
    if (search_.empty()) {
      std::vector<std::string> patterns;
      for (const Root& root : request_.roots.all()) {
        // A root inside a stronger one (a registry crate's own directory) is nowhere else than that one says.
        if (request_.roots.map(root.path).root != root.ref) continue;
        places_.push_back({root.ref, patterns.size()});
        patterns.push_back(root.path);
        patterns.push_back(root.real);
      }
      for (const std::string& name : request_.observed.variables) add_places_of(name, patterns);
      for (const std::string& name : request_.observed.harmless) {
        add_places_of(name, patterns);
        const char* value = request_.line.env.get(name);
        if (!value || std::string_view(value).size() < kTellableSize) continue;
        harmless_values_.push_back({name, patterns.size()});
        patterns.push_back(value);
      }
      if (request_.invocation.family != Family::rustc && !request_.invocation.named_outputs.empty()) {
        output_pattern_ = patterns.size();
        patterns.push_back(std::string(base_name(request_.invocation.named_outputs.front().path)));
      }
      search_.emplace_back(std::move(patterns));
      // "--jobserver-auth=" of a MAKEFLAGS is in every program that reads one.
      for (const HarmlessValue& value : harmless_values_) search_.front().require_whole(value.pattern);
    }
    return search_.front();
  }

  // Each element of the value that lies in a root, or the value itself.
  void add_places_of(const std::string& name, std::vector<std::string>& patterns) {
    std::string_view rest = request_.line.env.get_or_empty(name);
    while (!rest.empty()) {
      size_t colon = rest.find(':');
      std::string_view element = rest.substr(0, colon);
      rest.remove_prefix(colon == std::string_view::npos ? rest.size() : colon + 1);
      if (!is_absolute(element)) continue;
      RootRef root = request_.roots.map(tidy_path(element)).root;
      if (root.kind == RootKind::none) continue;
      variables_.push_back({name, patterns.size(), root, element.size()});
      patterns.emplace_back(element);
    }
  }

  void search_text(const TextTemplate& text) {
    for (const TemplateToken& token : text) {
      if (token.path.root.kind == RootKind::none) search().scan(token.path.rest);
    }
  }

  Status search_file(const std::string& path, uint64_t size) {
    if (size == 0) return Ok{};
    File file = KACHE_TRY(open_file(fs_, path));
    void* map = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.handle(), 0);
    if (map == MAP_FAILED) {
      std::string bytes = KACHE_TRY(read_handle(fs_, file.handle(), size));
      search().scan(bytes);
      hidden_ |= hides_text(bytes);
      return Ok{};
    }
    std::string_view bytes(static_cast<const char*>(map), size);
    search().scan(bytes);
    hidden_ |= hides_text(bytes);
    ::munmap(map, size);
    return Ok{};
  }

  // rustc compresses the metadata inside a dylib, so nothing can be said about what it holds.
  bool outputs_hide_text() const {
    const std::vector<std::string>& types = request_.invocation.crate_types;
    if (request_.invocation.purpose == Purpose::probe) return false;
    if (request_.invocation.family != Family::rustc) return hidden_;
    return hidden_ || std::find(types.begin(), types.end(), "dylib") != types.end();
  }

  // Something of a place may be in the outputs that is not its text: the length of it, a hash. `env!` may make a value of
  // the variable in each of its uses but those that only name an included file. What a proc macro asked for shows in the
  // code that it made; in metadata alone there is no code to search.
  bool may_hide(const std::string& name) {
    const Invocation& invocation = request_.invocation;
    // To a C compiler they are lists of directories to search.
    if (invocation.purpose == Purpose::probe || invocation.family != Family::rustc) return false;
    bool has_code = std::any_of(invocation.emits.begin(), invocation.emits.end(), [](const Emit& emit) {
      return emit.kind != "metadata" && emit.kind != "dep-info";
    });
    const std::vector<std::string>& path_only = request_.config.path_only_env_vars;
    bool is_path_only = std::find(path_only.begin(), path_only.end(), invocation.crate_name + ":" + name) != path_only.end();
    if (is_path_only) return false;
    if (!dep_info_) return true;
    bool is_macro_use = std::any_of(dep_info_->env.begin(), dep_info_->env.end(),
                                    [&](const EnvDep& dep) { return dep.name == name; });
    if (!is_macro_use) return !has_code;
    EnvUses all;
    for (const std::string& source : dep_info_->sources) {
      Result<std::string> text = read_file(fs_, absolute_path(request_.line.cwd, source), kMaxSourceSize);
      if (!text.ok()) return true;
      EnvUses uses = find_env_uses(*text, name);
      all.includes += uses.includes;
      all.values += uses.values;
    }
    return all.values > 0 || all.includes == 0;
  }

  void find_bindings() {
    PatternSearch& found = search();
    bool is_rustc = request_.invocation.family == Family::rustc;
    bool all = outputs_hide_text() || (is_rustc && !remaps_paths(request_.invocation, request_.config));
    std::vector<RootRef> bound;
    for (const Place& place : places_) {
      if (all || found.found(place.pattern) || found.found(place.pattern + 1)) bound.push_back(place.root);
    }
    for (const auto& [name, pattern, root, size] : variables_) {
      if (!std::binary_search(names_.begin(), names_.end(), name)) continue;
      // Too short to be told from chance once a compiler has cut it into pieces.
      bool unclear = size < 16;
      if (found.found(pattern) || unclear || may_hide(name)) bound.push_back(root);
    }
    if (output_pattern_ && (hidden_ || found.found(*output_pattern_))) facts_.insert(std::string(kOutputName));
    if (reads_beside_output()) facts_.insert(std::string(kOutputName));
    std::sort(bound.begin(), bound.end());
    bound.erase(std::unique(bound.begin(), bound.end()), bound.end());
    for (RootRef ref : bound) set_.bindings.push_back({ref, request_.roots.find(ref)->path});
  }

  // Something was looked for under the name of the output (a profile): under another name it is another file.
  bool reads_beside_output() const {
    const Invocation& invocation = request_.invocation;
    if (invocation.family == Family::rustc || invocation.named_outputs.empty()) return false;
    std::string first = absolute_path(request_.line.cwd, invocation.named_outputs.front().path);
    RootedPath stem = request_.roots.map(without_extension(first));
    return std::any_of(set_.inputs.begin(), set_.inputs.end(), [&](const Input& input) {
      return input.path.root == stem.root && input.path.rest.starts_with(stem.rest + ".");
    });
  }

  // --- the rest ------------------------------------------------------------------------------------------------------

  // Which of the variables that were asked for are inputs.
  void settle_variables() {
    const Observed& observed = request_.observed;
    names_ = observed.variables;
    for (const std::string& name : observed.harmless) {
      if (is_named_by_sources(name) || is_value_found(name)) names_.push_back(name);
    }
    if (has_messages()) names_.insert(names_.end(), observed.locale.begin(), observed.locale.end());
    std::sort(names_.begin(), names_.end());
    names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
  }

  // By env! or option_env!. What dep-info says, or the files that were read, where there is none.
  bool is_named_by_sources(const std::string& name) {
    if (request_.invocation.purpose == Purpose::probe || request_.invocation.family != Family::rustc) return false;
    if (dep_info_) {
      return std::any_of(dep_info_->env.begin(), dep_info_->env.end(), [&](const EnvDep& dep) { return dep.name == name; });
    }
    return std::any_of(request_.observed.files.begin(), request_.observed.files.end(), [&](const ReadFile& file) {
      bool is_crate = is_library_name(base_name(file.path));
      Result<std::string> text = read_file(fs_, file.path, kMaxSourceSize);
      return text.ok() && text->find(is_crate ? name : '"' + name + '"') != std::string::npos;
    });
  }

  bool is_value_found(const std::string& name) {
    return std::any_of(harmless_values_.begin(), harmless_values_.end(), [&](const HarmlessValue& value) {
      return value.name == name && search().found(value.pattern);
    });
  }

  bool has_messages() const {
    const ProcessResult& process = request_.process;
    return process.standard_error.find("\"rendered\"") != std::string::npos ||
           (!request_.invocation.json_errors && !process.standard_error.empty());
  }

  void measure_variables() {
    bool literal = !set_.bindings.empty();
    // Diagnostics are wrapped to the width; without any, the width does not matter.
    if (has_messages()) facts_.insert({std::string(kDiagnosticWidth), std::string(kDiagnosticColor)});
    for (const std::string& fact : facts_) set_.env.push_back(verifier_.env_input(fact, literal));
    for (const std::string& name : names_) set_.env.push_back(verifier_.env_input(name, literal));
  }

  // What a precompiled header is made of is the same in every checkout, whatever place it holds.
  void note_origins() {
    if (request_.invocation.family != Family::cc) return;
    InputSet made_of;
    for (const Input& input : set_.inputs) {
      if (input.kind != InputKind::times) made_of.inputs.push_back(input);
    }
    for (const EnvInput& variable : set_.env) made_of.env.push_back(verifier_.env_input(variable.name, false));
    Digest origin = derive_action_key(request_.key, made_of).digest;
    for (size_t i = 0; i < entry_.outputs.size(); ++i) {
      const Output& output = entry_.outputs[i];
      bool is_header = output.role == "precompiled-header" || is_remade_otherwise(request_.found.outputs[i].path);
      if (is_header && output.content == OutputContent::blob) {
        Digest own = Hasher().field("made of", origin).field("output", i).finish();
        (void)note_origin(fs_, blobs_.layout(), output.blob.digest, own);  // without it consumers are compiled once more
      }
    }
  }

  Status write_entry() {
    const Invocation& invocation = request_.invocation;
    entry_.key = derive_action_key(request_.key, set_);
    entry_.invocation = request_.key;
    entry_.crate_name = invocation.crate_name;
    entry_.crate_types = invocation.type_label();
    if (invocation.family == Family::rustc) entry_.profile = cargo_profile(invocation.out_dir);
    entry_.target = invocation.target;
    entry_.created_ns = clock_.wall_ns();
    entry_.compile_ms = static_cast<uint64_t>(request_.process.elapsed_ns / 1'000'000);
    report_.action = entry_.key;

    // Not before: the stamp says that all blobs were in their places at this moment.
    entry_.stamp = stamp_now(clock_, memo_.boot());
    return publish_entry(fs_, blobs_.layout(), entry_);
  }

  Status write_traces() {
    Traces traces;
    Result<std::string> bytes = read_file(fs_, blobs_.layout().trace(request_.key), kMaxTracesSize);
    if (bytes.ok()) {
      Result<Traces> old = decode_traces(*bytes, request_.key);
      if (old.ok()) traces = std::move(old).value();
    }
    traces.key = request_.key;
    traces.parts = request_.parts;
    traces.crate_name = request_.invocation.crate_name;
    report_.inputs = set_;
    traces.add({std::move(set_), entry_.key});
    return publish_traces(fs_, blobs_.layout(), traces);
  }

  FileSystem& fs_;
  Clock& clock_;
  BlobStore& blobs_;
  Memo& memo_;
  Verifier& verifier_;
  const CommitRequest& request_;

  CommitReport report_;
  InputSet set_;
  Entry entry_;
  std::vector<PatternSearch> search_;  // none or one
  struct Place {
    RootRef root;
    size_t pattern;  // the path as spelled; the real one follows
  };
  std::vector<Place> places_;
  struct PlaceOfVariable {
    std::string name;
    size_t pattern;
    RootRef root;
    size_t size;
  };
  std::vector<PlaceOfVariable> variables_;
  struct HarmlessValue {
    std::string name;
    size_t pattern;
  };
  std::vector<HarmlessValue> harmless_values_;
  std::vector<std::string> names_;  // of the variables that are inputs, sorted
  std::unordered_map<std::string, bool> is_there_;  // directories
  std::set<std::string> facts_;     // of the command line, that are compared like variables
  std::optional<size_t> output_pattern_;
  std::optional<DepInfo> dep_info_;
  bool hidden_ = false;
};

}  // namespace

Result<CommitReport> commit_entry(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, Verifier& verifier,
                                  const CommitRequest& request) {
  return Committer(fs, clock, blobs, memo, verifier, request).run();
}

}  // namespace kache
