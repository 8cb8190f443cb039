#include "wrapper/pipeline.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <optional>

#include "base/path.h"
#include "compiler/cc_names.h"
#include "config/config.h"
#include "key/invocation_key.h"
#include "record/collect.h"
#include "record/recording.h"
#include "store/render.h"
#include "store/toolchain.h"
#include "wrapper/background_gc.h"
#include "wrapper/commit.h"
#include "wrapper/compile.h"
#include "wrapper/declared_mode.h"
#include "wrapper/direct.h"
#include "wrapper/edit_loop.h"
#include "wrapper/event_log.h"
#include "wrapper/extra_inputs.h"
#include "wrapper/identify.h"
#include "wrapper/incremental.h"
#include "wrapper/lookup.h"
#include "wrapper/oracle.h"
#include "wrapper/policy.h"
#include "wrapper/progress.h"
#include "wrapper/recheck_note.h"
#include "wrapper/record_mode.h"
#include "wrapper/remote_source.h"
#include "wrapper/serve.h"
#include "wrapper/trial.h"

namespace kache {
namespace {

// Everything that the stages of one invocation share. Made once; each stage adds its value and none is changed later.
class Session {
 public:
  Session(World& world, const CommandLine& line, const Invocation& invocation, const Config& config)
      : world_(world), fs_(world.fs), line_(line), invocation_(invocation), config_(config), layout_(config.cache_dir),
        boot_(read_boot_id(world.fs)), blobs_(world.fs, layout_, boot_), memo_(Memo::open(layout_.memo(), boot_)),
        roots_(find_roots(world.fs, line, invocation, config)), declared_(world.fs, line, invocation, config),
        remote_(world.fs, world.clock, layout_, config, line.env, world.libexec + "/kache-tool"),
        started_ns_(world.clock.monotonic_ns()) {
    outcome_.crate_name = invocation.crate_name;
    outcome_.crate_type = invocation.type_label();
    outcome_.is_crate = invocation.family == Family::rustc;
    outcome_.build = find_build(fs_, memo_, own_process());
    outcome_.is_trial = is_trial(invocation, line.env);
    outcome_.root = config.event_root.empty() ? tree_root() : config.event_root;
    if (remote_.exists()) remote_.belongs_to(outcome_.build.session, outcome_.root);
  }

  int run() {
    if (Refused refused = check_policy(line_, invocation_, config_)) return pass_through(refused);
    if (!derive_key()) return pass_through({Refusal::store_unavailable, key_problem_});
    if (std::optional<int> hit = try_hit(OutcomeKind::local_hit)) return *hit;
    return miss();
  }

  // For what the command line alone says can not be cached.
  int refuse(const Refused& refused) { return pass_through(refused); }

 private:
  // The build tree that a report groups by: where the target directory is, else where the compile runs.
  std::string tree_root() const {
    if (const Root* project = roots_.find({RootKind::project, 0})) return project->path;
    const Root* target = roots_.find({RootKind::target, 0});
    return target ? std::string(dir_name(target->path)) : line_.cwd;
  }

  uint64_t lap() {
    int64_t now = world_.clock.monotonic_ns(), since = lap_ns_ ? lap_ns_ : started_ns_;
    lap_ns_ = now;
    return static_cast<uint64_t>(now - since) / 1000;
  }

  bool derive_key() {
    // On a fresh machine, what a remote has of this build can come while the compiler is read.
    Result<IdentifiedCompiler> compiler = identify_compiler(fs_, world_.clock, memo_, layout_, line_, invocation_, [this] { remote_.announce(); });
    if (!compiler.ok()) {
      key_problem_ = compiler.error().message;
      return false;
    }
    compiler_ = compiler->path;
    knows_sysroot_ = compiler->knows_sysroot;
    toolchain_files_ = std::move(compiler->files);
    parts_ = key_parts(line_, invocation_, roots_, config_, compiler->program);
    key_ = derive_invocation_key(parts_);
    outcome_.invocation_key = key_.hex();
    outcome_.key_us = lap();
    return true;
  }

