#include "wrapper/commit.h"

#include <algorithm>
#include <set>

#include "base/path.h"
#include "store/publish.h"
#include "store/render.h"
#include "store/restore.h"
#include "store/same.h"
#include "store/traces.h"
#include "wrapper/cc_checks.h"
#include "wrapper/measure_inputs.h"
#include "wrapper/places.h"

namespace kache {
namespace {

constexpr uint64_t kMaxTextSize = 64u << 20;

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
      : fs_(fs), clock_(clock), blobs_(blobs), memo_(memo), verifier_(verifier), request_(request),
        is_cc_(request.invocation.family == Family::cc),
        places_(fs, {request.line, request.invocation, request.roots, request.config, request.observed}) {}

  Result<CommitReport> run() {
    take_inputs();
    if (!report_.refused && is_cc_) {
      report_.refused = check_time_macros(fs_, request_.line, request_.invocation, request_.observed);
    }
    if (report_.refused) return report_;
    KACHE_TRY(take_outputs());
    if (report_.refused) return report_;
    take_messages();
    find_places();
    note_origins();
    KACHE_TRY(write_entry());
    KACHE_TRY(write_traces());
    memo_.grow_if_crowded();
    return report_;
  }

 private:
  void take_inputs() {
    bool with_times = holds_times_of_inputs(request_.invocation, request_.found) ||
                      depends_on_times_of_inputs(request_.invocation, request_.observed, verifier_);
    MeasuredInputs measured = measure_inputs(
        fs_, memo_, verifier_,
        {request_.roots, request_.observed, request_.extra, request_.before, with_times, request_.started_ns});
    set_.inputs = std::move(measured.inputs);
    report_.refused = measured.refused;
  }

  // Small texts go into the entry, everything else becomes a blob; all bytes are searched for places on the way.
  Status take_outputs() {
    for (const FoundOutput& found : request_.found.outputs) {
      Output output = found.output;
      if (output.role == "archive") report_.refused = check_member_times(fs_, found.path);
      if (report_.refused) return Ok{};
      bool is_text = output.role == "dep-info" || output.role == "depfile";
      KACHE_TRY(is_text ? take_text(found, output) : take_blob(found, output));
      entry_.outputs.push_back(std::move(output));
    }
    return Ok{};
  }

  Status take_text(const FoundOutput& found, Output& output) {
    std::string bytes = KACHE_TRY(read_file(fs_, found.path, kMaxTextSize));
    output.content = OutputContent::text;
    output.size = 0;
    if (output.role == "dep-info") take_dep_info(bytes, output);
    else take_depfile(bytes, output);
    places_.search_text(output.text);
    return Ok{};
  }

  Status take_blob(const FoundOutput& found, Output& output) {
    Blob blob = KACHE_TRY(blobs_.put(found.path, may_link(output)));
    output.blob = blob.id;
    output.size = blob.size;
    report_.blobs++;
    report_.new_blobs += blob.is_new;
    if (blob.is_new) bytes_by(blob.sharing) += blob.size;
    report_.bytes += blob.size;
    KACHE_TRY(places_.search_file(found.path, blob.size));
    // What was just compiled is what the next unit reads: its digest is known without reading it again.
    Result<FileStat> now = fs_.stat(found.path);
    if (now.ok() && (is_sealed(*now, blob.id.digest) || (same_identity(*now, found.stat) &&
                                                         settled(*now, clock_.file_clock_ns())))) {
      memo_.insert(*now, 0, blob.id.digest);
    }
    return Ok{};
  }

  void take_dep_info(std::string_view bytes, Output& output) {
    output.text = make_template(bytes, TextKind::dep_info, request_.roots);
    Result<DepInfo> info = parse_dep_info(bytes);
    if (info.ok()) places_.note_dep_info(std::move(info).value());
  }

  void take_depfile(std::string_view bytes, Output& output) {
    bool is_apart = make_depfile_template(bytes, request_.invocation.cc.depfile_targets, request_.roots, output.text);
    if (!is_apart) facts_.insert(std::string(kDepfileTargets));
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

  void take_messages() {
    TextKind kind = request_.invocation.family == Family::rustc ? TextKind::messages : TextKind::cc_messages;
    entry_.standard_output = make_template(request_.process.standard_output, kind, request_.roots);
    entry_.standard_error = make_template(request_.process.standard_error, kind, request_.roots);
    places_.search_text(entry_.standard_output);
    places_.search_text(entry_.standard_error);
  }

  // All outputs have been searched. Where the result belongs, and so how the variables are compared that shaped it.
  void find_places() {
    std::vector<std::string> variables = places_.find_variables(has_messages());
    set_.bindings = places_.find_bindings(variables);
    if (places_.shows_output_name() ||
        reads_beside_output(request_.line, request_.invocation, request_.roots, set_.inputs)) {
      facts_.insert(std::string(kOutputName));
    }
    // Diagnostics are wrapped to the width; without any, the width does not matter.
    if (has_messages()) facts_.insert({std::string(kDiagnosticWidth), std::string(kDiagnosticColor)});
    bool literal = !set_.bindings.empty();
    for (const std::string& fact : facts_) set_.env.push_back(verifier_.env_input(fact, literal));
    for (const std::string& name : variables) {
      EnvInput variable = verifier_.env_input(name, literal);
      const char* value = request_.line.env.get(name);
      if (value) variable.shown = shown_value(request_.roots, name, value);
      set_.env.push_back(std::move(variable));
    }
  }

  bool has_messages() const {
    const ProcessResult& process = request_.process;
    return process.standard_error.find("\"rendered\"") != std::string::npos ||
           (!request_.invocation.json_errors && !process.standard_error.empty());
  }

  // What a precompiled header is made of is the same in every checkout, whatever place it holds.
  void note_origins() {
    if (!is_cc_) return;
    InputSet made_of;
    for (const Input& input : set_.inputs) {
      if (input.kind != InputKind::times) made_of.inputs.push_back(input);
    }
    for (const EnvInput& variable : set_.env) made_of.env.push_back(verifier_.env_input(variable.name, false));
    Digest origin = derive_action_key(request_.key, made_of).digest;
    for (size_t i = 0; i < entry_.outputs.size(); ++i) {
      const Output& output = entry_.outputs[i];
      bool is_header = output.role.starts_with("precompiled-") || is_remade_otherwise(request_.found.outputs[i].path);
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
    Status written = update_traces(fs_, blobs_.layout(), request_.key, [&](Traces& traces) {
      traces.parts = request_.parts;
      traces.crate_name = request_.invocation.crate_name;
      traces.add(set_, entry_.key);
      return true;
    });
    report_.inputs = std::move(set_);
    return written;
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
  bool is_cc_;
  Places places_;
  std::set<std::string> facts_;  // of the command line, that are compared like variables
};

}  // namespace

Result<CommitReport> commit_entry(FileSystem& fs, Clock& clock, BlobStore& blobs, Memo& memo, Verifier& verifier,
                                  const CommitRequest& request) {
  return Committer(fs, clock, blobs, memo, verifier, request).run();
}

}  // namespace kache
