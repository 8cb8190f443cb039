#include "remote/recheck.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "base/path.h"
#include "base/path_resolver.h"
#include "compiler/redirect.h"
#include "remote/recheck_contents.h"
#include "store/blob.h"
#include "store/publish.h"
#include "store/render.h"
#include "store/restore.h"
#include "wrapper/cc_checks.h"
#include "wrapper/compile.h"
#include "wrapper/declared_mode.h"
#include "wrapper/difference.h"
#include "wrapper/event_log.h"
#include "wrapper/identify.h"

namespace kache {
namespace {

constexpr uint64_t kMaxTextSize = uint64_t{64} << 20;
// A compiler that has two answers may give the same one twice: so often it is asked again before anything is said.
constexpr size_t kRepeats = 3;
// A compile that takes so much longer than the first one, at the lowest priority of a busy machine, hangs.
constexpr int64_t kShortestLimitNs = int64_t{600} * 1'000'000'000, kTimesLonger = 20;
constexpr uint64_t kDayMs = uint64_t{86'400} * 1000;  // entries of a remote may claim anything

struct Ending {
  Verdict verdict;
  std::string why;
  std::vector<std::string> what = {};
};

std::vector<std::string> base_names_of(const std::vector<std::string>& paths) {
  std::vector<std::string> names;
  for (const std::string& path : paths) names.emplace_back(base_name(path));
  return names;
}

// Of a remote still: where the unit was compiled meanwhile, that result has taken its place.
Result<Entry> read_foreign(FileSystem& fs, const StoreLayout& layout, const ActionKey& key) {
  std::string bytes = KACHE_TRY(read_file(fs, layout.entry(key), kMaxEntrySize));
  Entry entry = KACHE_TRY(decode_entry(bytes, key));
  if (entry.origin == EntryOrigin::compiled) return Error{ErrorCode::exists, 0, "it was compiled here since"};
  return entry;
}

// All that one note is about. Each stage ends it or leaves something for the next one.
class Check {
 public:
  Check(FileSystem& fs, Clock& clock, ProcessRunner& processes, const StoreLayout& layout, const std::string& tool, const RecheckNote& note)
      : fs_(fs), clock_(clock), processes_(processes), layout_(layout), tool_(tool), note_(note),
        line_{note.argv, note.cwd, Env(note.env), note.program}, memo_(Memo::open(layout.memo(), read_boot_id(fs))) {}

  Ending run() {
    constexpr std::optional<Ending> (Check::*kStages[])() = {&Check::find_result, &Check::parse, &Check::identify, &Check::find_inputs, &Check::compare};
    for (auto stage : kStages) {
      if (std::optional<Ending> ending = (this->*stage)()) return *ending;
    }
    return {Verdict::same, {}};
  }

  uint64_t compile_ms() const { return compile_ms_; }

 private:
  static Ending dropped(std::string why) { return {Verdict::dropped, std::move(why)}; }
  static Ending skipped(std::string why) { return {Verdict::skipped, std::move(why)}; }

  std::optional<Ending> find_result() {
    Result<Entry> entry = read_foreign(fs_, layout_, note_.key);
    if (!entry.ok()) return dropped(entry.code() == ErrorCode::exists ? entry.error().message : "the result is not in the store any more");
    entry_ = std::move(entry).value();
    return std::nullopt;
  }

  std::optional<Ending> parse() {
    Result<FileStat> cwd = fs_.stat(note_.cwd);
    if (!cwd.ok() || !cwd->is_dir()) return dropped(note_.cwd + " is gone");
    ParsedInvocation parsed = parse_invocation(fs_, line_, note_.kind);
    if (parsed.refused) return dropped(parsed.refused.reason());
    invocation_ = std::move(parsed.invocation);
    invocation_.wants_color = note_.wants_color;
    std::string out_dir = invocation_.out_dir.empty() ? "" : absolute_path(line_.cwd, invocation_.out_dir);
    config_ = load_config(fs_, line_.env, line_.cwd, out_dir, tool_);
    roots_ = find_roots(fs_, line_, invocation_, config_);
    return std::nullopt;
  }

  std::optional<Ending> identify() {
    // Programs are looked for along the PATH of the compile, by us and by what we start.
    const char* path = line_.env.get("PATH");
    (void)(path ? ::setenv("PATH", path, 1) : ::unsetenv("PATH"));
    if (::chdir(line_.cwd.c_str()) != 0) return dropped(line_.cwd + " can not be entered");
    Result<IdentifiedCompiler> compiler = identify_compiler(fs_, clock_, memo_, layout_, line_, invocation_);
    if (!compiler.ok()) return dropped(compiler.error().message);
    program_ = compiler->program;
    parts_ = key_parts(line_, invocation_, *roots_, config_, program_);
    std::vector<KeyPart> parts = parts_;
    if (note_.declared) {
      Verifier verifier = make_verifier(line_, invocation_);
      DeclaredMode declared(fs_, line_, invocation_, config_);
      Refused refused = declared.declare(processes_, clock_, verifier, compiler->knows_sysroot, parts);
      if (refused) return dropped(refused.reason());
    }
    if (derive_invocation_key(parts) != entry_.invocation) return dropped("compiler, arguments or settings are others now");
    return std::nullopt;
  }

  std::optional<Ending> find_inputs() {
    Result<std::string> bytes = read_file(fs_, layout_.trace(entry_.invocation), kMaxTracesSize);
    Result<Traces> traces = bytes.ok() ? decode_traces(*bytes, entry_.invocation) : Result<Traces>(bytes.error());
    if (!traces.ok()) return dropped("its inputs are not known any more");
    auto candidate = std::find_if(traces->candidates.begin(), traces->candidates.end(), [&](const Candidate& one) { return one.action == note_.key; });
    if (candidate == traces->candidates.end()) return dropped("its inputs are not known any more");
    set_ = traces->set_of(*candidate);
    for (const EnvInput& input : set_.env) {
      if (input.name == kWholeEnvironment) return skipped("it depends on the environment as a whole, which is not written down");
      if (input.is_set && may_be_secret(input.name) && !line_.env.has(input.name)) return skipped("it depends on the variable " + input.name + ", which is not written down");
    }
    return look_at_inputs();
  }

  std::optional<Ending> look_at_inputs() {
    Verifier verifier = make_verifier(line_, invocation_);
    Difference difference = verifier.first_difference(set_, note_.key);
    if (difference.kind == Difference::none) return std::nullopt;
    return dropped("changed since: " + describe(difference));
  }

  Verifier make_verifier(const CommandLine& line, const Invocation& invocation) {
    return Verifier(fs_, clock_, memo_, *roots_, line, invocation, layout_);
  }

  std::optional<Ending> compare() {
    std::string place = PathResolver(fs_).real(layout_.temporary()) + "/recheck";
    std::error_code ignored;
    std::filesystem::remove_all(place, ignored);  // of one that was killed
    std::optional<Ending> ending = compare_in(place);
    std::filesystem::remove_all(place, ignored);
    return ending;
  }

  std::optional<Ending> compare_in(const std::string& place) {
    // The names of the places have quite other lengths: what holds them, in whatever form, is not the same twice.
    auto nth_place = [&](size_t i) { return place + "/" + std::string(1 + 30 * i, 'x'); };
    Contents first;
    if (std::optional<Ending> ending = compile(nth_place(0), first)) return ending;
    const std::vector<std::string> unequal_ones = unequal(expected_, first);
    if (unequal_ones.empty()) return std::nullopt;
    std::vector<std::string> steady = unequal_ones;
    for (size_t i = 1; i <= kRepeats && !steady.empty(); ++i) {
      Contents again;
      if (std::optional<Ending> ending = look_at_inputs()) return ending;  // somebody has edited them meanwhile
      if (std::optional<Ending> ending = compile(nth_place(i), again)) return ending;
      std::erase_if(steady, [&](const std::string& name) { return content_of(first, name) != content_of(again, name); });
    }
    if (std::optional<Ending> ending = look_at_inputs()) return ending;
    if (steady.empty()) return Ending{Verdict::unsteady, "two compiles here do not make the same", base_names_of(unequal_ones)};
    return Ending{Verdict::differs, "compiles here agree with each other and not with it", base_names_of(steady)};
  }

  // Into directories below `into`; what has come of it into `made`, and what should have into expected_.
  std::optional<Ending> compile(const std::string& into, Contents& made) {
    Redirected redirected = redirect_outputs(line_, invocation_, into);
    ParsedInvocation parsed = parse_invocation(fs_, redirected.line, note_.kind);
    if (parsed.refused) return skipped(parsed.refused.reason());
    Invocation& elsewhere = parsed.invocation;
    elsewhere.wants_color = note_.wants_color;
    if (std::optional<Ending> ending = check_places(redirected, elsewhere, into)) return ending;
    for (const RedirectedDir& dir : redirected.dirs) {
      Status directory = make_dirs(fs_, dir.to, 0700);
      if (!directory.ok()) return Ending{Verdict::waits, directory.error().message};
    }
    Result<CompileCommand> command = shared_command(redirected.line, elsewhere, *roots_, config_);
    if (!command.ok()) return skipped(command.error().message);
    int64_t limit = std::max(kShortestLimitNs, kTimesLonger * static_cast<int64_t>(std::min<uint64_t>(entry_.compile_ms, kDayMs)) * 1'000'000);
    Result<ProcessResult> process = processes_.run_quietly(command->argv, command->env, limit);
    if (!process.ok() && process.code() == ErrorCode::timed_out) return Ending{Verdict::failed, process.error().message};
    if (!process.ok()) return dropped(process.error().message);
    compile_ms_ += static_cast<uint64_t>(process->elapsed_ns / 1'000'000);
    if (!process->succeeded()) return failure(*process);
    take_contents(*process, redirected, elsewhere, into, made);
    return std::nullopt;
  }

  // Whether the other command line makes the same, all of it elsewhere, and neither output nor input goes by where that is.
  std::optional<Ending> check_places(const Redirected& redirected, const Invocation& elsewhere, const std::string& into) {
    auto is_inside = [&](const std::string& path) { return is_below(absolute_path(line_.cwd, path), into); };
    for (const NamedOutput& output : elsewhere.named_outputs) {
      if (!is_inside(output.path)) return skipped(output.path + " can not be put elsewhere");
    }
    if (!is_inside(elsewhere.output_dir())) return skipped("the command line does not say where its outputs go");
    for (const Output& output : entry_.outputs) {
      std::string path = output_path(output, elsewhere, line_.cwd);
      if (path.empty() || !is_below(path, into)) return skipped(output.name + " can not be put elsewhere");
    }
    for (const RedirectedDir& dir : redirected.dirs) {
      if (!is_unquoted(dir.from) || !is_unquoted(dir.to)) return skipped("a directory with a name that compilers quote");
    }
    std::vector<KeyPart> parts = key_parts(redirected.line, elsewhere, *roots_, config_, program_);
    Verifier verifier = make_verifier(redirected.line, elsewhere);
    bool is_same = derive_invocation_key(parts) == derive_invocation_key(parts_) && verifier.differences(set_elsewhere(), 1).empty();
    if (!is_same) return skipped("what it makes depends on where its outputs lie");
    return std::nullopt;
  }

  // What was looked for under the name of the output and was not there is not there elsewhere either: then the name does not
  // matter for what is read. Where it shows in an output, two places will tell.
  InputSet set_elsewhere() const {
    InputSet set = set_;
    std::vector<Input> beside = set_.inputs;
    std::erase_if(beside, [](const Input& input) { return input.kind == InputKind::absent; });
    if (!reads_beside_output(line_, invocation_, *roots_, beside)) std::erase_if(set.env, [](const EnvInput& input) { return input.name == kOutputName; });
    return set;
  }

  Ending failure(const ProcessResult& process) {
    for (int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
      if (WIFSIGNALED(process.status) && WTERMSIG(process.status) == signal) return {Verdict::waits, "interrupted"};
    }
    if (std::optional<Ending> ending = look_at_inputs()) return *ending;
    std::string first_line = process.standard_error.substr(0, std::min<size_t>(process.standard_error.find('\n'), 200));
    return {Verdict::failed, "status " + std::to_string(exit_code_of(process.status)) + (first_line.empty() ? "" : ": " + first_line)};
  }

  void take_contents(const ProcessResult& process, const Redirected& redirected, const Invocation& elsewhere, const std::string& into, Contents& made) {
    expected_.clear();
    for (const Output& output : entry_.outputs) {
      std::string path = output_path(output, elsewhere, line_.cwd);
      std::string name(relative_to(path, into));
      bool is_text = output.content == OutputContent::text;
      expected_[name] = is_text ? digest_bytes(render_output(output, invocation_, *roots_)) : output.blob.digest;
      Result<FileStat> stat = fs_.lstat(path);
      bool is_there = stat.ok() && stat->is_regular() && stat->is_executable() == ((output.mode & 0111) != 0);
      made[name] = !is_there ? Digest{} : is_text ? text_content(output, elsewhere, path, redirected.dirs) : blob_content(path);
    }
    // What it made besides.
    for (const RedirectedDir& dir : redirected.dirs) {
      Result<std::vector<DirEntry>> files = fs_.list(dir.to);
      for (const DirEntry& file : files.ok() ? *files : std::vector<DirEntry>()) {
        std::string path = join_path(dir.to, file.name);
        std::string name(relative_to(path, into));
        if (expected_.count(name) == 0) made[name] = digest_bytes("made besides");
      }
    }
    expected_["stdout"] = digest_bytes(render_template(entry_.standard_output, *roots_));
    expected_["stderr"] = digest_bytes(render_template(entry_.standard_error, *roots_));
    made["stdout"] = digest_bytes(moved_back(process.standard_output, redirected.dirs));
    made["stderr"] = digest_bytes(moved_back(process.standard_error, redirected.dirs));
  }

  // The text as it would be in the place of the user.
  Digest text_content(const Output& output, const Invocation& elsewhere, const std::string& path, const std::vector<RedirectedDir>& dirs) {
    Result<std::string> bytes = read_file(fs_, path, kMaxTextSize);
    if (!bytes.ok()) return {};
    TextTemplate text;
    // The lines of a depfile are as long as the name of its target allows.
    if (output.role == "depfile" && make_depfile_template(*bytes, elsewhere.cc.depfile_targets, *roots_, text)) {
      return digest_bytes(render_depfile(text, invocation_.cc.depfile_targets, *roots_));
    }
    return digest_bytes(moved_back(std::move(bytes).value(), dirs));
  }

  Digest blob_content(const std::string& path) {
    Result<File> file = open_file(fs_, path);
    return file.ok() ? digest_file(fs_, file->handle()).value_or(Digest{}) : Digest{};
  }

  FileSystem& fs_;
  Clock& clock_;
  ProcessRunner& processes_;
  const StoreLayout& layout_;
  const std::string& tool_;
  const RecheckNote& note_;
  CommandLine line_;
  Memo memo_;
  Entry entry_;
  Invocation invocation_;
  Config config_;
  std::optional<Roots> roots_;
  Program program_;
  std::vector<KeyPart> parts_;  // what the command line alone says
  InputSet set_;
  Contents expected_;
  uint64_t compile_ms_ = 0;
};

// From here on it is as if it had been compiled here, which it was.
void believe(FileSystem& fs, const StoreLayout& layout, const ActionKey& key) {
  std::string path = layout.entry(key);
  Result<FileStat> stat = fs.stat(path);
  Result<Entry> entry = read_foreign(fs, layout, key);
  if (!stat.ok() || !entry.ok()) return;
  entry->origin = EntryOrigin::compiled;
  if (publish_entry(fs, layout, *entry).ok()) (void)fs.set_mtime(path, stat->mtime_ns);  // nobody has used it
}

void take_out(FileSystem& fs, const StoreLayout& layout, const ActionKey& key) {
  if (read_foreign(fs, layout, key).ok()) (void)fs.rename(layout.entry(key), layout.quarantine() + "/" + key.hex() + ".entry");
}

bool is_remembered(Verdict verdict) {
  return verdict == Verdict::differs || verdict == Verdict::unsteady || verdict == Verdict::failed || verdict == Verdict::skipped;
}

}  // namespace

VerdictNote Rechecker::check(const RecheckNote& note) {
  Check check(fs_, clock_, processes_, layout_, tool_, note);
  Ending ending = check.run();
  VerdictNote verdict{note.key, ending.verdict, clock_.wall_ns(), note.unit, note.root, std::move(ending.why), std::move(ending.what), check.compile_ms()};
  conclude(note, verdict);
  return verdict;
}

void Rechecker::conclude(const RecheckNote& note, const VerdictNote& verdict) {
  if (verdict.verdict == Verdict::waits) return;
  if (verdict.verdict == Verdict::same) believe(fs_, layout_, note.key);
  if (is_remembered(verdict.verdict)) (void)keep_verdict(fs_, layout_, verdict);  // first: it must not come back in between
  if (verdict.verdict == Verdict::differs) take_out(fs_, layout_, note.key);
  (void)fs_.unlink(layout_.recheck(note.key));
  static const Config kDefaults;  // for how long the log may be
  append_event(fs_, layout_.events(), kDefaults, format_verdict(verdict));
}

}  // namespace kache