  // The exit status when the result was there and is restored.
  std::optional<int> try_hit(OutcomeKind kind) {
    Verifier verifier(fs_, world_.clock, memo_, roots_, line_, invocation_, layout_);
    lookup_ = find_entry(fs_, layout_, verifier, key_);
    count(verifier);
    outcome_.lookup_us = lap();
    outcome_.lookup_rejection = lookup_.rejection;
    outcome_.miss_reasons = lookup_.reasons;
    if (!lookup_.found) return std::nullopt;
    if (checks_hits(line_.env)) return check_hit(kind);
    Result<Served> served =
        serve_entry(fs_, world_.clock, blobs_, memo_,
                    {lookup_.entry, invocation_, line_.cwd, roots_, must_verify(lookup_.entry)});
    if (!served.ok()) {
      outcome_.lookup_rejection = served.error().message;
      return std::nullopt;
    }
    write_fully(1, render_template(lookup_.entry.standard_output, roots_));
    write_fully(2, render_template(lookup_.entry.standard_error, roots_));
    outcome_.restore_us = lap();
    outcome_.kind = kind == OutcomeKind::local_hit && lookup_.entry.origin == EntryOrigin::ahead ? OutcomeKind::prefetch_hit : kind;
    outcome_.action_key = lookup_.entry.key.hex();
    outcome_.compile_ms = lookup_.entry.compile_ms;
    const RestoreReport& restored = served->restored;
    outcome_.size = restored.bytes;
    outcome_.linked = restored.linked;
    outcome_.cloned = restored.cloned;
    outcome_.copied = restored.copied;
    outcome_.linked_bytes = restored.linked_bytes;
    outcome_.cloned_bytes = restored.cloned_bytes;
    outcome_.copied_bytes = restored.copied_bytes;
    outcome_.miss_reasons.clear();
    // Else all of it would have to be read again after the next boot.
    if (served->was_verified) collect_garbage_when_due();
    if (config_.clean_incremental) clean_incremental(fs_, invocation_, line_.cwd);
    report();
    if (config_.remote_verify_percent > 0) leave_note_when_sampled();
    return 0;
  }

  // What a remote gave is compiled again later: some of it.
  void leave_note_when_sampled() {
    const Entry& entry = lookup_.entry;
    bool is_compile = invocation_.purpose == Purpose::compile || invocation_.purpose == Purpose::link;
    if (entry.origin == EntryOrigin::compiled || !is_compile || !is_sampled(layout_, entry.key, config_.remote_verify_percent)) return;
    if (!is_recheck_wanted(fs_, layout_, entry.key)) return;
    Result<std::string> bytes = read_file(fs_, layout_.trace(key_), kMaxTracesSize);
    Result<Traces> traces = bytes.ok() ? decode_traces(*bytes, key_) : Result<Traces>(bytes.error());
    if (!traces.ok()) return;
    for (const Candidate& candidate : traces->candidates) {
      if (candidate.action != entry.key) continue;
      bool is_rustc = invocation_.family == Family::rustc;
      leave_recheck_note(fs_, layout_, {entry.key, world_.clock.wall_ns(), outcome_.crate_name, outcome_.root,
                                        is_rustc ? Recognised::rustc : Recognised::cc, invocation_.wants_color, outcome_.declared, line_.cwd,
                                        line_.program, line_.argv, environment_for_recheck(line_.env, traces->set_of(candidate), config_)});
    }
  }

  // The background run also makes sure of the disk.
  void collect_garbage_when_due() {
    if (config_.auto_gc) start_gc_when_due(fs_, world_.clock, layout_, world_.libexec + "/kache-tool", line_.env);
  }

  // Instead of a restore, the compiler; whatever it says is what the user gets.
  std::optional<int> check_hit(OutcomeKind kind) {
    Result<CompileCommand> command = shared_command(line_, invocation_, roots_, config_);
    if (!command.ok()) return std::nullopt;
    unlink_shared_outputs(fs_, invocation_, line_.cwd);
    Result<ProcessResult> process = world_.processes.run(command->argv, command->env, nullptr);
    if (!process.ok()) return could_not_start(process.error());
    outcome_.kind = kind;
    outcome_.checked = true;
    outcome_.compiler_runs = 1;
    outcome_.action_key = lookup_.entry.key.hex();
    outcome_.wrong = compare_with_compile(fs_, lookup_.entry, *process, invocation_, line_.cwd, roots_);
    for (const std::string& what : outcome_.wrong) {
      write_fully(2, "kache: " + outcome_.crate_name + ": a fresh compile has another " + what + "\n");
    }
    outcome_.exit_code = exit_code_of(process->status);
    report();
    return process->status;
  }

  void count(const Verifier& verifier) {
    outcome_.digests_known += verifier.counts().known;
    outcome_.digests_read += verifier.counts().read;
    outcome_.digest_bytes += verifier.counts().read_bytes;
  }

  bool must_verify(const Entry& entry) const {
    if (config_.verify_restores == VerifyRestores::always) return true;
    // One in sixteen, by chance of the clock: every process restores only once.
    return config_.verify_restores == VerifyRestores::sampled &&
           (static_cast<uint64_t>(world_.clock.wall_ns() / 1000) ^ entry.key.digest.prefix64()) % 16 == 0;
  }

  int miss() {
    if (in_edit_loop()) return pass_through({Refusal::incremental_loop, {}});
    if (std::optional<int> hit = try_remote()) return *hit;
    recorder_ = world_.libexec + "/libkache-record.so";
    RecordMode mode = find_record_mode(fs_, layout_, {compiler_, parts_.front().text, recorder_, line_.env, self_test()},
                                       outcome_.probe_runs);
    if (mode == RecordMode::unknown) return pass_through({Refusal::record_incomplete, "the recorder does not work here"});
    if (mode == RecordMode::declared) {
      if (Refused refused = declare()) return pass_through(refused);
      key_ = derive_invocation_key(parts_);
      outcome_.invocation_key = key_.hex();
      if (std::optional<int> hit = try_hit(OutcomeKind::local_hit)) return *hit;
      if (std::optional<int> hit = try_remote()) return *hit;
    }

    // One process compiles, the others wait in the kernel and look again.
    Result<File> lock = lock_file(fs_, layout_.invocation_lock(key_), LockMode::try_exclusive);
    bool waited = !lock.ok() && lock.code() == ErrorCode::busy;
    if (waited) lock = lock_file(fs_, layout_.invocation_lock(key_), LockMode::exclusive);
    // Looked up before the lock was ours: another one may have been done in between even where there was no waiting.
    if (lock.ok()) {
      if (std::optional<int> hit = try_hit(waited ? OutcomeKind::dup : OutcomeKind::local_hit)) return *hit;
    }
    if (!lock.ok()) return pass_through({Refusal::store_unavailable, lock.error().message});
    return compile_and_store();
  }

  // Another machine may have it: first its input sets come, and when one of them holds here, its result.
  std::optional<int> try_remote() {
    if (!remote_.exists()) return std::nullopt;
    int64_t asked = world_.clock.monotonic_ns();
    uint64_t typical_ms = typical_compile_ms(fs_, layout_.events(), outcome_.crate_name, outcome_.root);
    auto fetch = [&] {
      bool has_key = !lookup_.missing.digest.is_zero();
      bool found = has_key ? remote_.fetch_record(lookup_.missing, typical_ms) : remote_.fetch_traces(key_, typical_ms);
      if (!remote_.problem().empty()) outcome_.remote_problem = remote_.problem();
      outcome_.remote_us = static_cast<uint64_t>(world_.clock.monotonic_ns() - asked) / 1000;
      return found;
    };
    for (int step = 0; step < 2; ++step) {
      bool asked_for_record = !lookup_.missing.digest.is_zero();
      if (!fetch()) return std::nullopt;
      if (std::optional<int> hit = try_hit(OutcomeKind::remote_hit)) return hit;
      if (asked_for_record || lookup_.missing.digest.is_zero()) return std::nullopt;
    }
    return std::nullopt;
  }

  // Goes on without a record, or says why that is not enough.
  Refused declare() {
    outcome_.declared = true;
    Verifier verifier(fs_, world_.clock, memo_, roots_, line_, invocation_, layout_);
    Refused refused = declared_.declare(world_.processes, world_.clock, verifier, knows_sysroot_, parts_);
    count(verifier);
    outcome_.preprocessor_runs += declared_.preprocessor_runs();
    outcome_.probe_runs += declared_.questions();
    return refused;
  }

  SelfTest::Language self_test() const {
    switch (invocation_.family) {
      case Family::rustc: return SelfTest::rust;
      case Family::cc: return SelfTest::c;
      case Family::archive: return cc_name(invocation_.program).tool == CcTool::ranlib ? SelfTest::ranlib : SelfTest::archiver;
    }
    return SelfTest::rust;
  }

  bool in_edit_loop() {
    if (!invocation_.incremental_dir || !config_.adaptive_incremental) return false;
    if (!lookup_.known_invocation || !lookup_.only_files_differ) return false;
    return note_miss_in_loop(fs_, world_.clock, layout_, key_, absolute_path(line_.cwd, invocation_.output_dir()));
  }

  int compile_and_store() {
    Result<CompileCommand> command = shared_command(line_, invocation_, roots_, config_);
    if (!command.ok()) return pass_through({Refusal::response_file, command.error().message});
    Result<RecordFile> record = RecordFile::create(layout_.temporary());
    if (!record.ok()) return pass_through({Refusal::store_unavailable, record.error().message});
    if (!outcome_.declared) {
      Status watched = add_recorder(command->env, recorder_, record->path());
      if (!watched.ok()) return pass_through({Refusal::record_incomplete, watched.error().message});
    }

    Result<std::vector<Input>> before = measure_updates();
    if (!before.ok()) return pass_through({Refusal::input_unreadable, before.error().message});
    unlink_shared_outputs(fs_, invocation_, line_.cwd);
    let_named_files_settle(fs_, world_.clock, line_);
    int64_t files_before_ns = world_.clock.file_clock_ns();
    outcome_.key_fields = key_fields(parts_, {});  // more is known when it has been stored
    Progress progress(world_, config_, layout_, outcome_);
    Result<ProcessResult> process = world_.processes.run(command->argv, command->env, &progress);
    if (!process.ok()) return could_not_start(process.error());
    outcome_.kind = OutcomeKind::miss;
    outcome_.compiler_runs = 1;
    outcome_.compile_ms = static_cast<uint64_t>(process->elapsed_ns / 1'000'000);
    (void)lap();
    if (process->succeeded()) store(*process, *record, files_before_ns, *before);
    else outcome_.kind = OutcomeKind::error;
    outcome_.exit_code = exit_code_of(process->status);
    outcome_.store_us = lap();
    report();
    return process->status;
  }

  // What an archive holds before the tool changes it, or that there is none.
  Result<std::vector<Input>> measure_updates() {
    std::vector<Input> inputs;
    Verifier verifier(fs_, world_.clock, memo_, roots_, line_, invocation_, layout_);
    for (const std::string& name : invocation_.updates) {
      std::string path = absolute_path(line_.cwd, name);
      Input input;
      input.path = roots_.map(path);
      input.kind = verifier.answer(InputKind::absent, path).ok() ? InputKind::absent : InputKind::file;
      input.digest = KACHE_TRY(verifier.answer(input.kind, path));
      inputs.push_back(std::move(input));
    }
    return inputs;
  }

  // The user has the result already; from here on nothing can go wrong for the build.
  void store(const ProcessResult& process, RecordFile& record, int64_t files_before_ns, const std::vector<Input>& before) {
    if (outcome_.compile_ms < config_.min_store_compile_ms) {
      outcome_.refused = {Refusal::too_cheap, std::to_string(outcome_.compile_ms) + " ms"};
      return;
    }
    Observed observed = outcome_.declared ? declared_.inputs(files_before_ns) : collect(record);
    FoundOutputs found = find_outputs(fs_, invocation_, line_.cwd, observed.written);
    Result<ExtraInputs> extra = find_extra_inputs(fs_, line_, invocation_, config_, world_.libexec + "/kache-tool");
    for (const Refused& refused : {observed.refused, found.refused}) {
      if (refused && !outcome_.refused) outcome_.refused = refused;
    }
    if (!extra.ok() && !outcome_.refused) outcome_.refused = {Refusal::input_unreadable, extra.error().message};
    if (outcome_.refused) return;

    Verifier verifier(fs_, world_.clock, memo_, roots_, line_, invocation_, layout_);
    Result<CommitReport> committed =
        commit_entry(fs_, world_.clock, blobs_, memo_, verifier,
                     {line_, invocation_, roots_, config_, key_, parts_, observed, found, process, *extra, files_before_ns, before});
    count(verifier);
    if (!committed.ok()) {
      outcome_.store_error = committed.error().message;
      return;
    }
    outcome_.refused = committed->refused;
    if (outcome_.refused) return;
    if (config_.durable) {
      Status synced = sync_store(fs_, world_.clock, layout_, boot_);
      if (!synced.ok()) outcome_.store_error = synced.error().message;
    }
    outcome_.action_key = committed->action.hex();
    outcome_.size = committed->bytes;
    outcome_.stored_blobs = committed->blobs;
    outcome_.new_blobs = committed->new_blobs;
    outcome_.stored_linked_bytes = committed->linked_bytes;
    outcome_.stored_cloned_bytes = committed->cloned_bytes;
    outcome_.stored_copied_bytes = committed->copied_bytes;
    outcome_.key_fields = key_fields(parts_, committed->inputs);
    if (remote_.exists() && !config_.remote_readonly) {
      Status published = remote_.publish(committed->action);
      if (!published.ok()) outcome_.remote_problem = "remote: " + published.error().message;
    }
    if (config_.clean_incremental) clean_incremental(fs_, invocation_, line_.cwd);
    collect_garbage_when_due();
  }

  std::string started_program() const {
    std::string path = find_executable(fs_, invocation_.program, line_.env, line_.cwd);
    return path.empty() ? invocation_.program : path;
  }

  Observed collect(RecordFile& record) {
    Result<std::vector<RecordEvent>> events = record.read();
    if (events.ok()) {
      return collect_inputs(fs_, *events, {line_, invocation_, roots_, toolchain_files_, recorder_, started_program()});
    }
    Observed nothing;
    nothing.refused = {Refusal::record_incomplete, events.error().message};
    return nothing;
  }

  // The real compiler, with the user's own arguments, streams and environment.
  int pass_through(const Refused& refused) {
    outcome_.kind = refused.refusal == Refusal::incremental_loop ? OutcomeKind::skipped : OutcomeKind::passthrough;
    outcome_.refused = refused;
    unlink_shared_outputs(fs_, invocation_, line_.cwd);
    CompileCommand command = plain_command(line_);
    outcome_.fallback = refused.refusal != Refusal::incremental_loop && has_fallback();
    outcome_.compiler_runs = 1;
    report();
    if (outcome_.fallback) {
      std::vector<std::string> argv = config_.fallback;
      argv.insert(argv.end(), command.argv.begin(), command.argv.end());
      (void)exec_program(argv, command.env);  // it can not be started after all: then without it
    }
    return could_not_start(exec_program(command.argv, command.env));
  }

  bool has_fallback() {
    if (config_.fallback.empty()) return false;
    std::string path = find_executable(fs_, config_.fallback.front(), line_.env, line_.cwd);
    Result<FileStat> stat = path.empty() ? Result<FileStat>(Error{}) : fs_.stat(path);
    return stat.ok() && stat->is_regular() && stat->is_executable();
  }

  void report() {
    uint64_t elapsed_ms = static_cast<uint64_t>(world_.clock.monotonic_ns() - started_ns_) / 1'000'000;
    append_event(fs_, layout_.events(), config_, format_event(outcome_, world_.clock.wall_ns(), elapsed_ms));
    show_progress(config_, outcome_, elapsed_ms);
    write_log(fs_, config_, world_.clock, outcome_, elapsed_ms);
  }

  World& world_;
  FileSystem& fs_;
  const CommandLine& line_;
  const Invocation& invocation_;
  const Config& config_;
  StoreLayout layout_;
  BootId boot_;
  BlobStore blobs_;
  Memo memo_;
  Roots roots_;
  DeclaredMode declared_;
  RemoteSource remote_;

  std::unordered_set<std::string> toolchain_files_;
  std::string compiler_;  // the one that compiles, behind a workspace wrapper; absolute
  std::string recorder_;
  bool knows_sysroot_ = false;
  std::vector<KeyPart> parts_;
  InvocationKey key_;
  std::string key_problem_;
  Lookup lookup_;
  Outcome outcome_;
  int64_t started_ns_;
  int64_t lap_ns_ = 0;
};

// cargo asks with `rustc - --print=…` and /dev/null behind it.
bool stdin_is_empty() {
  struct stat in, null;
  return ::fstat(0, &in) == 0 && ::stat("/dev/null", &null) == 0 && S_ISCHR(in.st_mode) && in.st_rdev == null.st_rdev;
}

// `cc -c a.c b.c` is two compiles: each in a process of its own, because it may end in becoming the compiler.
int run_each_source(World& world, const CommandLine& line, const Invocation& invocation, Recognised::Kind kind) {
  int worst = 0;
  for (size_t kept : invocation.source_arguments) {
    CommandLine one{{line.argv.front()}, line.cwd, line.env, line.program};
    for (size_t i = 0; i < invocation.split_args.size(); ++i) {
      const std::vector<size_t>& sources = invocation.source_arguments;
      bool is_other = i != kept && std::find(sources.begin(), sources.end(), i) != sources.end();
      if (!is_other) one.argv.push_back(invocation.split_args[i]);
    }
    Result<int> status = run_in_child([&] { return run_wrapper(world, one, kind); });
    if (!status.ok()) return run_directly(line);
    // As the driver, which goes on after a failure, unless it was a signal.
    if (*status != 0) worst = *status;
    if (WIFSIGNALED(*status)) break;
  }
  return worst;
}

}  // namespace

int run_wrapper(World& world, const CommandLine& line, Recognised::Kind kind) {
  if (line.env.has(kActiveVariable) || is_disabled(line.env) || is_only_run(kind)) {
    make_way(world.fs, line, kind);
    return run_directly(line);
  }
  ParsedInvocation parsed = parse_invocation(world.fs, line, kind);
  bool is_question = parsed.refused && describe(parsed.refused.refusal).category == "not-a-compile";
  Invocation& invocation = parsed.invocation;
  bool reads_stdin = invocation.purpose == Purpose::probe && invocation.source == "-" && !stdin_is_empty();
  if (is_question || reads_stdin) return run_directly(line);
  if (!invocation.source_arguments.empty()) return run_each_source(world, line, invocation, kind);
  invocation.wants_color = wants_color(invocation, line.env);

  std::string out_dir = invocation.out_dir.empty() ? "" : absolute_path(line.cwd, invocation.out_dir);
  Config config = load_config(world.fs, line.env, line.cwd, out_dir, world.libexec + "/kache-tool");
  Status store = prepare_store(world.fs, StoreLayout(config.cache_dir));
  Session session(world, line, invocation, config);
  if (parsed.refused) return session.refuse(parsed.refused);
  if (!store.ok()) return session.refuse({Refusal::store_unavailable, store.error().message});
  return session.run();
}

}  // namespace kache
